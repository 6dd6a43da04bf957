//! Imports and campaigns through the operators' pages, over HTTP.

mod campaigns;
mod imports;
mod killed;
mod papers;
mod roles;
mod wrong;

use countersign::app::App;
use countersign::app::operators;
use countersign::domain::operator::Role;

use crate::harness::{Client, Reply, World};

pub const PASSWORD: &str = "a long enough password";

/// Somebody with a role at work, for these brands only, or for all of them.
pub async fn signed_in(world: &World, name: &str, role: Role, brands: &[&str]) -> Client {
    let catalog = world.app.catalog();
    let brands: Vec<_> = brands
        .iter()
        .map(|slug| catalog.brand_by_slug(slug).unwrap().id)
        .collect();
    operators::add(&world.app, None, name, PASSWORD, (role, &brands))
        .await
        .unwrap();
    sign_in(&world.base, name).await
}

pub async fn sign_in(base: &str, name: &str) -> Client {
    let mut client = Client::new(base, "192.0.2.1").with("sec-fetch-site", "same-origin");
    let reply = client
        .post("/admin/sign-in", &[("name", name), ("password", PASSWORD)])
        .await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    client
}

/// What `serve` does in the background, until nothing is left to do.
pub async fn work(app: &App) {
    while let Some(due) = app.next_draft(&[]).await.unwrap() {
        app.work_on(due).await;
    }
}

/// Brings a file as a browser does.
pub async fn bring(client: &mut Client, wanted: &str, name: &str, bytes: &[u8]) -> Reply {
    let mut body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"for\"\r\n\r\n{wanted}\r\n--b\r\ncontent-disposition: form-data; \
         name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    client
        .send(
            "POST",
            "/admin/new-import",
            Some("multipart/form-data; boundary=b"),
            &body,
        )
        .await
}

/// The path of a redirect, without what stands behind `?`.
pub fn there(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.location().split('?').next().unwrap().to_owned()
}

/// The page that a deed leads to.
pub async fn follow(client: &mut Client, reply: &Reply) -> Reply {
    assert_eq!(reply.status, 303, "{}", reply.text());
    let page = client.get(&reply.location()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page
}

/// The selects of the page of columns, as they are proposed.
pub fn proposed(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in page.split("<select name=\"c").skip(1) {
        let name = format!("c{}", part.split('"').next().unwrap());
        let select = part.split("</select>").next().unwrap();
        let chosen = select
            .split("<option value=\"")
            .find(|option| option.contains(" selected"))
            .unwrap();
        found.push((name, chosen.split('"').next().unwrap().to_owned()));
    }
    found
}

/// Takes the columns as they are proposed.
pub async fn take_columns(client: &mut Client, path: &str) -> String {
    let page = client.get(path).await.text();
    let fields = proposed(&page);
    let mut fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.push(("language", "en"));
    fields.push(("then", "next"));
    there(&client.post(path, &fields).await)
}

/// From a file to the page of what would come of it.
pub async fn tried(
    client: &mut Client,
    app: &App,
    bytes: &[u8],
    source: &[(&str, &str)],
) -> String {
    let columns = there(&bring(client, "acme/newsletter", "people.csv", bytes).await);
    let path = take_columns(client, &columns).await;
    let mut fields = source.to_vec();
    fields.push(("then", "try"));
    let trial = there(&client.post(&path, &fields).await);
    work(app).await;
    trial
}

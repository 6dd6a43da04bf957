//! The examples of docs/api.md, run against a server.

use std::path::Path;

use countersign::domain::api_key::Scope;
use countersign::domain::time::Timestamp;
use countersign::store::Engine;
use serde_json::Value;

use crate::harness::World;

/// A request and the answer that the document shows behind it.
struct Example {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    kind: String,
    answer: Value,
}

fn read() -> Vec<Example> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut blocks = text
        .split("```http\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let mut examples = Vec::new();
    while let (Some(asked), Some(answered)) = (blocks.next(), blocks.next()) {
        let (head, body) = asked.split_once("\n\n").unwrap_or((asked.trim_end(), ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let (told, answer) = answered.split_once("\n\n").unwrap();
        let mut told = told.lines();
        examples.push(Example {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
            status: told
                .next()
                .unwrap()
                .split(' ')
                .nth(1)
                .unwrap()
                .parse()
                .unwrap(),
            kind: told.next().unwrap().split_once(": ").unwrap().1.to_owned(),
            answer: serde_json::from_str(answer).unwrap(),
        });
    }
    examples
}

/// Whether an answer is what the document shows: the same members everywhere, and the same values, but for ids, times, addresses of
/// the server, and what stands behind "…".
fn is_as_shown(shown: &Value, got: &Value) -> bool {
    match (shown, got) {
        (Value::Object(shown), Value::Object(_)) if shown.contains_key("…") => true,
        (Value::Object(shown), Value::Object(got)) => {
            shown.len() == got.len()
                && shown
                    .iter()
                    .all(|(name, shown)| got.get(name).is_some_and(|got| is_as_shown(shown, got)))
        }
        (Value::Array(shown), Value::Array(got)) => {
            shown.len() == got.len()
                && shown
                    .iter()
                    .zip(got)
                    .all(|(shown, got)| is_as_shown(shown, got))
        }
        (Value::String(shown), Value::String(got)) => {
            shown == got
                || (uuid::Uuid::try_parse(shown).is_ok() && uuid::Uuid::try_parse(got).is_ok())
                || (Timestamp::parse(shown).is_some() && Timestamp::parse(got).is_some())
                || (shown.starts_with("https://confirm.example.org/") && got.contains("/i/"))
                || shown
                    .split_once('…')
                    .is_some_and(|(begin, _)| got.starts_with(begin))
        }
        _ => shown == got,
    }
}

#[tokio::test]
async fn every_example_of_the_document_does_what_it_shows() {
    let world = World::on(Engine::Sqlite).await;
    let key = super::key(&world, Scope::ALL, None).await;
    let examples = read();
    assert!(examples.len() >= 6);
    let (mut id, mut event) = (String::new(), String::new());
    for example in examples {
        let mut client = world.client(super::BACKEND);
        let mut kind = None;
        for (name, value) in &example.headers {
            match name.as_str() {
                "content-type" => kind = Some(value.as_str()),
                _ => client = client.with(name, &value.replace("KEY", &key)),
            }
        }
        // What `serve` does beside the web server.
        crate::jobs::work(&world.app).await;
        world.app.sequence().await.unwrap();
        world.app.summarize().await.unwrap();
        let path = example.path.replace("{id}", &id).replace("{event}", &event);
        let body = example.body.trim_end();
        let reply = client
            .send(&example.method, &path, kind, body.as_bytes())
            .await;
        let what = format!("{} {}\n{}", example.method, example.path, reply.text());
        assert_eq!(reply.status, example.status, "{what}");
        assert_eq!(
            reply.header("content-type"),
            Some(example.kind.as_str()),
            "{what}"
        );
        let shown = example.answer.to_string();
        let shown = shown.replace("https://confirm.example.org", &world.base);
        let shown = serde_json::from_str(&shown).unwrap();
        assert!(is_as_shown(&shown, &reply.json()), "{what}");
        if let Some(found) = reply.json()["id"].as_str() {
            id = found.to_owned();
        }
        if let Some(found) = reply.json()["items"][0]["id"].as_str() {
            event = found.to_owned();
        }
        world.deliver().await;
    }
    world.finish().await;
}

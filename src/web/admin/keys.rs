//! `/admin/settings/keys`: what other programs may do.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::brands::{Unnamed, kept_to, named_one};
use super::frame::{Done, Frame};
use super::table::{self, Asked, Cell, Rows, Table};
use super::{acting, see};
use crate::app::keys::{KeyProblem, NewKey};
use crate::domain::api_key::Scope;
use crate::domain::operator::Operator;
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const DONE: [(&str, &str); 1] = [("revoked", "Revoked; the key opens nothing any more.")];

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct KeysPage {
    frame: Frame,
    table: Table,
    /// Names of the keys in use, each with a button of its own.
    in_use: Vec<String>,
    scopes: Vec<(&'static str, bool)>,
    brands: Vec<(String, String)>,
    name: String,
    /// A key that was just made: it is shown this once.
    secret: Option<String>,
}

/// What stands in the fields when a page is shown again.
#[derive(Default)]
struct Filled {
    name: String,
    scopes: Vec<String>,
    problem: Option<String>,
    secret: Option<String>,
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked, done): (&Asked, Option<&str>),
    filled: Filled,
) -> HttpResponse {
    let found = async {
        shared.app.refresh_catalog().await?;
        shared.app.api_keys().await
    };
    let keys = match found.await {
        Ok(keys) => keys,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let catalog = shared.app.catalog();
    let now = shared.app.clock.now();
    let rows = Rows {
        caption: "API keys".to_owned(),
        columns: vec![
            ("Name", false),
            ("May", false),
            ("Brand", false),
            ("Stands", false),
            ("Last used", false),
            ("Made", false),
        ],
        rows: keys
            .iter()
            .map(|key| {
                let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                vec![
                    Cell::Code(key.name.clone()),
                    Cell::text(scopes.join(", ")),
                    Cell::text(kept_to(&catalog, key.brand.as_slice())),
                    match (key.revoked_at, key.holds(now)) {
                        (Some(_), _) => Cell::State("revoked".to_owned(), "plain"),
                        (None, false) => Cell::State("expired".to_owned(), "plain"),
                        (None, true) => Cell::State("in use".to_owned(), "good"),
                    },
                    Cell::time(
                        key.used_day
                            .map(|day| Timestamp::from_micros(day * 86_400_000_000)),
                    ),
                    Cell::Time(key.created_at),
                ]
            })
            .collect(),
        empty:
            "No key yet. A program that uses the API needs one; countersign key add makes one, too."
                .to_owned(),
    };
    let table = match rows.arrange(asked, "/admin/settings/keys", now, true) {
        Ok(table) => table,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if asked.is_csv() {
        return table.csv("api-keys");
    }
    let status = if filled.problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = Frame::new(shared, operator, "API keys")
        .at("/admin/settings")
        .below("Settings", "/admin/settings")
        .noticing(done, &DONE)
        .failing(filled.problem);
    render(
        status,
        &KeysPage {
            frame,
            table,
            in_use: keys
                .iter()
                .filter(|key| key.holds(now))
                .map(|key| key.name.clone())
                .collect(),
            scopes: Scope::ALL
                .iter()
                .map(|scope| {
                    let name = scope.as_str();
                    (name, filled.scopes.iter().any(|one| one == name))
                })
                .collect(),
            brands: catalog
                .brands
                .iter()
                .map(|brand| (brand.declared.slug.to_string(), brand.declared.name.clone()))
                .collect(),
            name: filled.name,
            secret: filled.secret,
        },
    )
}

/// `GET /admin/settings/keys`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
    done: Query<Done>,
) -> HttpResponse {
    let what = (&*asked, done.done.as_deref());
    page(&request, &shared, &operator, what, Filled::default()).await
}

/// `POST /admin/settings/keys`: makes one, and shows it this once.
pub async fn add(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let filled = |problem: String| Filled {
        name: fields.raw("name").trim().to_owned(),
        scopes: fields.all("scopes"),
        problem: Some(problem),
        secret: None,
    };
    let asked = Asked::default();
    let brand = match named_one(&shared, fields.one("brand")).await {
        Ok(brand) => brand,
        Err(Unnamed::Store(problem)) => return error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let filled = filled(format!("Not made: {problem}."));
            return page(&request, &shared, &operator, (&asked, None), filled).await;
        }
    };
    let expires = fields.one("expires").map(Timestamp::parse);
    let new = NewKey {
        name: fields.raw("name").trim().to_owned(),
        scopes: fields
            .all("scopes")
            .iter()
            .filter_map(|scope| Scope::parse(scope))
            .collect(),
        brand,
        expires_at: expires.flatten(),
    };
    if expires.is_some_and(|at| at.is_none()) {
        let filled = filled("Not made: the last day is written as YYYY-MM-DD.".to_owned());
        return page(&request, &shared, &operator, (&asked, None), filled).await;
    }
    let filled = match shared.app.add_key(Some(&acting), new).await {
        Ok((_, secret)) => Filled {
            secret: Some(secret),
            ..Filled::default()
        },
        Err(KeyProblem::Store(problem)) => {
            return error::store_failure(&request, &shared, &problem);
        }
        Err(problem) => filled(format!("Not made: {problem}.")),
    };
    page(&request, &shared, &operator, (&asked, None), filled).await
}

/// `POST /admin/settings/keys/{name}/revoke`
pub async fn revoke(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    name: Path<String>,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    match shared.app.revoke_key(Some(&acting), &name).await {
        Ok(()) => see("/admin/settings/keys?done=revoked"),
        Err(KeyProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let filled = Filled {
                problem: Some(format!("Not revoked: {problem}.")),
                ..Filled::default()
            };
            let asked = Asked::default();
            page(&request, &shared, &operator, (&asked, None), filled).await
        }
    }
}

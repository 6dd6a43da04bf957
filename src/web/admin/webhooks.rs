//! `/admin/settings/webhooks`: who is told of events, and how that goes.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::brands::{Unnamed, kept_to, named_one};
use super::frame::{Done, Frame};
use super::table::sift::{Sifted, cut, sift};
use super::table::{self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Table, Wanted, Wrong};
use super::{acting, not_found, see, takes};
use crate::app::catalog::Catalog;
use crate::app::webhooks::{MessageRow, NewWebhook, Webhook, WebhookProblem};
use crate::domain::announcement::Kind;
use crate::domain::ids::WebhookId;
use crate::domain::operator::Operator;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const DELIVERIES: [(&str, bool); 7] = [
    ("Event", false),
    ("Number", true),
    ("Contact", false),
    ("Stands", false),
    ("Tries", true),
    ("Last try", false),
    ("Answer", false),
];
/// The column behind which an index stands.
const SORTS: [&str; 1] = ["Number"];

const DONE: [(&str, &str); 3] = [
    (
        "paused",
        "Paused. What happens meanwhile is told once it is resumed.",
    ),
    ("resumed", "Resumed. What waited is sent within a second."),
    ("removed", "Removed. What waited is told to nobody."),
];

#[derive(Template)]
#[template(path = "admin/webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    table: Table,
    kinds: Vec<(&'static str, bool)>,
    brands: Vec<(String, String)>,
    url: String,
    about: String,
}

#[derive(Template)]
#[template(path = "admin/webhook.html")]
struct WebhookPage {
    frame: Frame,
    webhook: Webhook,
    id: WebhookId,
    kinds: String,
    deliveries: Table,
    /// A secret that was just made: it is shown this once.
    secret: Option<String>,
    /// What a test message was answered.
    tested: Option<(bool, String)>,
}

fn state(webhook: &Webhook) -> Cell {
    if webhook.row.state != "active" {
        Cell::State("paused".to_owned(), "wait")
    } else if webhook.row.failures > 0 {
        let times = webhook.row.failures;
        Cell::State(format!("failing, {times} tries in a row"), "bad")
    } else {
        Cell::State("active".to_owned(), "good")
    }
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (asked, done): (&Asked, Option<&str>),
    filled: Option<(&Fields, String)>,
) -> HttpResponse {
    let found = async {
        shared.app.refresh_catalog().await?;
        shared.app.webhooks().await
    };
    let webhooks = match found.await {
        Ok(webhooks) => webhooks,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let catalog = shared.app.catalog();
    let now = shared.app.clock.now();
    let rows = Rows {
        caption: "Webhooks".to_owned(),
        columns: vec![
            ("Receiver", false),
            ("For", false),
            ("Brand", false),
            ("Stands", false),
            ("Waiting", true),
            ("Since", false),
        ],
        rows: webhooks
            .iter()
            .map(|webhook| {
                let row = &webhook.row;
                vec![
                    Cell::link(
                        row.url.clone(),
                        format!("/admin/settings/webhooks/{}", row.id),
                    ),
                    Cell::text(row.about.clone()),
                    Cell::text(kept_to(&catalog, row.brand_id.as_slice())),
                    state(webhook),
                    Cell::Number(webhook.waiting),
                    Cell::Time(row.created_at),
                ]
            })
            .collect(),
        empty: "Nobody is told of events yet. A receiver gets each event once or more, signed; countersign webhook add adds one, too.".to_owned(),
    };
    let table = match rows.arrange(asked, "/admin/settings/webhooks", now, true) {
        Ok(table) => table,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if asked.is_csv() {
        return table.csv("webhooks");
    }
    let (status, url, about, chosen, problem) = match filled {
        Some((fields, problem)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            fields.raw("url").trim().to_owned(),
            fields.raw("about").trim().to_owned(),
            fields.all("kinds"),
            Some(problem),
        ),
        None => (
            StatusCode::OK,
            String::new(),
            String::new(),
            Vec::new(),
            None,
        ),
    };
    let frame = Frame::new(shared, operator, "Webhooks")
        .at("/admin/settings")
        .below("Settings", "/admin/settings")
        .noticing(done, &DONE)
        .failing(problem);
    render(
        status,
        &WebhooksPage {
            frame,
            table,
            kinds: Kind::ALL
                .iter()
                .map(|kind| {
                    let name = kind.as_str();
                    (name, chosen.iter().any(|one| one == name))
                })
                .collect(),
            brands: catalog
                .brands
                .iter()
                .map(|brand| (brand.declared.slug.to_string(), brand.declared.name.clone()))
                .collect(),
            url,
            about,
        },
    )
}

/// `GET /admin/settings/webhooks`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    asked: Query<Asked>,
    done: Query<Done>,
) -> HttpResponse {
    let what = (&*asked, done.done.as_deref());
    page(&request, &shared, &operator, what, None).await
}

/// `POST /admin/settings/webhooks`: adds one, and shows its secret this once.
pub async fn add(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let brand = match named_one(&shared, fields.one("brand")).await {
        Ok(brand) => brand,
        Err(Unnamed::Store(problem)) => return error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let filled = Some((&fields, format!("Not added: {problem}.")));
            let asked = Asked::default();
            return page(&request, &shared, &operator, (&asked, None), filled).await;
        }
    };
    let new = NewWebhook {
        url: fields.raw("url").trim().to_owned(),
        kinds: fields
            .all("kinds")
            .iter()
            .filter_map(|kind| Kind::parse(kind))
            .collect(),
        brand,
        about: fields.raw("about").trim().to_owned(),
    };
    match shared.app.add_webhook(Some(&acting), new).await {
        Ok((row, secret)) => {
            let shown = (Some(secret), None);
            one(
                &request,
                &shared,
                &operator,
                row.id,
                &Asked::default(),
                shown,
            )
            .await
        }
        Err(WebhookProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let filled = Some((&fields, format!("Not added: {problem}.")));
            page(
                &request,
                &shared,
                &operator,
                (&Asked::default(), None),
                filled,
            )
            .await
        }
    }
}

/// Deliveries of a webhook as they are wanted, behind the one of a number.
async fn deliveries(
    shared: &Web,
    id: WebhookId,
    (down, wanted): (bool, &Wanted),
    (after, limit): (Option<i64>, usize),
) -> Result<Sifted<i64>, StoreError> {
    let some = async |after: Option<i64>, count: usize| {
        let many = i64::try_from(count + 1).unwrap_or(i64::MAX);
        let found = if down {
            shared.app.deliveries(id, after, many).await?
        } else {
            shared.app.deliveries_after(id, after, many).await?
        };
        let found = found.into_iter().map(|one| (one.position, one)).collect();
        Ok(cut(found, count))
    };
    let catalog = shared.app.catalog();
    sift(limit, after, wanted, some, |one| {
        wanted.pick(delivery(&catalog, &one))
    })
    .await
}

fn delivery(catalog: &Catalog, message: &MessageRow) -> Vec<Cell> {
    let tone = match message.state.as_str() {
        "delivered" => "good",
        "waiting" => "wait",
        "failed" => "bad",
        _ => "plain",
    };
    let brand = catalog.brand(message.brand_id);
    let contact = message.contact_id;
    vec![
        Cell::Code(message.kind.clone()),
        Cell::Number(message.position),
        brand.map_or(Cell::None, |brand| {
            let slug = &brand.declared.slug;
            Cell::link(
                contact.to_string(),
                format!("/admin/contacts/{slug}/{contact}"),
            )
        }),
        Cell::State(message.state.clone(), tone),
        Cell::Number(message.tries),
        Cell::time(message.last_try_at),
        Cell::text(match (message.status, &message.reply) {
            (Some(status), Some(reply)) => format!("{status} {reply}"),
            (Some(status), None) => status.to_string(),
            (None, reply) => reply.clone().unwrap_or_default(),
        }),
    ]
}

async fn one(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    id: WebhookId,
    asked: &Asked,
    (secret, tested): (Option<String>, Option<(bool, String)>),
) -> HttpResponse {
    let webhook = match shared.app.webhook(id).await {
        Ok(Some(webhook)) => webhook,
        Ok(None) => return not_found(shared, operator, "This webhook"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let read = || {
        let order = asked.order(&SORTS)?.unwrap_or(Order::down("Number"));
        let after = asked.after.as_deref().map(str::parse::<i64>);
        let after = after.transpose().map_err(|_| Wrong::After)?;
        let stands = Choice::of("Stands", &["waiting", "delivered", "failed", "dropped"]);
        let wanted = Wanted::of(asked, &DELIVERIES, vec![stands], true)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let of = (shared.clone(), wanted.clone());
    let page = move |after: Option<i64>, limit: usize| {
        let (shared, wanted) = of.clone();
        async move { deliveries(&shared, id, (order.down, &wanted), (after, limit)).await }
    };
    if asked.is_csv() {
        let on = format!("deliveries of the webhook {id}");
        if let Err(response) = takes(request, shared, on).await {
            return response;
        }
        let head = DELIVERIES.iter().map(|column| column.0.to_owned());
        return table::stream("deliveries", head.collect(), page);
    }
    let found = match page(after, PAGE).await {
        Ok(found) => found.written(|next| next.to_string()),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let rows = Rows {
        caption: "Deliveries".to_owned(),
        columns: DELIVERIES.to_vec(),
        rows: Vec::new(),
        empty: "Nothing was sent yet.".to_owned(),
    };
    let path = format!("/admin/settings/webhooks/{id}");
    let paging = Paging {
        asked,
        path: &path,
        now: shared.app.clock.now(),
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: true,
    };
    let deliveries = rows.paged(&paging, found);
    let kinds: Vec<&str> = webhook.kinds.iter().map(|kind| kind.as_str()).collect();
    let frame = Frame::new(shared, operator, "Webhook")
        .at("/admin/settings")
        .below("Settings", "/admin/settings")
        .below("Webhooks", "/admin/settings/webhooks");
    render(
        StatusCode::OK,
        &WebhookPage {
            frame,
            kinds: if kinds.is_empty() {
                "all".to_owned()
            } else {
                kinds.join(", ")
            },
            webhook,
            id,
            deliveries,
            secret,
            tested,
        },
    )
}

/// `GET /admin/settings/webhooks/{id}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    id: Path<Uuid>,
    asked: Query<Asked>,
) -> HttpResponse {
    let id = WebhookId(*id);
    one(&request, &shared, &operator, id, &asked, (None, None)).await
}

/// `POST /admin/settings/webhooks/{id}`: what it does stands in the field `do`.
pub async fn change(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    id: Path<Uuid>,
    fields: Fields,
) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let (app, id) = (&shared.app, WebhookId(*id));
    let by = Some(&acting);
    let asked = Asked::default();
    let outcome = match fields.raw("do") {
        "pause" => app.pause_webhook(by, id).await.map(|()| "paused"),
        "resume" => app.resume_webhook(by, id).await.map(|()| "resumed"),
        "remove" => app.remove_webhook(by, id).await.map(|()| "removed"),
        "rotate" => match app.rotate_webhook(by, id).await {
            Ok(secret) => {
                let shown = (Some(secret), None);
                return one(&request, &shared, &operator, id, &asked, shown).await;
            }
            Err(problem) => Err(problem),
        },
        "test" => match app.test_webhook(by, id).await {
            Ok(tried) => {
                let taken = tried
                    .status
                    .is_some_and(|status| (200..300).contains(&status));
                let status = tried
                    .status
                    .map_or_else(String::new, |status| format!("{status} "));
                let words = format!("{status}{} ({} ms)", tried.reply, tried.milliseconds);
                let shown = (None, Some((taken, words)));
                return one(&request, &shared, &operator, id, &asked, shown).await;
            }
            Err(problem) => Err(problem),
        },
        _ => return see("/admin/settings/webhooks"),
    };
    match outcome {
        Ok(done) => see(&format!("/admin/settings/webhooks?done={done}")),
        Err(WebhookProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(WebhookProblem::Unknown) => not_found(&shared, &operator, "This webhook"),
        Err(problem) => {
            let shown = (None, Some((false, problem.to_string())));
            one(&request, &shared, &operator, id, &asked, shown).await
        }
    }
}

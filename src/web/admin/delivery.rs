//! `/admin/delivery`: what waits to leave, what is held, what failed, and how mails fare by recipient domain.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::chart::grouped;
use super::frame::Frame;
use super::table::{Asked, Cell, Rows, Table};
use super::{acting, not_found, say, see};
use crate::app::acted::Acting;
use crate::app::queue::{Attempt, QueuedMail, Which};
use crate::app::tidy::COUNTED_AT_MOST;
use crate::domain::figures::percent;
use crate::domain::ids::{BrandId, OutboxId};
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// Mails shown at a time, and in a file at most.
const SHOWN: usize = 50;
const IN_A_FILE: usize = 10_000;
/// Days of the per-domain view.
const DAYS: i64 = 30;

const DONE: [(&str, &str); 4] = [
    (
        "retried",
        "The failed mails are due again; each is sent if it is still wanted.",
    ),
    ("none", "There was no failed mail to be tried again."),
    ("released", "The held mails are let go."),
    ("not-held", "No mail was held."),
];

#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    show: Option<String>,
    after: Option<String>,
    format: Option<String>,
    sort: Option<String>,
    filter: Option<String>,
    done: Option<String>,
}

/// A failed mail with its button.
struct Failed {
    id: OutboxId,
    domain: String,
    tries: i64,
    reply: String,
    /// A line for each try, where there was more than one.
    attempts: Vec<String>,
    first: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/delivery.html")]
struct DeliveryPage {
    frame: Frame,
    shown: Vec<(&'static str, &'static str, bool)>,
    which: Which,
    waiting: String,
    held: String,
    failed_count: String,
    held_since: Option<String>,
    may_release: bool,
    has_held: bool,
    smtp_problem: Option<String>,
    restored: Option<String>,
    mails: Table,
    failed: Vec<Failed>,
    domains: Table,
}

/// A time and an id as a key in an address.
fn key(text: &str) -> Option<(Timestamp, OutboxId)> {
    let (at, id) = text.split_once('.')?;
    Some((
        Timestamp::from_micros(at.parse().ok()?),
        OutboxId(Uuid::parse_str(id).ok()?),
    ))
}

fn counted(number: i64) -> String {
    let more = if number >= COUNTED_AT_MOST {
        " or more"
    } else {
        ""
    };
    format!("{}{more}", grouped(number))
}

/// `GET /admin/delivery`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    chosen: Query<Chosen>,
) -> HttpResponse {
    let which = chosen
        .show
        .as_deref()
        .and_then(Which::parse)
        .unwrap_or(Which::Waiting);
    let asked = Asked {
        sort: chosen.sort.clone(),
        filter: chosen.filter.clone(),
        after: chosen.after.clone(),
        format: chosen.format.clone(),
    };
    let limit = if asked.is_csv() { IN_A_FILE } else { SHOWN };
    let after = asked.after.as_deref().and_then(key);
    let brands: Vec<BrandId> = shared
        .app
        .catalog()
        .brands
        .iter()
        .map(|brand| brand.id)
        .filter(|brand| operator.works_for(*brand))
        .collect();
    let found = async {
        Ok((
            shared.app.queue(&operator, which, after, limit).await?,
            shared
                .app
                .kept_to(&operator, shared.app.readiness().await?)
                .await?,
            shared.app.mail_figures(&brands, DAYS).await?,
        ))
    };
    let ((mails, next), ready, figures) = match found.await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let now = shared.app.clock.now();
    let frame = Frame::new(&shared, &operator, "Delivery")
        .at("/admin/delivery")
        .noticing(chosen.done.as_deref(), &DONE);
    let path = format!("/admin/delivery?show={}", which.as_str());
    let next = next.map(|(at, id)| format!("{}.{id}", at.micros()));
    let table = mails_table(&shared, which, &mails).paged(
        &asked,
        &path,
        now,
        next.as_deref(),
        frame.may_take(),
    );
    if asked.is_csv() {
        return table.csv("mails");
    }
    let rows = figures
        .into_iter()
        .map(|line| {
            let of = line.figures;
            let all = of.mailed + of.failed;
            vec![
                Cell::Text(line.name),
                Cell::Number(of.mailed),
                Cell::Number(of.failed),
                Cell::Text(percent(of.mailed, all)),
                Cell::Number(of.bounced),
                Cell::Number(of.complained),
            ]
        })
        .collect();
    let domains = Rows {
        caption: format!("Mails of the last {DAYS} days by recipient domain"),
        columns: vec![
            ("Domain", false),
            ("Accepted", true),
            ("Given up", true),
            ("Share accepted", false),
            ("Came back", true),
            ("Complaints", true),
        ],
        rows,
        empty: "No mail went out in this time.".to_owned(),
    };
    let sorting = Asked {
        after: None,
        ..asked
    };
    let domains = domains.arrange(&sorting, &path, now, false);
    let failed = mails
        .iter()
        .filter(|_| which == Which::Failed)
        .map(|mail| Failed {
            id: mail.id,
            domain: mail.domain.clone(),
            tries: mail.tries,
            reply: mail.reply.clone().unwrap_or_default(),
            attempts: told(mail),
            first: mail.first_try_at.map(Timestamp::to_the_minute),
        });
    let held = ready.breaker.mails_held;
    render(
        StatusCode::OK,
        &DeliveryPage {
            shown: [Which::Waiting, Which::Held, Which::Failed]
                .map(|one| (one.as_str(), words(one), one == which))
                .into(),
            which,
            waiting: counted(ready.mails_waiting),
            held: grouped(held),
            failed_count: counted(ready.mails_failed),
            held_since: ready.breaker.open_since.map(Timestamp::to_the_minute),
            may_release: frame.may_change() && operator.brands.is_empty(),
            has_held: held > 0 || ready.breaker.open_since.is_some(),
            smtp_problem: ready.last_smtp_problem,
            restored: ready.sending_held.map(|held| held.why),
            mails: table,
            failed: failed.collect(),
            domains,
            frame,
        },
    )
}

/// The tries of a mail, a line each; none where the last reply says it all.
fn told(mail: &QueuedMail) -> Vec<String> {
    if mail.attempts.len() < 2 {
        return Vec::new();
    }
    let line = |one: &Attempt| format!("{}: {}", one.at, one.said);
    mail.attempts.iter().map(line).collect()
}

const fn words(which: Which) -> &'static str {
    match which {
        Which::Waiting => "Waiting",
        Which::Held => "Held",
        Which::Failed => "Failed for good",
    }
}

fn mails_table(shared: &Web, which: Which, mails: &[QueuedMail]) -> Rows {
    let catalog = shared.app.catalog();
    let rows = mails
        .iter()
        .map(|mail| {
            let brand = catalog.brand(mail.brand);
            let due = match which {
                Which::Waiting if mail.under_way => Cell::State("under way".to_owned(), "wait"),
                Which::Waiting => Cell::Time(mail.due_at),
                Which::Held => Cell::State("held".to_owned(), "wait"),
                Which::Failed => Cell::State("given up".to_owned(), "bad"),
            };
            vec![
                Cell::text(brand.map_or_else(String::new, |brand| brand.declared.slug.to_string())),
                Cell::text(mail.kind.clone()),
                Cell::text(mail.domain.clone()),
                due,
                Cell::Number(mail.tries),
                Cell::time(mail.first_try_at),
                Cell::Folded(mail.reply.clone().unwrap_or_default(), told(mail)),
            ]
        })
        .collect();
    Rows {
        caption: format!("{} mails", words(which)),
        columns: vec![
            ("Brand", false),
            ("Mail", false),
            ("Recipient domain", false),
            ("Due", false),
            ("Tries", true),
            ("First try", false),
            ("The server's last reply", false),
        ],
        rows,
        empty: match which {
            Which::Waiting => "No mail waits. A signup's mail is here for a moment until a server took it; one that a server puts off stays here with its words.",
            Which::Held => "No mail is held. When suddenly few people confirm, further confirmation mails wait here until you say that the signups are genuine.",
            Which::Failed => "No mail failed for good. One that a server refuses, or puts off for too long, is kept here with the server's words.",
        }
        .to_owned(),
    }
}

/// Runs a deed to its end, whether or not the browser waits for it.
async fn to_its_end<T: Send + 'static>(
    deed: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    actix_web::rt::spawn(deed).await.ok()
}

/// `POST /admin/delivery/retry`
pub async fn retry(request: HttpRequest, shared: Data<Web>, fields: Fields) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let one = match fields.one("mail").map(Uuid::parse_str) {
        None => None,
        Some(Ok(id)) => Some(OutboxId(id)),
        Some(Err(_)) => return not_found(&shared, &acting.operator, "This mail"),
    };
    let app = shared.app.clone();
    let done = to_its_end(async move { app.retry_failed(&acting, one).await });
    match done.await {
        Some(Ok(0)) => see("/admin/delivery?show=failed&done=none"),
        Some(Ok(_)) => see("/admin/delivery?show=failed&done=retried"),
        Some(Err(problem)) => error::store_failure(&request, &shared, &problem),
        None => error::plain_failure(),
    }
}

/// `POST /admin/delivery/release`
pub async fn release(request: HttpRequest, shared: Data<Web>) -> HttpResponse {
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    if !acting.operator.brands.is_empty() {
        return say(
            &shared,
            &acting.operator,
            StatusCode::FORBIDDEN,
            "Not for some brands only",
            "Mails are held for all brands together, so somebody who works for all of them lets them go.",
        );
    }
    let app = shared.app.clone();
    let deed = async move {
        let acting: Acting = acting;
        app.acted(&acting, Deed::MailReleased, None).await?;
        app.release_breaker().await
    };
    match to_its_end(deed).await {
        Some(Ok(released)) if released.was_open || released.mails > 0 => {
            see("/admin/delivery?show=held&done=released")
        }
        Some(Ok(_)) => see("/admin/delivery?show=held&done=not-held"),
        Some(Err(problem)) => error::store_failure(&request, &shared, &problem),
        None => error::plain_failure(),
    }
}

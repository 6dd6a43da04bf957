//! `/admin/delivery`: what waits to leave, what is held, what failed, and how mails fare by recipient domain.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::chart::grouped;
use super::frame::Frame;
use super::table::sift::{cut, sift};
use super::table::{
    self, Act, Asked, Cell, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong,
};
use super::{acting, not_found, say, see, takes};
use crate::app::acted::Acting;
use crate::app::figures::Named;
use crate::app::queue::{Attempt, OutboxKey, QueuedMail, Which};
use crate::app::tidy::COUNTED_AT_MOST;
use crate::domain::figures::percent;
use crate::domain::ids::{BrandId, OutboxId};
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

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
    done: Option<String>,
}

const COLUMNS: [(&str, bool); 8] = [
    ("Brand", false),
    ("Mail", false),
    ("Recipient domain", false),
    ("Due", false),
    ("Queued", false),
    ("Tries", true),
    ("First try", false),
    ("The server's last reply", false),
];
/// What the domains' table has in front of its names.
const DOMAINS: &str = "domains_";

/// Mails lie in the order in which they are due; those that are not, in the order in which they were queued.
const fn order_of(which: Which) -> Order {
    match which {
        Which::Waiting => Order::up("Due"),
        Which::Held | Which::Failed => Order::up("Queued"),
    }
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
    has_failed: bool,
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

/// What is counted up to a bound, in words.
pub fn counted(number: i64) -> String {
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
    (chosen, asked): (Query<Chosen>, Query<Asked>),
) -> HttpResponse {
    let which = chosen.show.as_deref().and_then(Which::parse);
    let which = which.unwrap_or(Which::Waiting);
    let unasked = order_of(which);
    let sorts = [unasked.by];
    let read = || {
        let order = asked.order(&sorts)?.unwrap_or(unasked);
        let after = match asked.after.as_deref() {
            Some(after) => Some(key(after).ok_or(Wrong::After)?),
            None => None,
        };
        let wanted = Wanted::of(&asked, &COLUMNS, Vec::new(), true)?;
        Ok::<_, Wrong>((order, after, wanted))
    };
    let (order, after, wanted) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    let frame = Frame::new(&shared, &operator, "Delivery")
        .at("/admin/delivery")
        .noticing(chosen.done.as_deref(), &DONE);
    if asked.is_csv() {
        // Servers' replies may name recipients.
        let on = format!("{} mails of the outbox", which.as_str());
        if let Err(response) = takes(&request, &shared, on).await {
            return response;
        }
        return file(&shared, &operator, which, (order, wanted));
    }
    let catalog = shared.app.catalog();
    let brands = catalog.brands.iter().map(|brand| brand.id);
    let brands: Vec<BrandId> = brands.filter(|brand| operator.works_for(*brand)).collect();
    let may_mend = frame.may_change() && which == Which::Failed;
    let found = async {
        let what = (which, order.down, may_mend);
        let ready = shared.app.readiness().await?;
        Ok((
            sifted(&shared, &operator, what, &wanted, (after, PAGE)).await?,
            shared.app.kept_to(&operator, ready).await?,
            shared.app.mail_figures(&brands, DAYS).await?,
        ))
    };
    let (mails, ready, figures) = match found.await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    let now = shared.app.clock.now();
    let path = format!("/admin/delivery?show={}", which.as_str());
    let paging = Paging {
        asked: &asked,
        path: &path,
        now,
        sorts: &sorts,
        order,
        wanted: &wanted,
        may_take: frame.may_take(),
    };
    let has_failed = which == Which::Failed && !mails.rows.is_empty();
    let mails = mails.written(|(at, id)| format!("{}.{id}", at.micros()));
    let mails = mails_table(which, may_mend).paged(&paging, mails);
    let domains = domains_table(figures);
    let domains = domains.arrange(&asked.of(DOMAINS), &path, now, frame.may_take());
    let domains = match domains {
        Ok(domains) => domains,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    if domains.is_file {
        return domains.csv("mails-by-domain");
    }
    let held = ready.breaker.mails_held;
    render(
        StatusCode::OK,
        &DeliveryPage {
            shown: [Which::Waiting, Which::Held, Which::Failed]
                .map(|one| (one.as_str(), words(one), one == which))
                .into(),
            which,
            waiting: counted(ready.mails_waiting),
            held: counted(held),
            failed_count: counted(ready.mails_failed),
            held_since: ready.breaker.open_since.map(Timestamp::to_the_minute),
            may_release: frame.may_change() && operator.brands.is_empty(),
            has_held: held > 0 || ready.breaker.open_since.is_some(),
            smtp_problem: ready.last_smtp_problem,
            restored: ready.sending_held.map(|held| held.why),
            mails,
            has_failed,
            domains,
            frame,
        },
    )
}

/// Mails of the outbox as they are wanted, behind one of them.
async fn sifted(
    shared: &Web,
    operator: &Operator,
    (which, down, may_mend): (Which, bool, bool),
    wanted: &Wanted,
    (after, limit): (Option<OutboxKey>, usize),
) -> Result<Sifted<OutboxKey>, StoreError> {
    let read = async |after: Option<OutboxKey>, count: usize| {
        let found = shared
            .app
            .queue(operator, which, (after, down), count + 1)
            .await?;
        let mails = found.0.into_iter();
        let mails = mails.map(|mail| ((mail.due_at, mail.id), mail)).collect();
        let (mails, next) = cut(mails, count);
        let is_short = next.is_none();
        // Few of the operator's brands among those that were looked through: further on there may be more.
        let further = found.1.filter(|_| is_short);
        Ok((mails, next.or(further)))
    };
    let row = |mail: QueuedMail| {
        let mut row = row(shared, which, &mail);
        let kept = wanted.keeps(&row);
        if may_mend {
            row.push(Cell::Act(Act {
                label: "Try again",
                about: format!("the mail to {}", mail.domain),
                action: "/admin/delivery/retry".to_owned(),
                name: "mail",
                value: mail.id.to_string(),
            }));
        }
        kept.then_some(row)
    };
    sift(limit, after, wanted, read, row).await
}

/// The mails as a file.
fn file(
    shared: &Data<Web>,
    operator: &Operator,
    which: Which,
    (order, wanted): (Order, Wanted),
) -> HttpResponse {
    let head = COLUMNS.map(|column| column.0.to_owned()).into();
    let of = Arc::new((shared.clone(), operator.clone(), wanted));
    table::stream("mails", head, move |after, limit| {
        let of = of.clone();
        async move {
            let (shared, operator, wanted) = &*of;
            let what = (which, order.down, false);
            sifted(shared, operator, what, wanted, (after, limit)).await
        }
    })
}

fn domains_table(figures: Vec<Named>) -> Rows {
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
    Rows {
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
    }
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

fn row(shared: &Web, which: Which, mail: &QueuedMail) -> Vec<Cell> {
    let catalog = shared.app.catalog();
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
        Cell::time(mail.queued_at),
        Cell::Number(mail.tries),
        Cell::time(mail.first_try_at),
        Cell::Folded(mail.reply.clone().unwrap_or_default(), told(mail)),
    ]
}

fn mails_table(which: Which, may_mend: bool) -> Rows {
    let mut columns = COLUMNS.to_vec();
    if may_mend {
        columns.push(("Mend", false));
    }
    Rows {
        caption: format!("{} mails", words(which)),
        columns,
        rows: Vec::new(),
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

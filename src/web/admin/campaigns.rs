//! `/admin/campaigns`: who was asked, what they answered, and what can be done about a campaign.

pub mod deeds;
pub mod mail;
pub mod new;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::stream;
use serde::Deserialize;

use super::frame::{Done, Frame};
use super::imports::may_not_take;
use super::jobs::{attachment, brand_and_id, brands, count, tone};
use super::table::{Asked, Cell, PAGE, Rows, Table};
use super::{acting, not_found, see};
use crate::app::campaign::{Person, Told};
use crate::domain::brand::Brand;
use crate::domain::campaign::{Kind, Plan};
use crate::domain::ids::CampaignId;
use crate::domain::operator::{Deed, Operator};
use crate::intake::export;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

const DONE: [(&str, &str); 6] = [
    (
        "started",
        "The campaign has started. First it looks through the contacts, then it asks, at its pace.",
    ),
    (
        "paused",
        "The campaign is paused: nobody is asked, and mails that wait do not leave.",
    ),
    ("resumed", "The campaign goes on."),
    (
        "cancelled",
        "The campaign is cancelled. Whoever was asked can still answer.",
    ),
    (
        "released",
        "Released. Each gets one invitation, and no reminder.",
    ),
    ("dropped", "Nothing was started."),
];

pub const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Invitation => "invitation",
        Kind::Reconfirmation => "re-confirmation",
        Kind::MergerNotice => "notice of a merger",
    }
}

/// Why somebody is not asked, in words.
pub fn why_words(why: &str) -> &str {
    match why {
        "confirmed_already" => "confirmed already",
        "left" => "left, or never signed up",
        "refused" => "refused by the policy",
        "not_by_mail" => "not to be asked by mail",
        "no_implicit_consent" => "no implicit consent",
        "no_merger_notice_due" => "no notice of a merger due",
        "merger_notice_first" => "the notice of the merger has to come first",
        "invited_before" => "invited before",
        "paused" => "paused: asked after the pause, if the campaign still runs then",
        "not_due" => "confirmed or used again, so not due",
        "asked_lately" => "asked by time not long ago",
        "erased" => "erased",
        other => other,
    }
}

/// What a campaign does at the moment, in words.
pub const fn state_words(state: &str) -> &str {
    match state.as_bytes() {
        b"enrolling" => "looking through the contacts",
        b"stopped" => "stopped by itself",
        _ => state,
    }
}

#[derive(Template)]
#[template(path = "admin/campaigns.html")]
struct CampaignsPage {
    frame: Frame,
    table: Table,
}

/// `GET /admin/campaigns`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    done: Query<Done>,
    asked: Query<Asked>,
) -> HttpResponse {
    let now = shared.app.clock.now();
    let mut rows = Vec::new();
    for brand in brands(&shared, &operator) {
        let lines = match shared.app.campaign_lines(&brand).await {
            Ok(lines) => lines,
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        };
        rows.extend(lines.into_iter().map(|line| {
            let path = format!("/admin/campaigns/{}/{}", brand.declared.slug, line.id);
            let cells = vec![
                Cell::link(line.name, path),
                Cell::text(&brand.declared.name),
                Cell::text(kind_words(line.kind)),
                Cell::Text(line.purpose),
                Cell::State(state_words(&line.state).to_owned(), tone(&line.state)),
                Cell::Text(line.why.unwrap_or_default()),
                Cell::Time(line.started_at),
                Cell::time(line.ended_at),
            ];
            (line.started_at, cells)
        }));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    let rows = Rows {
        caption: "Campaigns".to_owned(),
        columns: vec![
            ("Name", false),
            ("Brand", false),
            ("Kind", false),
            ("Purpose", false),
            ("State", false),
            ("Stopped for", false),
            ("Began", false),
            ("Ended", false),
        ],
        rows: rows.into_iter().map(|row| row.1).collect(),
        empty: "Nobody was asked yet. Begin with “New campaign”: it shows whom it would ask, and the mail, before anything is \
                sent; countersign campaign start does the same on the command line."
            .to_owned(),
    };
    let frame = Frame::new(&shared, &operator, "Campaigns")
        .at("/admin/campaigns")
        .noticing(done.done.as_deref(), &DONE);
    let table = rows.arrange(&asked, "/admin/campaigns", now, frame.may_take());
    if asked.is_csv() {
        if !frame.may_take() {
            return may_not_take(&shared, &operator);
        }
        return table.csv("campaigns");
    }
    render(StatusCode::OK, &CampaignsPage { frame, table })
}

/// What stands behind `?` on a campaign's page.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// Only people in this state.
    pub state: Option<String>,
}

const STATES: [(&str, &str); 7] = [
    ("waiting", "waiting"),
    ("held", "held for release"),
    ("asked", "asked"),
    ("answered", "answered"),
    ("unanswered", "did not answer"),
    ("left_out", "left out"),
    ("cancelled", "cancelled"),
];

/// A choice of people.
struct Tab {
    name: &'static str,
    path: String,
    here: bool,
}

/// A step of the funnel: how many, of how many.
struct Bar {
    name: &'static str,
    count: String,
    percent: u64,
}

/// Somebody who can be released.
struct Held {
    id: String,
    address: String,
    rule: String,
}

#[derive(Template)]
#[template(path = "admin/campaign.html")]
struct CampaignPage {
    frame: Frame,
    brand: String,
    path: String,
    name: String,
    state: String,
    words: String,
    tone: &'static str,
    why: Option<String>,
    is_live: bool,
    may_pause: bool,
    may_resume: bool,
    may_cancel: bool,
    numbers: Vec<(String, &'static str)>,
    bars: Vec<Bar>,
    left_out: Vec<(String, String)>,
    plan: Vec<(&'static str, String)>,
    note: Option<String>,
    started: String,
    ended: Option<String>,
    tabs: Vec<Tab>,
    held: Vec<Held>,
    held_next: Option<String>,
    held_count: String,
    people: Option<Table>,
}

/// A campaign with more people than this is not looked at anew by itself: counting them takes a while.
const LIVE_UP_TO: i64 = 50_000;

fn bars(told: &Told) -> Vec<Bar> {
    let share = |count: i64| {
        let (count, of) = (count.max(0), told.asked.max(1));
        u64::try_from(100 * count / of).unwrap_or(0).min(100)
    };
    let of = |name, number: i64| Bar {
        name,
        count: count(number),
        percent: share(number),
    };
    vec![
        of("asked", told.asked),
        of("mail accepted", told.accepted),
        of("confirmed", told.confirmed),
        of("declined", told.declined),
        of("did not answer", told.unanswered),
        of("mail failed", told.failed),
    ]
}

/// What was declared of a campaign, in words.
pub fn plan_words(plan: &Plan, import: Option<&str>) -> Vec<(&'static str, String)> {
    let mut words = vec![
        ("Kind", kind_words(plan.kind).to_owned()),
        ("Purpose", plan.purpose.to_string()),
        ("Form", plan.form.to_string()),
    ];
    let mut add = |name, text: Option<String>| words.extend(text.map(|text| (name, text)));
    add(
        "Only of the import",
        plan.import
            .map(|id| import.map_or(id.to_string(), str::to_owned)),
    );
    add(
        "Only by time",
        plan.due
            .map(|terms| format!("people who confirmed: {}", terms.words())),
    );
    add("Old brand", plan.old_brand.clone());
    add(
        "Rate",
        Some(match plan.an_hour {
            0 => "no limit".to_owned(),
            rate => format!("{rate} mails an hour"),
        }),
    );
    let days: Vec<String> = plan.warm_up.iter().map(u32::to_string).collect();
    add(
        "First days",
        (!days.is_empty()).then(|| format!("{} mails", days.join(", "))),
    );
    add(
        "Hours",
        plan.hours
            .map(|(from, to)| format!("from {from} to {to} o'clock, in the brand's time zone")),
    );
    add(
        "Time to answer",
        Some(format!("{} days", plan.answer_within_days)),
    );
    add(
        "Reminder",
        plan.remind_after_days
            .map(|days| format!("one, after {days} days")),
    );
    add(
        "Unanswered",
        plan.lapse_unanswered_at.map(|at| match plan.due {
            Some(_) => format!("explicit consent ends on {}", at.to_the_minute()),
            None => format!("implicit consent ends on {}", at.to_the_minute()),
        }),
    );
    add(
        "Stops",
        Some(format!(
            "when {} of a hundred mails fail",
            plan.stop_at_failed_percent
        )),
    );
    words
}

fn person(one: Person) -> Vec<Cell> {
    let state = |text: Option<String>| {
        text.map_or(Cell::None, |text| {
            let tone = tone(&text);
            Cell::State(text, tone)
        })
    };
    vec![
        Cell::Text(one.address),
        Cell::Text(one.state.replace('_', " ")),
        Cell::Text(one.why.as_deref().map_or("", why_words).to_owned()),
        state(one.mail),
        state(one.answer),
        Cell::time(one.asked_at),
        Cell::time(one.reminded_at),
    ]
}

/// `GET /admin/campaigns/{brand}/{id}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    (done, asked, wanted): (Query<Done>, Query<Asked>, Query<Wanted>),
) -> HttpResponse {
    let Some((brand, id)) = brand_and_id(&shared, &operator, (&path.0, &path.1)) else {
        return not_found(&shared, &operator, "This campaign");
    };
    let id = CampaignId(id);
    if asked.is_csv() {
        return csv(&request, &shared, &operator, &brand, id).await;
    }
    let what = (StatusCode::OK, done.done.as_deref(), None);
    page(
        &request,
        &shared,
        &operator,
        (&brand, id),
        (&asked, &wanted),
        what,
    )
    .await
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, id): (&Brand, CampaignId),
    (asked, wanted): (&Asked, &Wanted),
    (status, done, problem): (StatusCode, Option<&str>, Option<String>),
) -> HttpResponse {
    let chosen = wanted
        .state
        .as_deref()
        .filter(|state| STATES.iter().any(|one| one.0 == *state));
    let found = async {
        let Some(told) = shared.app.tell_campaign_of(brand.id, id).await? else {
            return Ok(None);
        };
        let after = asked.after.as_deref();
        let people = shared
            .app
            .campaign_people(brand.id, id, chosen, after, PAGE)
            .await?;
        let import = match told.plan.import {
            Some(import) => shared
                .app
                .tell_import(brand.id, import)
                .await?
                .map(|told| told.name),
            None => None,
        };
        Ok(Some((told, people, import)))
    };
    let (told, people, import) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return not_found(shared, operator, "This campaign"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let now = shared.app.clock.now();
    let here = format!("/admin/campaigns/{}/{id}", brand.declared.slug);
    let frame = Frame::new(shared, operator, &told.name)
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns")
        .noticing(done, &DONE)
        .failing(problem);
    let may_release = frame.may_change() && !matches!(told.state.as_str(), "cancelled" | "done");
    let by_release = chosen == Some("held") && may_release;
    let of_state = chosen.map_or_else(|| here.clone(), |state| format!("{here}?state={state}"));
    let tab = |name, state: Option<&str>| Tab {
        name,
        path: state.map_or_else(
            || format!("{here}#people"),
            |state| format!("{here}?state={state}#people"),
        ),
        here: chosen == state,
    };
    let mut tabs = vec![tab("everybody", None)];
    tabs.extend(STATES.iter().map(|(state, name)| tab(*name, Some(*state))));
    let next = people.next.as_deref();
    let held_next = next
        .filter(|_| by_release)
        .map(|next| format!("{of_state}&after={next}#people"));
    let (mut held, mut table) = (Vec::new(), None);
    if by_release {
        held.extend(people.people.into_iter().map(|one| Held {
            id: one.contact.to_string(),
            address: one.address,
            rule: one.why.unwrap_or_default(),
        }));
    } else {
        let rows = Rows {
            caption: "People".to_owned(),
            columns: vec![
                ("Address", false),
                ("State", false),
                ("Why", false),
                ("Mail", false),
                ("Answer", false),
                ("Asked", false),
                ("Reminded", false),
            ],
            rows: people.people.into_iter().map(person).collect(),
            empty: match (chosen, told.state.as_str()) {
                (None, "enrolling") => "The contacts are being looked through.".to_owned(),
                (None, _) => "The brand has nobody for this purpose.".to_owned(),
                (Some(_), _) => "Nobody.".to_owned(),
            },
        };
        let mut people = rows.paged(asked, &of_state, now, next, frame.may_take());
        people.csv = people.csv.map(|_| format!("{here}?format=csv"));
        table = Some(people);
    }
    let state = told.state.as_str();
    let total = told.asked + told.waiting + told.held;
    let page = CampaignPage {
        brand: brand.declared.name.clone(),
        name: told.name.clone(),
        words: state_words(state).to_owned(),
        tone: tone(state),
        is_live: matches!(state, "enrolling" | "running") && total <= LIVE_UP_TO,
        may_pause: state == "running",
        may_resume: matches!(state, "paused" | "stopped"),
        may_cancel: !matches!(state, "cancelled" | "done"),
        numbers: vec![
            (count(told.waiting), "wait to be asked"),
            (count(told.held), "held: only a person may ask them"),
            (count(told.asked), "were asked"),
            (count(told.confirmed), "confirmed"),
            (count(told.left_out.values().sum()), "left out"),
        ],
        bars: bars(&told),
        left_out: told
            .left_out
            .iter()
            .map(|(why, number)| (why_words(why).to_owned(), count(*number)))
            .collect(),
        plan: plan_words(&told.plan, import.as_deref()),
        note: told.plan.note.clone(),
        started: told.started_at.to_the_minute(),
        ended: told.ended_at.map(|at| at.to_the_minute()),
        why: told.why.clone(),
        state: told.state.clone(),
        held_count: count(told.held),
        held,
        held_next,
        people: table,
        tabs,
        path: here,
        frame,
    };
    render(status, &page)
}

const HEADER: [&str; 7] = [
    "address",
    "state",
    "reason",
    "mail",
    "answer",
    "asked_at",
    "reminded_at",
];
/// People that are read for a file at once.
const PEOPLE: usize = 500;

/// All people of a campaign as a file, read while it is sent.
async fn csv(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    brand: &Brand,
    id: CampaignId,
) -> HttpResponse {
    if !operator.may(crate::domain::operator::Need::Take) {
        return may_not_take(shared, operator);
    }
    let Some(acting) = acting(request, shared) else {
        return see("/admin/sign-in");
    };
    let found = async {
        let told = shared.app.tell_campaign_of(brand.id, id).await?;
        if let Some(told) = &told {
            let on = Some(format!("the people of the campaign {}", told.name));
            shared.app.acted(&acting, Deed::ListTaken, on).await?;
        }
        Ok(told)
    };
    let told = match found.await {
        Ok(Some(told)) => told,
        Ok(None) => return not_found(shared, operator, "This campaign"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let (app, brand) = (shared.app.clone(), brand.id);
    // Where the next piece begins; none behind the last one.
    let begin = Some(None::<String>);
    let head = stream::once(async { Ok(Bytes::from(export::line(HEADER))) });
    let pieces = stream::unfold(begin, move |after| {
        let app = app.clone();
        async move {
            let after = after?;
            let page = app
                .campaign_people(brand, id, None, after.as_deref(), PEOPLE)
                .await;
            Some(match page {
                Ok(page) => {
                    let text: String = page.people.iter().map(line).collect();
                    (Ok(Bytes::from(text)), page.next.map(Some))
                }
                Err(problem) => (Err(std::io::Error::other(problem.to_string())), None),
            })
        }
    });
    use futures_util::StreamExt;
    attachment(&format!("campaign-{}", told.name)).streaming(head.chain(pieces))
}

fn line(one: &Person) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let instant = |at: Option<crate::domain::time::Timestamp>| {
        at.map_or_else(String::new, |at| at.to_string())
    };
    export::line([
        &one.address,
        &one.state,
        &text(&one.why),
        &text(&one.mail),
        &text(&one.answer),
        &instant(one.asked_at),
        &instant(one.reminded_at),
    ])
}

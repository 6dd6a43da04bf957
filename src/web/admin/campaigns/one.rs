//! `/admin/campaigns/{brand}/{id}`: how far a campaign is, and whom it asked.

use std::cell::RefCell;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::people::{self, COLUMNS, person};
use super::{DONE, plan_words, state_words, why_words};
use crate::app::campaign::{Person, Told, place};
use crate::domain::brand::Brand;
use crate::domain::ids::CampaignId;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::admin::frame::{Done, Frame};
use crate::web::admin::jobs::{brand_and_id, count, tone};
use crate::web::admin::not_found;
use crate::web::admin::table::{
    self, Asked, Choice, Choosing, Order, PAGE, Paging, Rows, Table, Wanted as Sieve, Wrong,
};
use crate::web::error;
use crate::web::page::render;

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
    /// Some did not answer, and may be gone by their term.
    counts_gone: bool,
    held: Vec<Held>,
    held_next: Option<String>,
    /// The other order of the people who are held, and whether they come from the end.
    held_order: String,
    held_is_down: bool,
    held_csv: Option<String>,
    /// By which rule they are held, as it can be chosen; what is chosen, as it goes on in addresses; and the order to keep.
    held_choices: Vec<Choosing>,
    held_filters: String,
    held_sort: String,
    /// How many were looked through, where that ended the page before it was full.
    held_looked: Option<usize>,
    held_count: String,
    people: Option<Table>,
}

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
        of("left instead", told.left),
        of("did not answer", told.unanswered),
        of("mail failed", told.failed),
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

pub(super) async fn page(
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
    if wanted.state.is_some() && chosen.is_none() {
        let column = Choice::of("State", &STATES.map(|state| state.0));
        let wrong = asked.chosen(&column).err().unwrap_or(Wrong::After);
        return table::refuse(shared, operator, &wrong);
    }
    let unasked = people::order_of(chosen);
    let sorts = [unasked.by];
    let read = || {
        let order = asked.order(&sorts)?.unwrap_or(unasked);
        let sieve = Sieve::of(asked, &COLUMNS, people::choices(chosen), false)?;
        Ok::<_, Wrong>((order, sieve))
    };
    let (order, sieve) = match read() {
        Ok(read) => read,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let is_place = |after: &str| match chosen {
        None => Uuid::parse_str(after).is_ok(),
        Some(_) => place(after).is_some(),
    };
    if !asked.after.as_deref().is_none_or(is_place) {
        return table::refuse(shared, operator, &Wrong::After);
    }
    if asked.is_csv() {
        let what = (brand, id, chosen);
        return people::csv(request, shared, operator, what, (order.down, sieve)).await;
    }
    let found = async {
        let Some(told) = shared.app.tell_campaign_of(brand.id, id).await? else {
            return Ok(None);
        };
        let held = RefCell::new(Vec::new());
        let row = |one: Person| {
            held.borrow_mut().push(Held {
                id: one.contact.to_string(),
                address: one.address.clone(),
                rule: one.why.clone().unwrap_or_default(),
            });
            person(one)
        };
        let (what, at) = ((brand.id, id, chosen), (asked.after.clone(), PAGE));
        let people = people::sifted(&shared.app, what, (order.down, &sieve), at, row).await?;
        let people = (people, held.into_inner());
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
    let (told, (people, shown), import) = match found.await {
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
    // Also in one that is done: a release sets it going again.
    let may_release = frame.may_change() && told.state != "cancelled";
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
    let held_looked = people.looked.filter(|_| by_release);
    let filters: String = sieve
        .pairs("")
        .iter()
        .map(|(name, value)| format!("&{name}={value}"))
        .collect();
    let held_next = people.next.as_deref().filter(|_| by_release);
    let held_next = held_next.map(|next| {
        format!(
            "{of_state}{filters}&sort={}&after={next}#people",
            order.written()
        )
    });
    let (mut held, mut table) = (Vec::new(), None);
    let csv = frame
        .may_take()
        .then(|| format!("{of_state}{filters}&sort={}&format=csv", order.written()));
    if by_release {
        held = shown;
    } else {
        let rows = Rows {
            caption: "People".to_owned(),
            columns: COLUMNS.to_vec(),
            rows: Vec::new(),
            empty: match (chosen, told.state.as_str()) {
                (None, "enrolling") => "The contacts are being looked through.".to_owned(),
                (None, _) => "The brand has nobody for this purpose.".to_owned(),
                (Some(_), _) => "Nobody.".to_owned(),
            },
        };
        let paging = Paging {
            asked,
            path: &of_state,
            now,
            sorts: &sorts,
            order,
            wanted: &sieve,
            may_take: frame.may_take(),
        };
        table = Some(rows.paged(&paging, people));
    }
    let state = told.state.as_str();
    let page = CampaignPage {
        counts_gone: told.unanswered > 0 && matches!(chosen, None | Some("unanswered")),
        brand: brand.declared.name.clone(),
        name: told.name.clone(),
        words: state_words(state).to_owned(),
        tone: tone(state),
        is_live: matches!(state, "enrolling" | "running"),
        may_pause: matches!(state, "enrolling" | "running"),
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
        held_order: Order {
            down: !order.down,
            ..order
        }
        .written(),
        held_is_down: order.down,
        held_csv: csv.filter(|_| by_release),
        held_choices: sieve.choosing(""),
        held_filters: filters,
        held_sort: order.written(),
        held_looked,
        people: table,
        tabs,
        path: here,
        frame,
    };
    render(status, &page)
}

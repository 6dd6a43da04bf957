//! `/admin/contacts`: finding people, by address or id. An address never stands in a URL: the search is a post.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::brands::{Choice as BrandChoice, brand_of, brands_of, choices};
use super::frame::Frame;
use super::table::sift::{cut, sift};
use super::table::{
    self, Asked, Cell, Choice, Order, PAGE, Paging, Rows, Sifted, Table, Wanted, Wrong,
};
use super::{acting, see};
use crate::app::App;
use crate::app::find::Listed;
use crate::domain::brand::{Brand, LANGUAGES, Slug};
use crate::domain::operator::{Deed, Operator};
use crate::domain::standing::State;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const TEXT_AT_MOST: usize = 320;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    brand: Option<String>,
    done: Option<String>,
}

/// What contacts are sorted by, each with an index of the database behind it, and how they come unasked.
const SORTS: [&str; 2] = ["Address", "Known since"];
const NEWEST: Order = Order::down("Known since");
const COLUMNS: [(&str, bool); 4] = [
    ("Address", false),
    ("Stands", false),
    ("Language", false),
    ("Known since", false),
];
/// Where contacts may stand for a purpose.
const STATES: [&str; 7] = [
    "pending",
    "implicit",
    "explicit",
    "lapsed",
    "declined",
    "withdrawn",
    "corrected",
];
const NO_BRAND: &str = "There is no brand yet. Make one under Settings, or declare it with its purposes and a form in a file and \
    run countersign apply FILE; contacts come with the first signup or import.";

const DONE: [(&str, &str); 2] = [
    (
        "erased",
        "The person is erased. The log stays whole, and says only that it was done. Reports of the brand’s imports went with it.",
    ),
    (
        "erased-lists",
        "The person is erased. The log stays whole, and says only that it was done. Reports of the brand’s imports went with it. Lists \
         that wait to be taken in are not searched: each goes a day after it was brought. Of one that is being taken in there is a \
         report afterwards, for 7 days or until the next erasure.",
    ),
];

#[derive(Template)]
#[template(path = "admin/contacts.html")]
struct ContactsPage {
    frame: Frame,
    brands: Vec<BrandChoice>,
    brand: String,
    text: String,
    /// Whether this shows what a search found.
    searched: bool,
    /// How the list is sorted and filtered, for the form that takes it along.
    order: String,
    filters: Vec<(&'static str, String)>,
    table: Table,
    /// The address behind which a search goes on.
    more: Option<String>,
}

/// A state as a word with its tone, as it is at an instant.
pub fn state_of(state: State) -> (&'static str, &'static str) {
    let tone = match state {
        State::Explicit => "good",
        State::Implicit | State::Pending => "wait",
        State::Declined | State::Withdrawn => "bad",
        _ => "plain",
    };
    (state.as_str(), tone)
}

fn standing_cell(contact: &Listed, now: Timestamp) -> Cell {
    let states: Vec<(String, State)> = contact
        .standings
        .iter()
        .map(|(purpose, standing)| (purpose.to_string(), standing.as_of(now).state))
        .collect();
    let tone = match states.as_slice() {
        [] => "plain",
        [(_, first), rest @ ..] if rest.iter().all(|one| one.1 == *first) => state_of(*first).1,
        _ => "plain",
    };
    let words: Vec<String> = states
        .iter()
        .map(|(purpose, state)| format!("{purpose}: {}", state.as_str()))
        .collect();
    if words.is_empty() {
        Cell::None
    } else {
        Cell::State(words.join(", "), tone)
    }
}

fn rows(brand: &Brand, found: &[Listed], now: Timestamp, caption: &str, empty: &str) -> Rows {
    Rows {
        caption: caption.to_owned(),
        columns: COLUMNS.to_vec(),
        rows: found.iter().map(|one| row(brand, one, now)).collect(),
        empty: empty.to_owned(),
    }
}

fn row(brand: &Brand, contact: &Listed, now: Timestamp) -> Vec<Cell> {
    let path = format!("/admin/contacts/{}/{}", brand.declared.slug, contact.id);
    vec![
        Cell::link(contact.address.clone(), path),
        standing_cell(contact, now),
        Cell::text(contact.language.clone()),
        Cell::Time(contact.created_at),
    ]
}

/// Which contacts are wanted, and in which order. No text is looked for here: it would be an address in an address.
fn wanted(asked: &Asked) -> Result<(Order, Wanted), Wrong> {
    let order = asked.order(&SORTS)?.unwrap_or(NEWEST);
    let choices = vec![
        Choice::of("Stands", &STATES),
        Choice::of("Language", &LANGUAGES),
    ];
    Ok((order, Wanted::of(asked, &COLUMNS, choices, false)?))
}

/// Why there is no page of contacts.
enum NoPage {
    Wrong(Wrong),
    Store(StoreError),
}

/// Contacts of a brand as they are wanted, behind one of them.
async fn sifted(
    app: &App,
    brand: &Brand,
    (order, wanted): (Order, &Wanted),
    (after, limit): (Option<Uuid>, usize),
    row: impl Fn(Listed) -> Option<Vec<Cell>>,
) -> Result<Sifted<Uuid>, NoPage> {
    let mut is_gone = false;
    let by_address = order.by == "Address";
    let read = async |after: Option<Uuid>, count: usize| {
        let more = i64::try_from(count + 1).unwrap_or(i64::MAX);
        let behind = (after, order.down);
        let found = app.contacts_in_order(brand.id, by_address, behind, more);
        let found = found.await?.unwrap_or_else(|| {
            is_gone = true;
            Vec::new()
        });
        Ok(cut(
            found.into_iter().map(|one| (one.id.0, one)).collect(),
            count,
        ))
    };
    let found = sift(limit, after, wanted, read, row);
    let found = found.await.map_err(NoPage::Store)?;
    if is_gone {
        return Err(NoPage::Wrong(Wrong::After));
    }
    Ok(found)
}

/// `GET /admin/contacts`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (which, asked): (Query<Which>, Query<Asked>),
) -> HttpResponse {
    let brands = brands_of(&shared, &operator);
    let (choices, chosen) = choices(&brands, which.brand.as_deref());
    let now = shared.app.clock.now();
    let (order, wanted) = match wanted(&asked) {
        Ok(wanted) => wanted,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    let after = asked.after.as_deref().map(Uuid::parse_str);
    let Ok(after) = after.transpose() else {
        return table::refuse(&shared, &operator, &Wrong::After);
    };
    let frame = Frame::new(&shared, &operator, "Contacts")
        .at("/admin/contacts")
        .noticing(which.done.as_deref(), &DONE);
    let Some(brand) = chosen else {
        let none = Rows {
            caption: "Contacts".to_owned(),
            columns: Vec::new(),
            rows: Vec::new(),
            empty: NO_BRAND.to_owned(),
        };
        let page = ContactsPage {
            frame,
            brands: choices,
            brand: String::new(),
            text: String::new(),
            searched: false,
            order: String::new(),
            filters: Vec::new(),
            table: none.fixed(now),
            more: None,
        };
        return render(StatusCode::OK, &page);
    };
    let shown = |one: Listed| wanted.pick(row(&brand, &one, now));
    let found = sifted(&shared.app, &brand, (order, &wanted), (after, PAGE), shown);
    let found = match found.await {
        Ok(found) => found.written(|next| next.to_string()),
        Err(problem) => return refused(&request, &shared, &operator, problem),
    };
    let empty = "Nobody yet. People come by a form (Forms shows how to embed it), by an import, or over the API.";
    let slug = brand.declared.slug.to_string();
    let path = format!("/admin/contacts?brand={slug}");
    let paging = Paging {
        asked: &asked,
        path: &path,
        now,
        sorts: &SORTS,
        order,
        wanted: &wanted,
        may_take: false,
    };
    let page = ContactsPage {
        frame,
        brands: choices,
        brand: slug,
        text: String::new(),
        searched: false,
        order: order.written(),
        filters: filters(&wanted),
        table: rows(&brand, &[], now, "Contacts", empty).paged(&paging, found),
        more: None,
    };
    render(StatusCode::OK, &page)
}

/// What is chosen, for the form that takes the list along.
fn filters(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let of = |column, name| Some((name, wanted.chosen(column)?.to_owned()));
    let both = [of("Stands", "stands"), of("Language", "language")];
    both.into_iter().flatten().collect()
}

fn refused(
    request: &HttpRequest,
    shared: &Web,
    operator: &Operator,
    problem: NoPage,
) -> HttpResponse {
    match problem {
        NoPage::Wrong(wrong) => table::refuse(shared, operator, &wrong),
        NoPage::Store(problem) => error::store_failure(request, shared, &problem),
    }
}

/// `POST /admin/contacts`: what a search finds. Changes nothing.
pub async fn search(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let brands = brands_of(&shared, &operator);
    let (choices, chosen) = choices(&brands, fields.one("brand"));
    let Some(brand) = chosen else {
        return see("/admin/contacts");
    };
    let text: String = fields.raw("q").trim().chars().take(TEXT_AT_MOST).collect();
    if text.is_empty() {
        return see(&format!("/admin/contacts?brand={}", brand.declared.slug));
    }
    let after = fields.raw("after");
    let (found, more) = match shared.app.find_contacts(brand.id, &text, after).await {
        Ok(found) => found,
        Err(problem) => return error::store_failure(&request, &shared, &problem),
    };
    if let ([one], true, None) = (found.as_slice(), after.is_empty(), &more) {
        return see(&format!(
            "/admin/contacts/{}/{}",
            brand.declared.slug, one.id
        ));
    }
    let now = shared.app.clock.now();
    let empty = format!(
        "{} knows no address that begins so, and no contact or request of this id.",
        brand.declared.name
    );
    let table = rows(&brand, &found, now, "Found", &empty).fixed(now);
    render(
        StatusCode::OK,
        &ContactsPage {
            frame: Frame::new(&shared, &operator, "Contacts").at("/admin/contacts"),
            brands: choices,
            brand: brand.declared.slug.to_string(),
            text,
            searched: true,
            order: String::new(),
            filters: Vec::new(),
            table,
            more,
        },
    )
}

/// `POST /admin/contacts/list`: the contacts of a brand as CSV, sorted and filtered as the page was, a thousand at a time out of
/// the database.
pub async fn take_list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let brand = brand_of(&shared, &operator, fields.raw("brand"));
    let (Some(brand), Some(acting)) = (brand, acting(&request, &shared)) else {
        return see("/admin/contacts");
    };
    let chosen = ["stands", "language"].into_iter();
    let asked = Asked {
        sort: fields.one("sort").map(ToOwned::to_owned),
        rest: chosen
            .filter_map(|name| Some((name.to_owned(), fields.one(name)?.to_owned())))
            .collect(),
        ..Asked::default()
    };
    let (order, wanted) = match wanted(&asked) {
        Ok(wanted) => wanted,
        Err(wrong) => return table::refuse(&shared, &operator, &wrong),
    };
    let on = format!("contacts of brand {}", brand.declared.slug);
    if let Err(problem) = shared.app.acted(&acting, Deed::ListTaken, Some(on)).await {
        return error::store_failure(&request, &shared, &problem);
    }
    let name = format!("contacts-{}", brand.declared.slug);
    let purposes = brand.declared.purposes.iter();
    let purposes: Vec<_> = purposes.map(|purpose| purpose.slug.clone()).collect();
    let mut head: Vec<String> = ["id", "address", "language", "known_since"]
        .map(str::to_owned)
        .into();
    head.extend(purposes.iter().map(ToString::to_string));
    let app = shared.app.clone();
    let wanted = Arc::new((wanted, purposes));
    table::stream(&name, head, move |after, limit| {
        let (app, brand, wanted) = (app.clone(), brand.clone(), wanted.clone());
        async move {
            let (wanted, purposes) = &*wanted;
            let now = app.clock.now();
            let line = |one: Listed| {
                wanted
                    .keeps(&row(&brand, &one, now))
                    .then(|| taken(&one, purposes, now))
            };
            let found = sifted(&app, &brand, (order, wanted), (after, limit), line);
            found.await.map_err(|problem| match problem {
                // Somebody was erased just where the next piece would begin: the file breaks off, and is taken again.
                NoPage::Wrong(_) => StoreError::Corrupt("a contact that is gone"),
                NoPage::Store(problem) => problem,
            })
        }
    })
}

/// A contact as a file has it.
fn taken(one: &Listed, purposes: &[Slug], now: Timestamp) -> Vec<Cell> {
    let own = [
        one.id.to_string(),
        one.address.clone(),
        one.language.clone(),
        one.created_at.to_string(),
    ];
    let states = purposes.iter().map(|purpose| {
        let standing = one.standings.get(purpose);
        let state = standing.map(|standing| standing.as_of(now).state.as_str());
        state.unwrap_or_default().to_owned()
    });
    own.into_iter().chain(states).map(Cell::Text).collect()
}

//! `/admin/contacts`: finding people, by address or id. An address never stands in a URL: the search is a post.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::brands::{Choice, brand_of, brands_of, choices};
use super::frame::Frame;
use super::table::{Asked, Cell, Rows, Table};
use super::{acting, see};
use crate::app::find::Listed;
use crate::domain::brand::Brand;
use crate::domain::operator::{Deed, Operator};
use crate::domain::standing::State;
use crate::domain::time::Timestamp;
use crate::intake::export;
use crate::web::Web;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

const TEXT_AT_MOST: usize = 320;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    brand: Option<String>,
    after: Option<Uuid>,
    done: Option<String>,
}

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
    brands: Vec<Choice>,
    brand: String,
    text: String,
    /// Whether this shows what a search found.
    searched: bool,
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
        columns: vec![
            ("Address", false),
            ("Stands", false),
            ("Language", false),
            ("Known since", false),
        ],
        rows: found
            .iter()
            .map(|contact| {
                let path = format!("/admin/contacts/{}/{}", brand.declared.slug, contact.id);
                vec![
                    Cell::link(contact.address.clone(), path),
                    standing_cell(contact, now),
                    Cell::text(contact.language.clone()),
                    Cell::Time(contact.created_at),
                ]
            })
            .collect(),
        empty: empty.to_owned(),
    }
}

/// `GET /admin/contacts`
pub async fn list(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    which: Query<Which>,
) -> HttpResponse {
    let brands = brands_of(&shared, &operator);
    let (choices, chosen) = choices(&brands, which.brand.as_deref());
    let now = shared.app.clock.now();
    let (found, next) = match &chosen {
        Some(brand) => match shared.app.newest_contacts(brand.id, which.after).await {
            Ok(found) => found,
            Err(problem) => return error::store_failure(&request, &shared, &problem),
        },
        None => (Vec::new(), None),
    };
    let slug = chosen
        .as_ref()
        .map_or_else(String::new, |brand| brand.declared.slug.to_string());
    let rows = chosen.as_ref().map_or_else(
        || Rows {
            caption: "Contacts".to_owned(),
            columns: Vec::new(),
            rows: Vec::new(),
            empty: "There is no brand yet. Declare one with its purposes and a form in a file, and run countersign apply FILE; contacts come with the first signup or import.".to_owned(),
        },
        |brand| {
            let empty = "Nobody yet. People come by a form (Forms shows how to embed it), by an import, or over the API.";
            rows(brand, &found, now, "Newest contacts", empty)
        },
    );
    let asked = Asked {
        after: which.after.map(|after| after.to_string()),
        ..Asked::default()
    };
    let path = format!("/admin/contacts?brand={slug}");
    let next = next.map(|next| next.to_string());
    let table = rows.paged(&asked, &path, now, next.as_deref(), false);
    render(
        StatusCode::OK,
        &ContactsPage {
            frame: Frame::new(&shared, &operator, "Contacts")
                .at("/admin/contacts")
                .noticing(which.done.as_deref(), &DONE),
            brands: choices,
            brand: slug,
            text: String::new(),
            searched: false,
            table,
            more: None,
        },
    )
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
    let table = rows(&brand, &found, now, "Found", &empty).paged(
        &Asked::default(),
        "/admin/contacts",
        now,
        None,
        false,
    );
    render(
        StatusCode::OK,
        &ContactsPage {
            frame: Frame::new(&shared, &operator, "Contacts").at("/admin/contacts"),
            brands: choices,
            brand: brand.declared.slug.to_string(),
            text,
            searched: true,
            table,
            more,
        },
    )
}

/// `POST /admin/contacts/list`: all contacts of a brand as CSV, a thousand at a time out of the database.
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
    let on = format!("contacts of brand {}", brand.declared.slug);
    if let Err(problem) = shared.app.acted(&acting, Deed::ListTaken, Some(on)).await {
        return error::store_failure(&request, &shared, &problem);
    }
    let name = format!("contacts-{}", brand.declared.slug);
    let purposes: Vec<_> = brand
        .declared
        .purposes
        .iter()
        .map(|purpose| purpose.slug.clone())
        .collect();
    let mut head = vec!["id".to_owned(), "address".to_owned()];
    head.extend(["language".to_owned(), "known_since".to_owned()]);
    head.extend(purposes.iter().map(ToString::to_string));
    let head = export::cells(head.into_iter());
    let app = shared.app.clone();
    let begin = (Some(Uuid::nil()), Some(head));
    let lines = futures_util::stream::try_unfold(begin, move |(after, head)| {
        let (app, brand, purposes) = (app.clone(), brand.id, purposes.clone());
        async move {
            if let Some(head) = head {
                return Ok(Some((Bytes::from(head), (after, None))));
            }
            let Some(after) = after else {
                return Ok(None);
            };
            let found = app.contacts_to_take(brand, after).await?;
            let Some(last) = found.last().map(|contact| contact.id.0) else {
                return Ok(None);
            };
            let now = app.clock.now();
            let text: String = found
                .iter()
                .map(|contact| {
                    let own = [
                        contact.id.to_string(),
                        contact.address.clone(),
                        contact.language.clone(),
                        contact.created_at.to_string(),
                    ];
                    let states = purposes.iter().map(|purpose| {
                        let standing = contact.standings.get(purpose);
                        standing.map_or_else(String::new, |standing| {
                            standing.as_of(now).state.as_str().to_owned()
                        })
                    });
                    export::cells(own.into_iter().chain(states))
                })
                .collect();
            Ok::<_, crate::store::StoreError>(Some((Bytes::from(text), (Some(last), None))))
        }
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ))
        .streaming(lines)
}

//! `/a/{token}`: the mail's second, ordinary link. It explains the mail, and tells scanners, which open every link, from
//! people, who do not.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::confirm::{find, record_hit};
use super::opened;
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::event::Link;
use crate::domain::token::Purpose;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::page::{Page, framed, shown};

framed!(AboutPage);

#[derive(Template)]
#[template(path = "public/about.html")]
struct AboutPage {
    page: Page,
    t: Texts,
    /// For the decline form: the token of the mail's own link.
    token: String,
    opened: String,
    masked: String,
    asked_on: String,
    asked_from: Option<String>,
    expires_on: String,
    by_campaign: bool,
    /// The brand may write before anybody answered.
    writes_at_once: bool,
}

/// `GET /a/{token}`, and HEAD. The link's time may be over: what it says of the mail stays true, and "this was not me" is taken.
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::About, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    record_hit(&request, &shared, &found, Link::About).await;
    let row = &found.view.request;
    let address = EmailAddress::parse(
        &found.view.contact.address,
        &AddressRules { any_domain: true },
    );
    let page = AboutPage {
        page: Page::of(&shared, &found.known.brand, found.t),
        t: found.t,
        token: shared.app.keys.sign(
            Purpose::Confirm,
            found.known.brand.number,
            row.id.0,
            row.expires_at,
        ),
        opened: opened::now(&shared, &found.known.brand, found.known.request),
        masked: address.map_or_else(|_| String::new(), |address| address.masked()),
        asked_on: match row.entered_at {
            Some(at) => {
                let date = at.for_people(found.t.language());
                found.t.arg("about-when-tablet", "date", &date)
            }
            None => row.issued_at.for_people(found.t.language()),
        },
        asked_from: row.page_host.clone(),
        expires_on: row.expires_at.for_people(found.t.language()),
        by_campaign: found.by_campaign,
        writes_at_once: !found.known.brand.declared.hold_until_confirmed,
    };
    shown(StatusCode::OK, &page)
}

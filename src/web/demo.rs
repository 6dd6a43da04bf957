//! The demo's inbox: the mails that the SMTP server inside the demo's process caught.

pub mod authority;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use mail_parser::MessageParser;
use serde::Serialize;

use super::Web;
use super::page::{policy, respond};
use crate::domain::time::Timestamp;

/// Mails kept by the demo.
const KEPT: usize = 1_000;

/// One caught mail.
#[derive(Clone, Debug, Serialize)]
pub struct CaughtMail {
    pub to: String,
    pub subject: String,
    pub received_at: Timestamp,
    pub text: String,
    pub html: String,
    pub raw: String,
    pub links: Vec<String>,
}

/// The caught mails, newest first.
#[derive(Debug)]
pub struct Caught {
    mails: Mutex<VecDeque<CaughtMail>>,
    room: usize,
}

impl Default for Caught {
    fn default() -> Self {
        Self::with_room_for(KEPT)
    }
}

impl Caught {
    /// Keeps so many mails; the oldest go first.
    pub fn with_room_for(room: usize) -> Self {
        Self {
            mails: Mutex::new(VecDeque::new()),
            room,
        }
    }

    /// Keeps a mail as it came over the wire.
    pub fn keep(&self, to: &str, raw: &[u8], received_at: Timestamp) {
        let parsed = MessageParser::default().parse(raw);
        let part = |body: Option<std::borrow::Cow<'_, str>>| {
            body.map(|text| text.into_owned()).unwrap_or_default()
        };
        let text = part(parsed.as_ref().and_then(|mail| mail.body_text(0)));
        let mail = CaughtMail {
            to: to.to_owned(),
            subject: parsed
                .as_ref()
                .and_then(|mail| mail.subject())
                .unwrap_or_default()
                .to_owned(),
            received_at,
            html: part(parsed.as_ref().and_then(|mail| mail.body_html(0))),
            links: links_of(&text),
            text,
            raw: String::from_utf8_lossy(raw).into_owned(),
        };
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(mail);
        mails.truncate(self.room);
    }

    pub fn list(&self) -> Vec<CaughtMail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().cloned().collect()
    }
}

fn links_of(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for (at, _) in text.match_indices("http") {
        let rest = &text[at..];
        if !(rest.starts_with("http://") || rest.starts_with("https://")) {
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || "<>\")".contains(c))
            .unwrap_or(rest.len());
        let link = rest[..end].trim_end_matches(['.', ',']).to_owned();
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

pub struct DemoMail {
    index: usize,
    to: String,
    subject: String,
    received_at: String,
    text: String,
    html_url: String,
    raw_url: String,
    links: Vec<String>,
}

#[derive(Template)]
#[template(path = "demo/inbox.html")]
struct InboxPage {
    css: String,
    script: String,
    icon: String,
    form_urls: Vec<String>,
    mails: Vec<DemoMail>,
}

fn caught(shared: &Web) -> Vec<CaughtMail> {
    shared
        .demo
        .as_ref()
        .map(|demo| demo.list())
        .unwrap_or_default()
}

/// `GET /inbox`
pub async fn show(shared: web::Data<Web>) -> HttpResponse {
    let all = caught(&shared);
    let count = all.len();
    let mails = all
        .into_iter()
        .enumerate()
        .map(|(at, mail)| {
            // Counted from the oldest, so that a mail keeps its number when new ones come.
            let index = count - 1 - at;
            DemoMail {
                index,
                to: mail.to,
                subject: mail.subject,
                received_at: mail.received_at.for_people("en"),
                text: mail.text,
                html_url: format!("/inbox/{index}/html"),
                raw_url: format!("/inbox/{index}/raw"),
                links: mail.links,
            }
        })
        .collect();
    let catalog = shared.app.catalog();
    let form_urls = catalog
        .brands
        .iter()
        .flat_map(|brand| catalog.forms_of(brand.id))
        .map(|form| format!("/f/{}", form.declared.slug))
        .collect();
    respond(
        HttpResponse::build(StatusCode::OK),
        &InboxPage {
            css: shared.assets.demo_css.clone(),
            script: shared.assets.demo_js.clone(),
            icon: shared.assets.icon.clone(),
            form_urls,
            mails,
        },
    )
}

/// `GET /inbox.json`: newest first.
pub async fn list(shared: web::Data<Web>) -> HttpResponse {
    HttpResponse::Ok().json(caught(&shared))
}

fn one(shared: &Web, index: usize) -> Option<CaughtMail> {
    caught(shared).into_iter().rev().nth(index)
}

/// `GET /inbox/{index}/html`: the mail's own page, which may style itself and run nothing. Its links open on top.
pub async fn html(shared: web::Data<Web>, index: web::Path<usize>) -> HttpResponse {
    let Some(mail) = one(&shared, *index) else {
        return HttpResponse::NotFound().finish();
    };
    let own = policy(None, None, "'self'").replace("style-src 'self'", "style-src 'unsafe-inline'");
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            own.replace("script-src 'self'", "script-src 'none'"),
        ))
        .body(
            mail.html
                .replacen("<head>", "<head><base target=\"_blank\">", 1),
        )
}

/// `GET /inbox/{index}/raw`
pub async fn raw(shared: web::Data<Web>, index: web::Path<usize>) -> HttpResponse {
    match one(&shared, *index) {
        Some(mail) => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(mail.raw),
        None => HttpResponse::NotFound().finish(),
    }
}

//! A page that says one thing and offers one next step.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::confirm::Outcome;
use crate::domain::brand::Brand;
use crate::domain::form::Form;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::page::{Page, framed, shown};

framed!(Message);

/// How a message feels; always with an icon and words, never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Info,
    Done,
    Problem,
}

impl std::fmt::Display for Tone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Done => "done",
            Self::Problem => "problem",
        })
    }
}

/// The one next step: a link, or a button that posts.
#[derive(Clone, Debug)]
pub struct Action {
    pub url: String,
    pub posts: bool,
    pub label: String,
}

#[derive(Template)]
#[template(path = "public/message.html")]
pub struct Message {
    page: Page,
    t: Texts,
    title: String,
    text: String,
    tone: Tone,
    action: Option<Action>,
}

impl Message {
    pub const fn new(page: Page, t: Texts, title: String, text: String, tone: Tone) -> Self {
        Self {
            page,
            t,
            title,
            text,
            tone,
            action: None,
        }
    }

    pub fn with(mut self, action: Option<Action>) -> Self {
        self.action = action;
        self
    }
}

/// A message with the texts `{key}-title` and `{key}-text`, in the look of a brand, whose name and contact they may name.
pub fn of_brand(shared: &Web, brand: &Brand, t: Texts, key: &str, tone: Tone) -> Message {
    let name = &brand.declared.name;
    Message::new(
        Page::of(shared, brand, t),
        t,
        t.arg(&format!("{key}-title"), "brand", name),
        t.arg2(
            &format!("{key}-text"),
            "brand",
            name,
            "contact",
            &brand.declared.contact,
        ),
        tone,
    )
}

/// A link that no token of ours stands behind. It says no more than that.
pub fn broken_link(request: &HttpRequest, shared: &Web) -> HttpResponse {
    error::answer(request, shared, StatusCode::NOT_FOUND, "link-broken")
}

/// The page for an outcome that ends a request, other than a confirmation. Unless the person said no, the form is the way on.
pub fn ended(
    request: &HttpRequest,
    shared: &Web,
    (brand, form): (&Brand, Option<&Form>),
    t: Texts,
    outcome: Outcome,
) -> HttpResponse {
    let (key, tone) = match outcome {
        Outcome::Declined => ("declined", Tone::Done),
        Outcome::Replaced => ("link-replaced", Tone::Info),
        Outcome::Abandoned => ("link-corrected", Tone::Info),
        Outcome::Left => ("link-left", Tone::Info),
        Outcome::Expired => ("link-over", Tone::Info),
        Outcome::Bounced => ("link-bounced", Tone::Problem),
        _ => return broken_link(request, shared),
    };
    let action = form.filter(|_| outcome != Outcome::Declined);
    let page = of_brand(shared, brand, t, key, tone).with(action.map(|form| Action {
        url: format!("/f/{}", form.declared.slug),
        posts: false,
        label: t.get("inbox-closed-action"),
    }));
    let status = match outcome {
        Outcome::Expired => StatusCode::GONE,
        _ => StatusCode::OK,
    };
    shown(status, &page)
}

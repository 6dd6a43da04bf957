//! `GET /f/{form}/definition`: what the embedded form needs to draw itself.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::page::view;
use super::{HONEYPOT, Query, find, language_of};
use crate::domain::brand::{Accent, Brand};
use crate::domain::form::Form;
use crate::mail::compose::PurposeView;
use crate::texts::Texts;
use crate::web::{Web, cors, error};

/// The texts that `embed.js` shows.
const EMBED_TEXTS: &[&str] = &[
    "form-email-label",
    "form-name-label",
    "form-optional",
    "form-trap-label",
    "form-privacy",
    "form-proof-working",
    "form-sending",
    "form-failed",
    "inbox-title",
    "inbox-sent-to",
    "inbox-from",
    "inbox-webmail",
    "inbox-code-label",
    "inbox-code-button",
    "inbox-waiting",
    "inbox-nothing",
    "inbox-resend",
    "inbox-resend-wait",
    "inbox-sent-again",
    "inbox-wrong-address",
    "inbox-change-label",
    "inbox-change-button",
    "inbox-did-you-mean",
    "inbox-did-you-mean-yes",
    "inbox-confirmed-title",
    "inbox-continue",
    "inbox-closed-title",
    "inbox-closed-text",
    "inbox-closed-action",
    "done-text",
    "done-leave",
];

#[derive(Serialize)]
struct Definition {
    id: String,
    version: String,
    lang: String,
    dir: &'static str,
    title: String,
    intro: String,
    consent: String,
    button: String,
    asks_name: bool,
    proof_of_work: Option<String>,
    honeypot: &'static str,
    opened: String,
    purposes: Vec<DefinedPurpose>,
    brand: DefinedBrand,
    /// Where the button behind the confirmation leads.
    continue_url: Option<String>,
    accent: String,
    accent_ink: &'static str,
    texts: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct DefinedPurpose {
    slug: String,
    name: String,
    wording: String,
    choice: bool,
}

#[derive(Serialize)]
struct DefinedBrand {
    name: String,
    privacy_url: Option<String>,
    contact: String,
}

/// `GET /f/{form}/definition`
pub async fn definition(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let Some((brand, form)) = find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let language = language_of(&request, &form, query.lang.as_deref());
    let answer = HttpResponse::Ok().json(define(&shared, &brand, &form, language));
    cors::of_form(&request, &shared, &slug, answer)
}

fn define(shared: &Web, brand: &Brand, form: &Form, language: String) -> Definition {
    let t = Texts::of(&language);
    let view = view(shared, brand, form, &language);
    let accent = Accent::of(&brand.declared.accent);
    Definition {
        id: view.id,
        version: view.version,
        lang: language,
        dir: t.direction(),
        title: view.title,
        intro: view.intro,
        consent: view.consent,
        button: view.button,
        asks_name: view.asks_name,
        proof_of_work: view.proof_of_work,
        honeypot: HONEYPOT,
        opened: view.opened,
        purposes: view.purposes.into_iter().map(define_purpose).collect(),
        brand: DefinedBrand {
            name: brand.declared.name.clone(),
            privacy_url: brand.declared.privacy_url.clone(),
            contact: brand.declared.contact.clone(),
        },
        continue_url: form.declared.redirect_after_confirmation.clone(),
        accent_ink: accent.as_ref().map_or("#ffffff", |accent| accent.ink),
        accent: accent.map_or_else(|| "#1f5f8b".to_owned(), |accent| accent.colour),
        texts: EMBED_TEXTS.iter().map(|&key| (key, t.get(key))).collect(),
    }
}

fn define_purpose(purpose: PurposeView) -> DefinedPurpose {
    DefinedPurpose {
        slug: purpose.slug,
        name: purpose.name,
        wording: purpose.wording,
        choice: purpose.choice,
    }
}

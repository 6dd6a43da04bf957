//! `POST /api/v1/signups`: a program's own form starts a double opt-in here.

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::idempotent::once;
use super::key::{Key, SignupsWrite};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use crate::app::sign_up::Submission;
use crate::domain::event::PassedOn;
use crate::domain::ids::ApiKeyId;
use crate::domain::time::Timestamp;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::extract::client::circumstances;
use crate::web::public::form::{explain, problems_of};

/// Characters.
const WORDING_AT_MOST: usize = 8_000;
const TEXT_AT_MOST: usize = 400;
const PURPOSES_AT_MOST: usize = 50;

/// Who signed up, and what the program says of it. What it says is kept as its word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignupRequest {
    /// The form whose purposes, wording and mail it is for.
    #[schema(example = "newsletter")]
    form: String,
    #[schema(example = "ada@example.org", max_length = 320)]
    email: String,
    /// None: what the form is for.
    #[serde(default)]
    purpose: Vec<String>,
    name: Option<String>,
    /// The language of mail and pages; without it, the form's first.
    #[schema(example = "en")]
    lang: Option<String>,
    /// The URL of the page that the person was on.
    #[schema(example = "https://www.example.org/subscribe")]
    page: Option<String>,
    /// The person's address in the network. Without it the limits of the key hold in place of the person's.
    #[schema(example = "192.0.2.7")]
    ip: Option<String>,
    user_agent: Option<String>,
    /// What the person read before agreeing.
    #[schema(example = "Yes, send me the newsletter.", max_length = 8000)]
    wording: Option<String>,
    /// When the person entered it.
    #[schema(format = DateTime)]
    entered_at: Option<String>,
}

impl Input for SignupRequest {}

/// A signup that is on disk. The same for every address, whatever is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignupAnswer {
    /// The confirmation request.
    #[schema(format = "uuid")]
    request: String,
    /// Until when it can be confirmed.
    #[schema(format = DateTime)]
    expires_at: String,
    /// A page to lead the person to: it says what happens next, and takes the code.
    #[schema(format = "uri")]
    inbox: String,
}

/// Start a double opt-in.
///
/// The person gets the confirmation mail of the form, under the same limits as at the form itself. The answer does not tell
/// whether the address is known.
#[utoipa::path(post, path = "/api/v1/signups", operation_id = "createSignup", tag = "Signups",
    request_body = SignupRequest, security(("key" = ["signups:write"])),
    responses((status = 202, description = "The signup is on disk", body = SignupAnswer)))]
pub async fn create(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<SignupsWrite>,
    body: Body<SignupRequest>,
) -> Answer {
    let catalog = shared.app.catalog();
    let form = catalog.form(&body.value.form);
    let form = form.filter(|form| key.key.sees(form.brand)).cloned();
    let form = form.ok_or_else(|| ApiProblem::invalid("form", "There is no such form."))?;
    let email = body.value.email.clone();
    let given = submission(&request, &shared, key.key.id, body.value)?;
    let work = {
        let shared = shared.clone();
        async move {
            match shared.app.sign_up(&form, given).await {
                Ok(done) => {
                    let app = &shared.app;
                    let token = app.inbox_token(done.brand, done.request, done.expires_at);
                    let answer = SignupAnswer {
                        request: done.request.to_string(),
                        expires_at: done.expires_at.to_string(),
                        inbox: app.url(&format!("/i/{token}")),
                    };
                    Reply::json(StatusCode::ACCEPTED, &answer)
                }
                Err(refusal) => Err(match problems_of(&refusal) {
                    Some(problems) => {
                        ApiProblem::fields(explain(Texts::of("en"), &email, &problems))
                    }
                    None => ApiProblem::unavailable("The signup could not be written."),
                }),
            }
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

fn submission(
    request: &HttpRequest,
    shared: &Web,
    key: ApiKeyId,
    body: SignupRequest,
) -> Result<Submission, ApiProblem> {
    if body.purpose.len() > PURPOSES_AT_MOST {
        let detail = format!("At most {PURPOSES_AT_MOST} purposes.");
        return Err(ApiProblem::invalid("purpose", detail));
    }
    let mut from = circumstances(request, &shared.app.config.trusted_proxies);
    from.claimed_ip = body.ip.as_deref().map(address).transpose()?;
    from.claimed_user_agent = short("user_agent", body.user_agent, TEXT_AT_MOST)?;
    let entered_at = body.entered_at.as_deref().map(instant).transpose()?;
    let mut fields = vec!["email".to_owned()];
    let given = [
        ("purpose", !body.purpose.is_empty()),
        ("name", body.name.is_some()),
        ("lang", body.lang.is_some()),
    ];
    fields.extend(
        given
            .iter()
            .filter(|field| field.1)
            .map(|field| field.0.to_owned()),
    );
    Ok(Submission {
        email: body.email,
        name: short("name", body.name, TEXT_AT_MOST)?,
        purposes: body.purpose,
        language: body.lang.unwrap_or_default(),
        page: body.page,
        version: None,
        fields,
        bot: false,
        booth: None,
        passed_on: Some(PassedOn {
            key,
            wording: short("wording", body.wording, WORDING_AT_MOST)?,
            entered_at,
        }),
        corrects: None,
        circumstances: from,
    })
}

fn address(text: &str) -> Result<IpAddr, ApiProblem> {
    let read = text.parse::<IpAddr>().map(|ip| ip.to_canonical());
    read.map_err(|_| ApiProblem::invalid("ip", "It is no IP address."))
}

fn instant(text: &str) -> Result<Timestamp, ApiProblem> {
    Timestamp::parse(text)
        .ok_or_else(|| ApiProblem::invalid("entered_at", "Write a time like 2026-11-23T17:00:00Z."))
}

fn short(field: &str, text: Option<String>, at_most: usize) -> Result<Option<String>, ApiProblem> {
    match text {
        Some(text) if text.chars().count() > at_most => {
            let detail = format!("At most {at_most} characters.");
            Err(ApiProblem::invalid(field, detail))
        }
        other => Ok(other.filter(|text| !text.trim().is_empty())),
    }
}

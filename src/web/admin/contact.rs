//! `/admin/contacts/{brand}/{contact}`: one person's story, and what can be done on request.

pub mod act;
pub mod add;
mod standing;

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::as_sent::{Whole, may_have_whole};
use super::brands::brand_of;
use super::frame::Frame;
use super::table::{self, Asked, Table, Wrong, relative};
use super::{acting, not_found, say};
use crate::app::acted::Acting;
use crate::app::find::{Seal, Story, Told};
use crate::app::hold::Hold;
use crate::domain::brand::Brand;
use crate::domain::event::{HandedOut, Through};
use crate::domain::ids::ContactId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::policy::{Row, SOURCES};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

/// Seconds after which making a bundle is tried again.
const AGAIN_IN: &str = "5";

const DONE: [(&str, &str); 6] = [
    (
        "held",
        "Held. Nothing of what is known of this person is erased or removed before the hold ends or is lifted.",
    ),
    (
        "hold-lifted",
        "The hold is lifted. A wish to be erased that was kept is done within minutes, and terms hold as always.",
    ),
    (
        "withdrawn",
        "Withdrawn; nothing of it is sent any more. Only the person can come back, by a new confirmation.",
    ),
    (
        "asked",
        "The mail is sent again, unless its budget is used up: three a day for a mailbox, and a minute between two.",
    ),
    (
        "noted",
        "Written down; the note stands at the end of the story.",
    ),
    (
        "proven",
        "Added; the end of the story tells what the consent policy says with it.",
    ),
];

#[derive(Template)]
#[template(path = "admin/contact.html")]
struct ContactPage {
    frame: Frame,
    path: String,
    brand: Arc<Brand>,
    story: Story,
    standing: Table,
    now: Timestamp,
    from_start: bool,
    /// What was found when the evidence was checked.
    checked: Option<String>,
    problem: Option<Problem>,
    proof_keys: Vec<&'static str>,
    keeps_proof: bool,
    /// The legal hold that is in force.
    hold: Option<Hold>,
    /// Since when the person wishes to be erased, which a hold kept from being done.
    wished: Option<Timestamp>,
    /// Whether mails may be had as they are, alone or in a bundle.
    whole: Whole,
}

/// Why a form of the page was not taken.
struct Problem {
    form: &'static str,
    text: String,
    /// A note as it was typed.
    typed: String,
}

impl Problem {
    fn of(form: &'static str, text: impl Into<String>) -> Self {
        Self {
            form,
            text: text.into(),
            typed: String::new(),
        }
    }
}

impl ContactPage {
    fn problem(&self, form: &str) -> Option<&Problem> {
        self.problem.as_ref().filter(|problem| problem.form == form)
    }

    fn sources(&self) -> impl Iterator<Item = &'static Row> {
        SOURCES.iter().filter(|row| !row.proof.is_empty())
    }

    fn ago(&self, at: &Timestamp) -> String {
        relative(*at, self.now)
    }

    fn seal(&self, told: &Told) -> (&'static str, &'static str) {
        match told.seal {
            Seal::Stamped => ("good", "in the log, time-stamped"),
            Seal::Logged => ("wait", "in the log, the next timestamp will cover it"),
            Seal::Waiting => ("plain", "not in the log yet"),
        }
    }
}

/// The pieces of proof that any source takes, each once.
fn proof_keys() -> Vec<&'static str> {
    let all = SOURCES.iter().flat_map(|row| row.proof);
    let mut keys: Vec<&str> = all.map(|proof| proof.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Brand and contact of a path.
type Where = Path<(String, Uuid)>;

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, id): (&str, Uuid),
    asked: &Asked,
    (status, checked, problem): (StatusCode, Option<String>, Option<Problem>),
) -> HttpResponse {
    let Some(brand) = brand_of(shared, operator, brand) else {
        return not_found(shared, operator, "This contact");
    };
    let after = asked.after.as_deref().map(str::parse::<i64>);
    let Ok(after) = after.transpose() else {
        return table::refuse(shared, operator, &Wrong::After);
    };
    let after = after.unwrap_or(0);
    let story = match shared.app.story_of(&brand, ContactId(id), after).await {
        Ok(Some(story)) => story,
        Ok(None) => return not_found(shared, operator, "This contact"),
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let whole = match Whole::of(shared, operator, &brand, ContactId(id)).await {
        Ok(whole) => whole,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let kept = async {
        let hold = shared.app.hold_of(brand.id, ContactId(id)).await?;
        Ok((hold, shared.app.wish_of(brand.id, ContactId(id)).await?))
    };
    let (hold, wished) = match kept.await {
        Ok(kept) => kept,
        Err(problem) => return error::store_failure(request, shared, &problem),
    };
    let frame = Frame::new(shared, operator, &story.address)
        .at("/admin/contacts")
        .below(
            "Contacts",
            &format!("/admin/contacts?brand={}", brand.declared.slug),
        )
        .noticing(asked.rest.get("done").map(String::as_str), &DONE);
    let now = shared.app.clock.now();
    let path = format!("/admin/contacts/{}/{id}", brand.declared.slug);
    let here = match after {
        0 => path.clone(),
        after => format!("{path}?after={after}"),
    };
    let own = asked.of(standing::PREFIX);
    let rows = standing::table(&brand, &story);
    let standing = match rows.arrange(&own, &here, now, frame.may_take()) {
        Ok(standing) => standing,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    if standing.is_file {
        let Some(acting) = acting(request, shared) else {
            return not_found(shared, operator, "This contact");
        };
        let on = format!("where contact {id} of brand {} stands", brand.declared.slug);
        return match shared.app.takes_list(&acting, on).await {
            Ok(()) => standing.csv(&format!("standing-{id}")),
            Err(problem) => error::store_failure(request, shared, &problem),
        };
    }
    render(
        status,
        &ContactPage {
            frame,
            path,
            standing,
            keeps_proof: brand.declared.keep_proof_after_erasure.is_some(),
            brand,
            story,
            now,
            from_start: after == 0,
            checked,
            problem,
            proof_keys: proof_keys(),
            hold,
            wished,
            whole,
        },
    )
}

/// The page with what could not be done.
pub(super) async fn refused(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    at: (&str, Uuid),
    (status, problem): (StatusCode, String),
) -> HttpResponse {
    let outcome = (status, Some(problem), None);
    again(request, shared, operator, at, outcome).await
}

/// The page as it stands, with what came of a deed.
async fn again(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    at: (&str, Uuid),
    outcome: (StatusCode, Option<String>, Option<Problem>),
) -> HttpResponse {
    page(request, shared, operator, at, &Asked::default(), outcome).await
}

/// `GET /admin/contacts/{brand}/{contact}`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
    asked: Query<Asked>,
) -> HttpResponse {
    let outcome = (StatusCode::OK, None, None);
    page(&request, &shared, &operator, (&at.0, at.1), &asked, outcome).await
}

/// The contact that a deed is about.
struct Subject {
    acting: Acting,
    brand: Arc<Brand>,
    story: Story,
    on: String,
}

async fn subject(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    at: &Where,
) -> Result<Subject, HttpResponse> {
    let missing = || not_found(shared, operator, "This contact");
    let brand = brand_of(shared, operator, &at.0).ok_or_else(missing)?;
    let acting = acting(request, shared).ok_or_else(missing)?;
    match shared.app.story_of(&brand, ContactId(at.1), i64::MAX).await {
        Ok(Some(story)) => Ok(Subject {
            on: format!("contact {} of brand {}", at.1, brand.declared.slug),
            acting,
            brand,
            story,
        }),
        Ok(None) => Err(missing()),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

impl Subject {
    async fn note(
        &self,
        request: &HttpRequest,
        shared: &Data<Web>,
        deed: Deed,
    ) -> Result<(), HttpResponse> {
        let noted = shared.app.acted(&self.acting, deed, Some(self.on.clone()));
        noted
            .await
            .map_err(|problem| error::store_failure(request, shared, &problem))
    }
}

/// The answer while as many bundles are being made as may be.
pub(super) fn busy(shared: &Web, operator: &Operator) -> HttpResponse {
    let text = "Several evidence bundles are being made at this moment, and each takes memory. Go back, and try again in a few seconds.";
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut answer = say(shared, operator, status, "One moment", text);
    let later = header::HeaderValue::from_static(AGAIN_IN);
    answer.headers_mut().insert(header::RETRY_AFTER, later);
    answer
}

/// `POST …/bundle`: the evidence as a file.
pub async fn take_bundle(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    if let Err(response) = may_have_whole(&request, &shared, &operator, &subject.brand, at.1).await
    {
        return response;
    }
    let Ok(_turn) = shared.bundles.try_acquire() else {
        return busy(&shared, &operator);
    };
    if let Err(response) = subject.note(&request, &shared, Deed::BundleTaken).await {
        return response;
    }
    let (app, brand) = (&shared.app, &subject.brand);
    let way = Through::AdminPages;
    let told = app.hand_out(brand, ContactId(at.1), HandedOut::Bundle, way);
    if let Err(problem) = told.await {
        return error::store_failure(&request, &shared, &problem);
    }
    let key = &subject.story.address_key;
    match app.bundle(brand, key).await {
        Ok(Some((bytes, _))) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/zip"))
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"evidence-{}.zip\"", at.1),
            ))
            .body(bytes),
        Ok(None) => not_found(&shared, &operator, "This contact"),
        Err(problem) => {
            let text = format!("No bundle: {problem}.");
            let outcome = (StatusCode::CONFLICT, Some(text), None);
            again(&request, &shared, &operator, (&at.0, at.1), outcome).await
        }
    }
}

/// `POST …/verify`: makes the bundle and checks it, as anybody could who has it.
pub async fn verify(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let Ok(_turn) = shared.bundles.try_acquire() else {
        return busy(&shared, &operator);
    };
    let key = &subject.story.address_key;
    let (status, text) = match shared.app.bundle(&subject.brand, key).await {
        Ok(Some((_, report))) => (
            StatusCode::OK,
            format!(
                "Checked just now: {} events, each proven to be in the log; {} timestamps of authorities around them. It holds.",
                report.events.len(),
                report.anchors.len()
            ),
        ),
        Ok(None) => return not_found(&shared, &operator, "This contact"),
        Err(problem) => (
            StatusCode::CONFLICT,
            format!("It does not hold: {problem}."),
        ),
    };
    let outcome = (status, Some(text), None);
    again(&request, &shared, &operator, (&at.0, at.1), outcome).await
}

//! What is added to a person's story by hand: notes, and proof of what an import claimed.

use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload, ReqData};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use super::{Problem, Where, again, subject};
use crate::app::add_proof::{NewProof, ProofRefused};
use crate::domain::added::{NOTE_AT_MOST, clean_note};
use crate::domain::event::Through;
use crate::domain::ids::ContactId;
use crate::domain::operator::Operator;
use crate::domain::policy::Source;
use crate::intake::proof::FILE_BYTES;
use crate::web::Web;
use crate::web::admin::{not_found, see};
use crate::web::error;
use crate::web::extract::body::closing;
use crate::web::extract::fields::Fields;
use crate::web::extract::paced::Paced;

/// Files that are in memory at once, each of 10 MiB at most.
static FILES: Semaphore = Semaphore::const_new(4);
/// Fields of the form beside the file, and bytes of each.
const FIELDS_AT_MOST: usize = 16;
const FIELD_AT_MOST: usize = 8 * 1_024;

/// `POST …/note`
pub async fn note(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
    fields: Fields,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let typed = fields.raw("note");
    let Some(note) = clean_note(typed) else {
        let text = format!(
            "Nothing was written down: a note has 1 to {NOTE_AT_MOST} characters, all of which can be seen."
        );
        let problem = Problem {
            typed: typed.to_owned(),
            ..Problem::of("note", text)
        };
        let outcome = (StatusCode::UNPROCESSABLE_ENTITY, None, Some(problem));
        return again(&request, &shared, &operator, (&at.0, at.1), outcome).await;
    };
    let by = (Some(&subject.acting), Through::AdminPages);
    let written = shared
        .app
        .write_note(&subject.brand, ContactId(at.1), &note, by);
    match written.await {
        Ok(true) => see(&format!("/admin/contacts/{}/{}?done=noted", at.0, at.1)),
        Ok(false) => not_found(&shared, &operator, "This contact"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `POST …/proof`: words for a piece of proof, a file for it, or both.
pub async fn proof(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    at: Where,
    payload: Payload,
) -> HttpResponse {
    let subject = match subject(&request, &shared, &operator, &at).await {
        Ok(subject) => subject,
        Err(response) => return response,
    };
    let refuse = async |status, text: String| {
        let text = format!("Nothing was added: {text}.");
        let outcome = (status, None, Some(Problem::of("proof", text)));
        again(&request, &shared, &operator, (&at.0, at.1), outcome).await
    };
    let Ok(_turn) = FILES.try_acquire() else {
        let text = "several files are being brought; try again in a moment";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, text.to_owned()).await;
    };
    let (fields, file) = match read(&request, &shared, payload).await {
        Ok(Some(form)) => form,
        Ok(None) => {
            let text = "the form did not come whole, or something in it is too long";
            return refuse(StatusCode::BAD_REQUEST, text.to_owned()).await;
        }
        Err(response) => return response,
    };
    let (Some(source), Some(key)) = (
        fields.one("source").and_then(Source::parse),
        fields.one("key"),
    ) else {
        let text = "choose the source and the piece of proof";
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, text.to_owned()).await;
    };
    let value = fields.one("value");
    let new = NewProof {
        contact: ContactId(at.1),
        source,
        purpose: None,
        words: value
            .map(|value| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
        file: file.map(|content| (key.to_owned(), content)),
    };
    let by = (Some(&subject.acting), Through::AdminPages);
    match shared.app.add_proof(&subject.brand, &new, by).await {
        Ok(_) => see(&format!("/admin/contacts/{}/{}?done=proven", at.0, at.1)),
        Err(ProofRefused::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(ProofRefused::Unknown) => not_found(&shared, &operator, "This contact"),
        Err(problem) => refuse(StatusCode::UNPROCESSABLE_ENTITY, problem.to_string()).await,
    }
}

type Form = (Fields, Option<Vec<u8>>);

/// Reads the form with its file, where one was chosen. None: it did not come whole, or holds more than it may.
async fn read(
    request: &HttpRequest,
    shared: &Web,
    payload: Payload,
) -> Result<Option<Form>, HttpResponse> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        let fields = Fields::from_request(request, &mut payload.into_inner()).await;
        return fields
            .map(|fields| Some((fields, None)))
            .map_err(HttpResponse::from_error);
    }
    let body = Paced::new(payload, shared.upload_pace);
    let too_slow = body.too_slow();
    let form = read_parts(Multipart::new(request.headers(), body)).await;
    if too_slow.is_it() {
        let status = StatusCode::REQUEST_TIMEOUT;
        return Err(closing(error::answer(
            request,
            shared,
            status,
            "error-too-slow",
        )));
    }
    Ok(form)
}

async fn read_parts(mut parts: Multipart) -> Option<Form> {
    let mut form: Form = (Fields::default(), None);
    let mut seen = 0;
    while let Some(part) = parts.next().await {
        let mut part = part.ok()?;
        seen += 1;
        if seen > FIELDS_AT_MOST {
            return None;
        }
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            // One byte too many, so that it is told as too long.
            let at_most = usize::try_from(FILE_BYTES).ok()? + 1;
            let about = part.content_disposition();
            let is_chosen = about
                .and_then(|about| about.get_filename())
                .is_some_and(|name| !name.is_empty());
            let content = whole(&mut part, at_most).await?;
            form.1 = is_chosen.then_some(content);
        } else {
            let value = String::from_utf8(whole(&mut part, FIELD_AT_MOST).await?).ok()?;
            form.0.add(&name, value).then_some(())?;
        }
    }
    Some(form)
}

/// A part of at most so many bytes. What comes behind them is thrown away, so that the browser hears what is wrong; but no more
/// than as much again.
async fn whole(part: &mut Field, at_most: usize) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut thrown = 0;
    while let Some(chunk) = part.next().await {
        let chunk = chunk.ok()?;
        let room = chunk.len().min(at_most - value.len());
        value.extend_from_slice(chunk.get(..room)?);
        thrown += chunk.len() - room;
        if thrown > at_most {
            return None;
        }
    }
    (thrown == 0 || at_most > FIELD_AT_MOST).then_some(value)
}

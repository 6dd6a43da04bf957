//! All that is kept of a person, for the person.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::sync::Semaphore;

use super::find_mailed;
use crate::app::prove::gather::NoBundle;
use crate::domain::event::{HandedOut, Through};
use crate::web::Web;
use crate::web::error;

const WAY: Through = Through::PreferencesPage;

/// Making a report reads and hashes a lot; more people wait their turn in their browsers.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

fn attached(kind: &'static str, name: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .body(bytes)
}

/// `GET /p/{token}/data.json`
pub async fn json(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find_mailed(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Ok(_turn) = AT_ONCE.try_acquire() else {
        return error::unavailable(&request, &shared);
    };
    let told = shared
        .app
        .hand_out(&found.brand, found.contact, HandedOut::Data, WAY);
    if let Err(problem) = told.await {
        return error::store_failure(&request, &shared, &problem);
    }
    match shared.app.data_of(&found.brand, found.contact).await {
        Ok(data) => {
            let bytes = serde_json::to_vec_pretty(&data).unwrap_or_default();
            attached("application/json", "data.json", bytes)
        }
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

/// `GET /p/{token}/report.zip`: the evidence bundle, with its report for people.
pub async fn report(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find_mailed(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Ok(_turn) = AT_ONCE.try_acquire() else {
        return error::unavailable(&request, &shared);
    };
    let told = shared
        .app
        .hand_out(&found.brand, found.contact, HandedOut::Bundle, WAY);
    if let Err(problem) = told.await {
        return error::store_failure(&request, &shared, &problem);
    }
    let key = &found.preferences.contact.address_key;
    match shared.app.bundle(&found.brand, key).await {
        Ok(Some((bytes, _))) => attached("application/zip", "report.zip", bytes),
        Ok(None) => super::message::broken_link(&request, &shared),
        Err(NoBundle::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            tracing::error!(%problem, "a person's report could not be made");
            error::unavailable(&request, &shared)
        }
    }
}

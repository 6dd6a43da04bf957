//! `/c/{token}/receipt`: the proof of a confirmation, for whoever has the mail.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::confirm::find;
use crate::app::prove::receipt::HandedReceipt;
use crate::domain::token::Purpose;
use crate::web::Web;
use crate::web::error::{self, store_failure};

/// `GET /c/{token}/receipt`: changes nothing, and records no hit. The link's time may be over: a confirmation stays.
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let found = match find(&request, &shared, Purpose::Confirm, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let receipt = shared.app.confirmation_receipt(&found.view.request);
    match receipt.await {
        Ok(HandedReceipt::Given(text)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
            .insert_header((
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"receipt.tlog-proof\"",
            ))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(text),
        Ok(HandedReceipt::NotYet) => error::unavailable(&request, &shared),
        Ok(HandedReceipt::Nothing) => {
            error::answer(&request, &shared, StatusCode::NOT_FOUND, "error-not-found")
        }
        Err(problem) => store_failure(&request, &shared, &problem),
    }
}

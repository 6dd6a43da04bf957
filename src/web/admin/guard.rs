//! The door of the operators' pages: who comes in, and to what.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};

use super::frame::Refusal;
use super::routes::{Entry, TABLE};
use super::{SESSION, cookie_of, is_own_post, say, see};
use crate::domain::operator::Need;
use crate::web::Web;
use crate::web::error;
use crate::web::page::render;

/// By the path that the router goes by, with what stands percent-encoded in it decoded: `match_pattern` of a request that is not
/// routed yet goes by the path as it was sent.
fn entry_of(request: &ServiceRequest) -> Option<&'static Entry> {
    let path = request.match_info().as_str();
    let pattern = request.resource_map().match_pattern(path)?;
    TABLE.iter().find(|entry| {
        entry.path == pattern && entry.method.eq_ignore_ascii_case(request.method().as_str())
    })
}

/// Lets a request through to its page, with the operator in its extensions, or answers in the page's place. What stands not
/// in the table is nowhere.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(shared) = request.app_data::<web::Data<Web>>().cloned() else {
        return Ok(request.into_response(error::plain_failure()));
    };
    let answer = match entry_of(&request) {
        Some(entry) => check(&request, &shared, need_of(&request, entry)).await,
        None => Some(error::no_such_page(request.request().clone(), shared).await),
    };
    match answer {
        Some(response) => Ok(request.into_response(response)),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// What a request asks of whoever comes: a page's list as a file is taken along, whichever page it is.
fn need_of(request: &ServiceRequest, entry: &Entry) -> Need {
    match entry.need {
        Need::Look if asks_for_a_file(request.query_string()) => Need::Take,
        need => need,
    }
}

fn asks_for_a_file(query: &str) -> bool {
    // A further table of a page has something in front of its names.
    let of_a_table = |name: &str| name == "format" || name.ends_with("_format");
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| of_a_table(&name) && value == "csv")
}

async fn check(
    request: &ServiceRequest,
    shared: &web::Data<Web>,
    need: Need,
) -> Option<HttpResponse> {
    if *request.method() == actix_web::http::Method::POST && !is_own_post(request.request(), shared)
    {
        return Some(render(StatusCode::FORBIDDEN, &Refusal::new(shared)));
    }
    if need == Need::Nothing {
        return None;
    }
    let Some(session) = cookie_of(request.request(), shared, SESSION) else {
        return Some(see("/admin/sign-in"));
    };
    let operator = match shared.app.operator_of(&session).await {
        Ok(Some(operator)) => operator,
        Ok(None) => return Some(see("/admin/sign-in")),
        Err(problem) => {
            return Some(error::store_failure(request.request(), shared, &problem));
        }
    };
    if !operator.may(need) {
        return Some(say(
            shared,
            &operator,
            StatusCode::FORBIDDEN,
            "Not for your role",
            &format!(
                "You are {} here ({}). An owner can change that under Settings.",
                operator.role.as_str(),
                operator.role.meaning()
            ),
        ));
    }
    request.extensions_mut().insert(operator);
    None
}

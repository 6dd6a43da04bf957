//! What is told of every request: an id that stands in its log lines and in its answer, and how long it took by route.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::Web;
use crate::clock::Random;
use crate::domain::hex::hex;
use crate::telemetry;
use crate::telemetry::traces::{TARGET, rename, take_up};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of an id that a proxy gives.
const ID_AT_MOST: usize = 64;

/// Makes ids: a random part of this process, and a number.
#[derive(Debug)]
pub struct Ids {
    process: String,
    number: AtomicU64,
}

impl Default for Ids {
    fn default() -> Self {
        let process = Random::Os.bytes::<6>();
        Self {
            process: hex(&process),
            number: AtomicU64::new(0),
        }
    }
}

impl Ids {
    fn next(&self) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:x}", self.process)
    }
}

/// The id that a trusted proxy gave, if it is one: letters, digits, `.`, `_` and `-`.
fn given(request: &ServiceRequest, shared: &Web) -> Option<String> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let proxies = &shared.app.config.trusted_proxies;
    if !proxies.iter().any(|network| network.contains(&peer)) {
        return None;
    }
    let id = request.headers().get(HEADER)?.to_str().ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=ID_AT_MOST).contains(&id.len()) && id.chars().all(is_plain);
    fits.then(|| id.to_owned())
}

/// Of few words, whatever a client sends.
const fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::POST => "post",
        Method::HEAD => "head",
        Method::OPTIONS => "options",
        Method::PUT => "put",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// A span of the request for a collector; where the settings name none, it is none.
fn traced(request: &ServiceRequest, shared: Option<&Data<Web>>, id: &str) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
        request.id = id,
    );
    let collector = shared.and_then(|shared| shared.app.config.collector.as_ref());
    if collector.is_some_and(|collector| collector.accept_traceparent)
        && let Some(given) = request.headers().get("traceparent")
        && let Ok(given) = given.to_str()
    {
        take_up(&span, given);
    }
    span
}

/// What became of it: the route's pattern, since paths hold tokens.
fn told(span: &Span, method: &Method, route: &str, status: StatusCode) {
    if span.is_disabled() {
        return;
    }
    let method = method_name(method).to_ascii_uppercase();
    rename(span, format!("{method} {route}"));
    span.record("http.request.method", method);
    span.record("http.route", route);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Gives the request its id and measures it. A route's pattern is told, never a path: paths hold tokens.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let begun = Instant::now();
    let shared = request.app_data::<Data<Web>>().cloned();
    let id = shared
        .as_ref()
        .map(|shared| given(&request, shared).unwrap_or_else(|| shared.ids.next()))
        .unwrap_or_default();
    let method = method_name(request.method());
    // Of the highest level, so that the id stands in every line that is written at all.
    let span = tracing::error_span!("request", id);
    let traced = traced(&request, shared.as_ref(), &id);
    let answered = next.call(request).instrument(span);
    let mut response = answered.instrument(traced.clone()).await?;
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "none".to_owned());
    told(
        &traced,
        response.request().method(),
        &route,
        response.status(),
    );
    let status = class(response.status());
    metrics::counter!(telemetry::REQUESTS, "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!(telemetry::REQUEST_SECONDS, "route" => route)
        .record(begun.elapsed().as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    Ok(response)
}

//! For machines: alive, ready, metrics. On the public address, and on one of their own where the settings name it.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::Web;
use crate::app::App;

/// What is needed to answer on an address of their own.
pub struct Machines {
    pub app: Arc<App>,
    pub metrics: Option<PrometheusHandle>,
}

/// `GET /livez`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("alive\n")
}

/// `GET /readyz`: the database answers, migrated. Mail that cannot be sent is shown, yet signups are still taken.
pub async fn ready(shared: web::Data<Web>) -> HttpResponse {
    readiness(&shared.app).await
}

/// The same on an address of its own.
pub async fn ready_here(machines: web::Data<Machines>) -> HttpResponse {
    readiness(&machines.app).await
}

async fn readiness(app: &App) -> HttpResponse {
    match app.readiness().await {
        Ok(ready) => HttpResponse::Ok().json(ready),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            HttpResponse::ServiceUnavailable().json(serde_json::json!({"database": "unreachable"}))
        }
    }
}

/// Whether the request brings the token of the settings; none where they name none.
fn brings_token(request: &HttpRequest, app: &App) -> Option<bool> {
    let token = app.config.metrics_token.as_ref()?;
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let expected = token.expose_secret().as_bytes();
    Some(given.is_some_and(|given| given.as_bytes().ct_eq(expected).into()))
}

/// Without a token only an installation that nobody else reaches answers: its public address is on this machine. Of others it
/// cannot be told whether a request came through a proxy here, since not every proxy says so.
fn is_of_this_machine(request: &HttpRequest, app: &App) -> bool {
    let is_loopback = |ip: std::net::IpAddr| ip.to_canonical().is_loopback();
    let host = app.config.host();
    let known_here = host == "localhost" || host.parse().is_ok_and(is_loopback);
    known_here
        && request
            .peer_addr()
            .is_some_and(|peer| is_loopback(peer.ip()))
        && !request.headers().contains_key("x-forwarded-for")
        && !request.headers().contains_key("forwarded")
}

/// `GET /metrics`: Prometheus text. Not on the public address where they have one of their own.
pub async fn metrics(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    let app = &shared.app;
    if app.config.telemetry_listen.is_some() {
        return HttpResponse::NotFound().finish();
    }
    if brings_token(&request, app).unwrap_or_else(|| is_of_this_machine(&request, app)) {
        measured(app, shared.metrics.as_ref()).await
    } else {
        unauthorized()
    }
}

/// The same on an address of its own: whoever reaches it may read, unless a token is set.
pub async fn metrics_here(request: HttpRequest, machines: web::Data<Machines>) -> HttpResponse {
    if brings_token(&request, &machines.app) == Some(false) {
        return unauthorized();
    }
    measured(&machines.app, machines.metrics.as_ref()).await
}

fn unauthorized() -> HttpResponse {
    HttpResponse::Unauthorized()
        .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
        .finish()
}

async fn measured(app: &App, metrics: Option<&PrometheusHandle>) -> HttpResponse {
    if let Err(error) = app.measure().await {
        tracing::warn!(%error, "gauges could not be read");
    }
    match metrics {
        Some(handle) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4")
            .body(handle.render()),
        None => HttpResponse::NotFound().finish(),
    }
}

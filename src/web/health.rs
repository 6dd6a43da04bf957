//! For machines: alive, ready, metrics.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::Web;

/// `GET /livez`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("alive\n")
}

/// `GET /readyz`: the database answers, migrated. Mail that cannot be sent is shown, yet signups are still taken.
pub async fn ready(shared: web::Data<Web>) -> HttpResponse {
    match shared.app.readiness().await {
        Ok(ready) => HttpResponse::Ok().json(ready),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            HttpResponse::ServiceUnavailable().json(serde_json::json!({"database": "unreachable"}))
        }
    }
}

fn may_read_metrics(request: &HttpRequest, shared: &Web) -> bool {
    match &shared.app.config.metrics_token {
        Some(token) => request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|given| {
                given
                    .as_bytes()
                    .ct_eq(token.expose_secret().as_bytes())
                    .into()
            }),
        // Behind a proxy on this machine every request comes from loopback; one that was forwarded is not local.
        None => {
            request
                .peer_addr()
                .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
                && !request.headers().contains_key("x-forwarded-for")
                && !request.headers().contains_key("forwarded")
        }
    }
}

/// `GET /metrics`: Prometheus text.
pub async fn metrics(request: HttpRequest, shared: web::Data<Web>) -> HttpResponse {
    if !may_read_metrics(&request, &shared) {
        return HttpResponse::Unauthorized()
            .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
            .finish();
    }
    if let Err(error) = shared.app.measure().await {
        tracing::warn!(%error, "gauges could not be read");
    }
    match &shared.metrics {
        Some(handle) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4")
            .body(handle.render()),
        None => HttpResponse::NotFound().finish(),
    }
}

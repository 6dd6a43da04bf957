//! The log of evidence, for anybody who wants to check it: C2SP tlog-tiles under `/log/`, where the operator publishes it.

use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::ledger::tile::Resource;
use crate::web::Web;
use crate::web::error::store_failure;

/// Long enough to spare us a crowd, short enough for a witness.
const BRIEFLY: &str = "public, max-age=2";
/// What has a size in its name, or is full, never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The log's public key, as bundles carry it.
const KEY: &str = "log-key.pub";

fn key(shared: &Web) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(format!("{}\n", shared.app.log.key.verifier().vkey()))
}

/// `GET /log/checkpoint`, `GET /log/log-key.pub`, `GET /log/tile/…`. A path has one form only; every other is not found.
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    path: web::Path<String>,
) -> HttpResponse {
    if path.as_str() == KEY && shared.app.config.ledger.published {
        return key(&shared);
    }
    let wanted = Resource::parse(&path).filter(|_| shared.app.config.ledger.published);
    let found = match wanted {
        Some(wanted) => match shared.app.log_resource(wanted).await {
            Ok(found) => found,
            Err(error) => return store_failure(&request, &shared, &error),
        },
        None => None,
    };
    let Some(bytes) = found else {
        return HttpResponse::NotFound()
            .insert_header((CACHE_CONTROL, "no-store"))
            .content_type("text/plain; charset=utf-8")
            .body("The log has nothing under this name.\n");
    };
    let (kind, cached) = match wanted {
        Some(Resource::Checkpoint) => ("text/plain; charset=utf-8", BRIEFLY),
        _ => ("application/octet-stream", FOR_EVER),
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, cached))
        // A page on another site may check the log; there is nothing in it that a cookie would open.
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(bytes)
}

//! The demo's time-stamping authority (RFC 3161, section 3.4), at a port of its own: asked over HTTP like any other. What it
//! stamps proves nothing to others, since this very program holds its keys; its certificates say so by their names.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, web};

use crate::clock::Clock;
use crate::ledger::timestamp::authority::Authority;

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";
const QUERY_AT_MOST: usize = 4 << 10;

/// Starts answering on a bound socket.
pub fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    clock: Clock,
) -> std::io::Result<Server> {
    let shared = web::Data::new((authority, clock));
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(QUERY_AT_MOST))
            .route("/", web::post().to(answer))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

async fn answer(
    request: HttpRequest,
    query: web::Bytes,
    shared: web::Data<(Arc<Authority>, Clock)>,
) -> HttpResponse {
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.and_then(|kind| kind.to_str().ok()) != Some(QUERY) {
        return HttpResponse::UnsupportedMediaType().finish();
    }
    let (authority, clock) = shared.get_ref();
    HttpResponse::Ok()
        .content_type(REPLY)
        .body(authority.respond(&query, clock.now()))
}

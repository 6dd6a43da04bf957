//! `/verify`: the page that checks an evidence bundle. It is one file that works from disk as well, asks nothing of us and
//! sends nothing to anybody; served here so that a reader need not trust the copy that lay in the bundle.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::web::packed::Packed;

const PAGE: &str = include_str!("../../../static/verify.html");
/// Half a megabyte, and a third of that on the wire.
static PACKED: Packed = Packed::new(PAGE.as_bytes());

/// The page names its own scripts by their hashes; the header says the same, or the usual one would forbid them.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let own = PAGE
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("default-src 'none'", |(policy, _)| policy);
    format!("{own}; frame-ancestors 'none'")
});

/// `GET /verify`
pub async fn show(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"));
    PACKED.answer(&request, response)
}

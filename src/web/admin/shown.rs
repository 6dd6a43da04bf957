//! Mails and forms as people got them, to look at: nothing in them loads, runs or is sent.

use actix_web::HttpResponse;
use actix_web::http::header;
use mail_parser::MessageParser;

/// What may be loaded by a page that shows somebody's mail or form: nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'";

pub const HTML: &str = "text/html; charset=utf-8";
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that only a page of ours may show.
pub fn shown(kind: &'static str, text: impl Into<Vec<u8>>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(text.into())
}

/// A part of a mail: `html`, or the text.
pub fn mail_part(mail: &[u8], part: &str) -> HttpResponse {
    let (kind, text) = part_of(mail, part);
    shown(kind, text)
}

/// The same with its kind, before it is shown.
pub fn part_of(mail: &[u8], part: &str) -> (&'static str, String) {
    let parsed = MessageParser::default().parse(mail);
    let (kind, text) = match (part, &parsed) {
        ("html", Some(mail)) => (HTML, mail.body_html(0)),
        (_, Some(mail)) => (TEXT, mail.body_text(0)),
        (_, None) => (TEXT, None),
    };
    (kind, text.unwrap_or_default().into_owned())
}

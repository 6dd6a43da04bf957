//! What all pages share: the brand's look, the headers, the way a template becomes a response.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;
use futures_util::{Stream, stream};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::assets::theme_url;
use super::{Web, error};
use crate::domain::brand::Brand;
use crate::domain::origin::{content_source, origin_of};
use crate::mail::compose::BrandView;
use crate::texts::Texts;

/// Bytes of a file that are sent at once.
const PIECE: usize = 64 << 10;

/// A file, piece by piece.
pub async fn pieces(
    path: &std::path::Path,
) -> std::io::Result<impl Stream<Item = std::io::Result<Bytes>> + use<>> {
    let file = File::open(path).await?;
    Ok(stream::unfold(file, |mut file| async {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(Bytes::from(piece)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    }))
}

/// The frame of every page.
#[derive(Clone, Debug)]
pub struct Page {
    pub lang: String,
    pub dir: String,
    pub brand: BrandView,
    pub css: String,
    pub theme_css: String,
    pub icon: String,
    /// Shown in a frame on somebody's page: no header, no footer.
    pub embedded: bool,
    pub checked_by: bool,
}

impl Page {
    pub fn of(shared: &Web, brand: &Brand, t: Texts) -> Self {
        Self {
            lang: t.language().to_owned(),
            dir: t.direction().to_owned(),
            brand: BrandView::of(brand),
            css: shared.assets.css.clone(),
            theme_css: theme_url(brand),
            icon: shared.assets.icon.clone(),
            embedded: false,
            checked_by: brand.declared.checked_by_line,
        }
    }

    /// A page of nobody in particular: for links that do not work.
    pub fn plain(shared: &Web, t: Texts) -> Self {
        Self {
            lang: t.language().to_owned(),
            dir: t.direction().to_owned(),
            brand: BrandView {
                name: String::new(),
                legal_name: String::new(),
                postal_address: Vec::new(),
                privacy_url: None,
                contact: String::new(),
                logo_url: None,
                home_url: None,
            },
            css: shared.assets.css.clone(),
            theme_css: String::new(),
            icon: shared.assets.icon.clone(),
            embedded: false,
            checked_by: false,
        }
    }
}

/// A page in its brand's frame.
pub trait Framed: Template {
    fn frame(&self) -> &Page;
}

/// Makes pages framed by the frame in their field `page`.
macro_rules! framed {
    ($($page:ty),+) => {$(
        impl crate::web::page::Framed for $page {
            fn frame(&self) -> &crate::web::page::Page {
                &self.page
            }
        }
    )+};
}
pub(crate) use framed;

/// The content security policy of a page. Everything that pages may load is served by us, but for the brand's own logo, which
/// is named to the letter; nothing is inline (T9, T23). `redirect` is where the answer to the page's form may redirect to;
/// `framed_by` are origins that may show the page in a frame.
pub fn policy(logo_url: Option<&str>, redirect: Option<&str>, framed_by: &str) -> String {
    let mut text =
        String::from("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'");
    if let Some(logo) = logo_url.and_then(content_source) {
        text.push(' ');
        text.push_str(&logo);
    }
    text.push_str("; connect-src 'self'; base-uri 'none'; frame-src 'self'; form-action 'self'");
    text.push_str(redirect.map_or("", form_targets));
    text.push_str("; frame-ancestors ");
    text.push_str(framed_by);
    text
}

/// What a page's `form-action` allows where the answer to its form redirects to an address. Browsers hold each hop of a chain of
/// redirects against it (CSP Level 3, section 6.4.1), and where the declared address leads on to (https, www, another site) only its owner
/// knows: naming its origin would leave people, whose answer is recorded by then, on a page that does nothing. Nobody else gains by
/// it: the forms of our pages are ours, and the server itself redirects to declared addresses only (T15).
fn form_targets(redirect: &str) -> &'static str {
    match origin_of(redirect) {
        Some(origin) if origin.starts_with("http:") => " https: http:",
        Some(_) => " https:",
        None => "",
    }
}

/// Shows a page in its brand's frame; no other page may show it in a frame of its own.
pub fn shown(status: StatusCode, page: &impl Framed) -> HttpResponse {
    shown_with(HttpResponse::build(status), page, None, "'none'")
}

/// The same of a page whose form leads elsewhere, or that others may show in a frame.
pub fn shown_with(
    mut response: HttpResponseBuilder,
    page: &impl Framed,
    redirect: Option<&str>,
    framed_by: &str,
) -> HttpResponse {
    let logo = page.frame().brand.logo_url.as_deref();
    response.insert_header((
        header::CONTENT_SECURITY_POLICY,
        policy(logo, redirect, framed_by),
    ));
    respond(response, page)
}

/// Renders a page. It is never stored by a cache: most pages speak of one person.
pub fn render(status: StatusCode, template: &impl Template) -> HttpResponse {
    respond(HttpResponse::build(status), template)
}

pub fn respond(mut response: HttpResponseBuilder, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => response
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(html),
        Err(problem) => {
            tracing::error!(%problem, "a page could not be rendered");
            error::plain_failure()
        }
    }
}

/// Puts the headers that hold for every answer on those that have none of their own, and logs the request by its route,
/// never by its path: paths hold tokens.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let https = request
        .app_data::<actix_web::web::Data<Web>>()
        .is_some_and(|shared| shared.app.config.is_https());
    let mut response = next.call(request).await?;
    if tracing::enabled!(tracing::Level::DEBUG) {
        let route = response.request().match_pattern().unwrap_or_default();
        let method = response.request().method().clone();
        let status = response.status().as_u16();
        tracing::debug!(%method, route, status, "request");
    }
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: HeaderValue| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    put(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    put(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    put(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    put(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    );
    put(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'",
        ),
    );
    if https {
        put(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    Ok(response)
}

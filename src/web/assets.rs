//! Files built into the binary, served under names that hold their hash, so that they may be cached for ever.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};

use super::Web;
use super::packed::Packed;
use crate::domain::brand::{Accent, Brand};
use crate::domain::hex::hex;

struct Asset {
    name: String,
    kind: &'static str,
    bytes: Packed,
}

/// The files by what pages call them.
pub struct Assets {
    files: Vec<Asset>,
    pub css: String,
    pub admin_css: String,
    pub admin_js: String,
    pub passkey_js: String,
    pub icon: String,
    pub form_js: String,
    pub inbox_js: String,
    pub confirm_js: String,
    pub kiosk_css: String,
    pub kiosk_js: String,
    pub poster_css: String,
    pub docs_css: String,
    pub demo_css: String,
    pub demo_js: String,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub fn short_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..6])
}

impl Assets {
    pub fn built_in() -> Self {
        let mut files = Vec::new();
        let mut add = |stem: &str, ending: &str, kind, bytes: &'static [u8]| {
            let name = format!("{stem}-{}.{ending}", short_hash(bytes));
            let url = format!("/static/{name}");
            let bytes = Packed::new(bytes);
            files.push(Asset { name, kind, bytes });
            url
        };
        let css = add(
            "public",
            "css",
            CSS,
            include_bytes!("../../static/public.css"),
        );
        let admin_css = add(
            "admin",
            "css",
            CSS,
            include_bytes!("../../static/admin.css"),
        );
        let admin_js = add("admin", "js", JS, include_bytes!("../../static/admin.js"));
        let passkey_js = add(
            "passkey",
            "js",
            JS,
            include_bytes!("../../static/passkey.js"),
        );
        let icon = add(
            "favicon",
            "svg",
            "image/svg+xml",
            include_bytes!("../../static/favicon.svg"),
        );
        let form_js = add("form", "js", JS, include_bytes!("../../static/form.js"));
        let inbox_js = add("inbox", "js", JS, include_bytes!("../../static/inbox.js"));
        let confirm_js = add(
            "confirm",
            "js",
            JS,
            include_bytes!("../../static/confirm.js"),
        );
        let kiosk_css = add(
            "kiosk",
            "css",
            CSS,
            include_bytes!("../../static/kiosk.css"),
        );
        let kiosk_js = add("kiosk", "js", JS, include_bytes!("../../static/kiosk.js"));
        let poster_css = add(
            "poster",
            "css",
            CSS,
            include_bytes!("../../static/poster.css"),
        );
        let docs_css = add("docs", "css", CSS, include_bytes!("../../static/docs.css"));
        let demo_css = add("demo", "css", CSS, include_bytes!("../../static/demo.css"));
        let demo_js = add("demo", "js", JS, include_bytes!("../../static/demo.js"));
        Self {
            files,
            css,
            admin_css,
            admin_js,
            passkey_js,
            icon,
            form_js,
            inbox_js,
            confirm_js,
            kiosk_css,
            kiosk_js,
            poster_css,
            docs_css,
            demo_css,
            demo_js,
        }
    }
}

/// `GET /static/{name}`
pub async fn file(
    request: HttpRequest,
    shared: web::Data<Web>,
    name: web::Path<String>,
) -> HttpResponse {
    match shared.assets.files.iter().find(|file| file.name == *name) {
        Some(file) => {
            let mut response = HttpResponse::Ok();
            response
                .insert_header((header::CONTENT_TYPE, file.kind))
                .insert_header((header::CACHE_CONTROL, FOR_EVER));
            file.bytes.answer(&request, response)
        }
        None => HttpResponse::NotFound().finish(),
    }
}

fn theme_text(brand: &Brand) -> Option<String> {
    let accent = Accent::of(&brand.declared.accent)?;
    Some(format!(
        ":root{{--accent:{};--accent-ink:{};--accent-dark:{};--accent-dark-ink:{}}}",
        accent.colour, accent.ink, accent.dark, accent.dark_ink
    ))
}

/// The URL of the stylesheet that gives a brand its colour.
pub fn theme_url(brand: &Brand) -> String {
    let text = theme_text(brand).unwrap_or_default();
    format!(
        "/theme/{}-{}.css",
        brand.declared.slug,
        short_hash(text.as_bytes())
    )
}

/// `GET /theme/{name}`
pub async fn theme(shared: web::Data<Web>, name: web::Path<String>) -> HttpResponse {
    let catalog = shared.app.catalog();
    let found = catalog
        .brands
        .iter()
        .find(|brand| theme_url(brand).ends_with(&format!("/{name}")))
        .and_then(|brand| theme_text(brand));
    match found {
        Some(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, CSS))
            .insert_header((header::CACHE_CONTROL, FOR_EVER))
            .body(text),
        None => HttpResponse::NotFound().finish(),
    }
}

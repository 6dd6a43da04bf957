//! `/f/{form}/qr.svg`: the form's address as a QR code; `/f/{form}/poster`: a page to print and put up at a booth.

use std::fmt::Write as _;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;

use super::form;
use crate::domain::brand::{Brand, in_language};
use crate::domain::form::Form;
use crate::texts::Texts;
use crate::web::page::{Page, framed, shown};
use crate::web::{Web, error};

framed!(Poster);

/// Empty modules around the code; scanners need four (ISO/IEC 18004, section 9.1).
const QUIET: usize = 4;
/// Pixels of a module where nobody says how large the picture is to be.
const MODULE: usize = 8;

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "public/poster.html")]
struct Poster {
    page: Page,
    t: Texts,
    title: String,
    picture: String,
    address: String,
}

/// The form's public address, from the settings and never from a header (T14), and its path with the query.
fn address_of(shared: &Web, form: &Form, asked: Option<&str>) -> (String, String) {
    let language = asked.filter(|asked| form.declared.languages.iter().any(|tag| tag == asked));
    let query = language.map_or_else(String::new, |language| format!("?lang={language}"));
    let path = format!("/f/{}", form.declared.slug);
    (shared.app.url(&format!("{path}{query}")), query)
}

/// A code as a picture: black on white whatever the page's colours, one path, with a title for those who do not see it.
/// None if the text is too long for a code, which needs more than 2,000 characters.
pub fn svg(text: &str, title: &str) -> Option<String> {
    // Level M: it still reads with 15 % of it gone, through a fold or a thumb.
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let (left, top, long) = (x + QUIET, y + QUIET, run.len());
                let _ = write!(path, "M{left} {top}h{long}v1h-{long}z");
            }
            x += run.len();
        }
    }
    let whole = width + 2 * QUIET;
    let pixels = whole * MODULE;
    let title = form::escape(title);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" width=\"{pixels}\" height=\"{pixels}\" \
         role=\"img\" aria-labelledby=\"t\" shape-rendering=\"crispEdges\"><title id=\"t\">{title}</title>\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>\n"
    ))
}

fn title_of(brand: &Brand, form: &Form, language: &str) -> String {
    let content = &form.versions[&form.current];
    let title = in_language(&content.title, language);
    let name = &brand.declared.name;
    if title.contains(name.as_str()) {
        return title.to_owned();
    }
    format!("{title} – {name}")
}

/// `GET /f/{form}/qr.svg`
pub async fn picture(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let Some((brand, form)) = form::find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let (address, _) = address_of(&shared, &form, query.lang.as_deref());
    let language = query.lang.as_deref().unwrap_or_default();
    let title = format!("{}: {address}", title_of(&brand, &form, language));
    match svg(&address, &title) {
        Some(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
            .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
            .body(text),
        None => error::no_such_page(request, shared).await,
    }
}

/// `GET /f/{form}/poster`
pub async fn poster(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
    query: web::Query<Query>,
) -> HttpResponse {
    let Some((brand, form)) = form::find(&shared, &slug) else {
        return error::no_such_page(request, shared).await;
    };
    let language = form::language_of(&request, &form, query.lang.as_deref());
    let (address, carried) = address_of(&shared, &form, query.lang.as_deref());
    let t = Texts::of(&language);
    let mut page = Page::of(&shared, &brand, t);
    page.css = shared.assets.poster_css.clone();
    let content = &form.versions[&form.current];
    let poster = Poster {
        page,
        t,
        title: in_language(&content.title, &language).to_owned(),
        picture: format!("/f/{slug}/qr.svg{carried}"),
        address: address
            .split_once("://")
            .map_or(address.clone(), |parts| parts.1.to_owned()),
    };
    shown(StatusCode::OK, &poster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_four_empty_modules_on_each_side_and_its_title_is_text() {
        let picture = svg("https://confirm.example.org/f/news", "A & B <i>").unwrap();
        // Version 3 has 29 modules on a side, and level M of it holds 42 bytes.
        assert!(picture.contains("viewBox=\"0 0 37 37\""), "{picture}");
        assert!(picture.contains("A &amp; B &lt;i&gt;</title>"), "{picture}");
        // The finder in the corner: a run of seven, then the first module of its ring.
        assert!(picture.contains("d=\"M4 4h7v1h-7z"), "{picture}");
        assert!(
            !picture.contains("M3 ") && !picture.contains("M33 "),
            "{picture}"
        );
    }

    #[test]
    fn a_text_that_no_code_holds_makes_no_picture() {
        assert!(svg(&"x".repeat(3_000), "x").is_none());
    }
}

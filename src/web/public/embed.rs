//! `/f/{form}/embed` shows the three ways to embed a form; `/embed.js` is the first of them.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form;
use crate::texts::Texts;
use crate::web::Web;
use crate::web::error;
use crate::web::packed::Packed;
use crate::web::page::{Page, framed, shown};

framed!(EmbedPage);

static SCRIPT: Packed = Packed::new(include_bytes!("../../../static/embed.js"));

pub struct Snippet {
    title: String,
    explanation: String,
    code: String,
}

/// The form as a code that people scan.
pub struct OnPaper {
    name: String,
    picture: String,
    poster: String,
    /// The page for a tablet, where the form has one.
    booth: Option<String>,
}

#[derive(Template)]
#[template(path = "public/embed.html")]
struct EmbedPage {
    page: Page,
    t: Texts,
    title: String,
    snippets: Vec<Snippet>,
    preview_url: String,
    on_paper: OnPaper,
    script: String,
}

/// `GET /embed.js`: a stable name, so an hour of cache only.
pub async fn script(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("cross-origin-resource-policy", "cross-origin"));
    SCRIPT.answer(&request, response)
}

/// `GET /f/{form}/embed`
pub async fn show(
    request: HttpRequest,
    shared: web::Data<Web>,
    slug: web::Path<String>,
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let Some(form) = catalog.form(&slug) else {
        return error::no_such_page(request, shared).await;
    };
    let Some(brand) = catalog.brand(form.brand) else {
        return error::no_such_page(request, shared).await;
    };
    let t = error::texts_of(&request);
    let content = &form.versions[&form.current];
    let url = shared.app.url("");
    let title = crate::domain::brand::in_language(&content.title, t.language()).to_owned();
    let snippet = |way: &str, code: String| Snippet {
        title: t.get(&format!("embed-{way}-title")),
        explanation: t.get(&format!("embed-{way}-text")),
        code,
    };
    let in_language = |texts| crate::domain::brand::in_language(texts, t.language()).to_owned();
    // What the person reads must be what the version says that was shown: names and wordings go along, and so do the
    // version and the language.
    let purposes: String = content
        .purposes
        .iter()
        .map(|shown| {
            let (slug, name) = (&shown.slug, form::escape(&in_language(&shown.name)));
            let wording = form::escape(&in_language(&shown.wording));
            if shown.choice {
                format!(
                    "  <label><input type=\"checkbox\" name=\"purpose\" value=\"{slug}\"> {name}: {wording}</label>\n"
                )
            } else {
                format!(
                    "  <p>{name}: {wording}</p>\n  <input type=\"hidden\" name=\"purpose\" value=\"{slug}\">\n"
                )
            }
        })
        .collect();
    let fixed = format!(
        "  <input type=\"hidden\" name=\"lang\" value=\"{}\">\n  <input type=\"hidden\" name=\"version\" value=\"{}\">\n",
        t.language(),
        form.current.as_str()
    );
    let snippets = vec![
        snippet(
            "script",
            format!(
                "<script src=\"{url}/embed.js\" defer></script>\n<countersign-form form=\"{slug}\"></countersign-form>"
            ),
        ),
        snippet(
            "html",
            format!(
                "<form action=\"{url}/f/{slug}\" method=\"post\">\n{fixed}  <label>{} <input type=\"email\" name=\"email\" autocomplete=\"email\" required></label>\n{purposes}  <p>{}</p>\n  <button>{}</button>\n</form>",
                form::escape(&t.get("form-email-label")),
                form::escape(&in_language(&content.consent)),
                form::escape(&in_language(&content.button)),
            ),
        ),
        snippet(
            "frame",
            format!(
                "<iframe src=\"{url}/f/{slug}?embed=1\" title=\"{}\" width=\"100%\" height=\"900\" frameborder=\"0\"></iframe>",
                form::escape(&title)
            ),
        ),
    ];
    let page = EmbedPage {
        page: Page::of(&shared, brand, t),
        t,
        title,
        snippets,
        preview_url: format!("/f/{slug}"),
        on_paper: OnPaper {
            name: slug.to_string(),
            picture: format!("/f/{slug}/qr.svg"),
            poster: format!("/f/{slug}/poster"),
            booth: form.declared.kiosk.then(|| format!("/f/{slug}?kiosk=1")),
        },
        script: shared.assets.form_js.clone(),
    };
    shown(StatusCode::OK, &page)
}

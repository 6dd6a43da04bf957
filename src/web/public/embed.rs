//! `/f/{form}/embed` shows the three ways to embed a form; `/embed.js` is the first of them.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::page::{LanguageLink, languages};
use super::form::{self, HONEYPOT};
use crate::domain::brand::in_language;
use crate::domain::form::Form;
use crate::domain::origin::origin_of;
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
    /// What to copy; none where the form cannot be shown this way.
    code: Option<String>,
    /// What the policy of the site must allow for it.
    policy: String,
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
    /// The languages that the form may be copied in.
    languages: Vec<LanguageLink>,
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
    query: web::Query<form::Query>,
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let Some(form) = catalog.form(&slug) else {
        return error::no_such_page(request, shared).await;
    };
    let Some(brand) = catalog.brand(form.brand) else {
        return error::no_such_page(request, shared).await;
    };
    // Whoever copies the form reads this page; who reads the form are other people.
    let t = error::texts_of(&request);
    let language = form::language_of(&request, form, query.lang.as_deref());
    let content = &form.versions[&form.current];
    let title = in_language(&content.title, &language).to_owned();
    let chosen = query.lang.as_deref() == Some(language.as_str());
    let snippets = vec![
        by_script(&shared, form, t, chosen.then_some(&language)),
        plain(&shared, form, t, &language),
        in_frame(&shared, form, t, &title, chosen.then_some(&language)),
    ];
    let page = EmbedPage {
        page: Page::of(&shared, brand, t),
        t,
        title,
        languages: languages(form, &language, "/embed", ""),
        snippets,
        preview_url: format!("/f/{slug}?lang={language}"),
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

fn snippet(t: Texts, way: &str, code: String, policy: String) -> Snippet {
    Snippet {
        title: t.get(&format!("embed-{way}-title")),
        explanation: t.get(&format!("embed-{way}-text")),
        code: Some(code),
        policy,
    }
}

/// The element of `embed.js`, which speaks the language of the page around it unless one is named.
fn by_script(shared: &Web, form: &Form, t: Texts, chosen: Option<&String>) -> Snippet {
    let (url, slug) = (shared.app.url(""), &form.declared.slug);
    let lang = chosen.map_or_else(String::new, |tag| format!(" lang=\"{tag}\""));
    let code = format!(
        "<script src=\"{url}/embed.js\" defer></script>\n<countersign-form form=\"{slug}\"{lang}></countersign-form>"
    );
    let policy = format!("script-src {url}; connect-src {url}");
    snippet(t, "script", code, policy)
}

fn in_frame(shared: &Web, form: &Form, t: Texts, title: &str, chosen: Option<&String>) -> Snippet {
    let (url, slug) = (shared.app.url(""), &form.declared.slug);
    let lang = chosen.map_or_else(String::new, |tag| format!("&amp;lang={tag}"));
    let code = format!(
        "<iframe src=\"{url}/f/{slug}?embed=1{lang}\" title=\"{}\" width=\"100%\" height=\"900\" frameborder=\"0\"></iframe>",
        form::escape(title)
    );
    snippet(t, "frame", code, format!("frame-src {url}"))
}

/// The form without us. What the person reads must be what the version says that was shown: names and wordings go along, and so
/// do the version and the language. A proof of work cannot be made without a script.
fn plain(shared: &Web, form: &Form, t: Texts, language: &str) -> Snippet {
    let (url, slug) = (shared.app.url(""), &form.declared.slug);
    // Browsers hold what the answer redirects to against the site's own policy.
    let next = form.declared.redirect_after_signup.as_deref();
    let next = next.and_then(origin_of).filter(|next| *next != url);
    let next = next.map_or_else(String::new, |next| format!(" {next}"));
    let policy = format!("form-action {url}{next}");
    if form.declared.proof_of_work {
        return Snippet {
            title: t.get("embed-html-title"),
            explanation: t.get("embed-html-proof"),
            code: None,
            policy,
        };
    }
    let own = Texts::of(language);
    let content = &form.versions[&form.current];
    let said = |texts| form::escape(in_language(texts, language));
    let word = |key| form::escape(&own.get(key));
    let purposes: String = content
        .purposes
        .iter()
        .map(|shown| {
            let (slug, name, wording) = (&shown.slug, said(&shown.name), said(&shown.wording));
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
    let name = if form.declared.asks_name {
        format!(
            "  <label>{} ({}) <input type=\"text\" name=\"name\" autocomplete=\"name\" maxlength=\"80\"></label>\n",
            word("form-name-label"),
            word("form-optional"),
        )
    } else {
        String::new()
    };
    // Hidden by an attribute: a site's policy may forbid styles within a page.
    let trap = format!(
        "  <div hidden><label>{} <input type=\"text\" name=\"{HONEYPOT}\" tabindex=\"-1\" autocomplete=\"off\"></label></div>\n",
        word("form-trap-label"),
    );
    let code = format!(
        "<form action=\"{url}/f/{slug}\" method=\"post\" lang=\"{language}\">\n\
         \x20 <input type=\"hidden\" name=\"lang\" value=\"{language}\">\n\
         \x20 <input type=\"hidden\" name=\"version\" value=\"{}\">\n\
         \x20 <label>{} <input type=\"email\" name=\"email\" autocomplete=\"email\" required></label>\n\
         {name}{trap}{purposes}  <p>{}</p>\n  <button>{}</button>\n</form>",
        form.current.as_str(),
        word("form-email-label"),
        said(&content.consent),
        said(&content.button),
    );
    snippet(t, "html", code, policy)
}

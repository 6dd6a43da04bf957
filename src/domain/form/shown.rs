//! A form version as one printable page: what it showed, in each of its languages.
//!
//! The page is a form version's identity: its SHA-256 is the version's name, and its bytes are kept when the version is
//! made, because a later program may draw it differently. So it is made of the content alone, the same each time, and a
//! change of any word, box, purpose or language changes it. It needs nothing from outside: no script, no file.

use super::super::brand::{Texts, in_language};
use super::{FormContent, ShownPurpose};

/// How a shown form looks, on its own page and within a report.
pub const STYLE: &str = "\
.shown{max-width:34rem;margin:0 0 28px;padding:24px 28px;background:#fff;border:1px solid #e2ddd4;border-radius:8px;break-inside:avoid;overflow-wrap:anywhere}
.shown>*{margin:0 0 14px}
.shown>:last-child{margin-bottom:0}
.shown h2{font-size:1.275rem;line-height:1.3}
.shown .note{font-size:.8125rem;line-height:1.45;color:#625d54}
.shown .field{padding:10px 14px;border:1px dashed #857e72;border-radius:8px}
.shown ul{padding:0;list-style:none}
.shown li{padding:12px 14px;border:1px solid #857e72;border-radius:8px}
.shown li+li{margin-top:10px}
.shown .given{border-width:0 0 0 4px;border-color:#857e72;border-radius:0}
.shown li>*{display:block}
.shown .choice{display:grid;grid-template-columns:20px 1fr;column-gap:12px}
.shown .choice>*{grid-column:2}
.shown .choice>.empty{grid-column:1;grid-row:1/4;width:18px;height:18px;margin-top:3px;border:1.5px solid #23211d;border-radius:4px}
.shown .button{padding:12px 16px;text-align:center;font-weight:600;border:2px solid #23211d;border-radius:8px}
";

const PAGE_STYLE: &str = "\
body{max-width:40rem;margin:0 auto;padding:32px 20px;font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;color:#23211d;background:#faf8f5}
h1{margin:0 0 8px;font-size:1.53rem;line-height:1.25}
body>p{margin:0 0 20px;color:#625d54}
dl{margin:0 0 28px;border-top:1px solid #e2ddd4}
dl div{display:flex;flex-wrap:wrap;gap:0 16px;padding:8px 0;border-bottom:1px solid #e2ddd4}
dt{flex:none;width:9rem;color:#625d54}
dd{flex:1 1 12rem;margin:0;overflow-wrap:anywhere}
@page{size:A4;margin:18mm}
@media print{html{font-size:13px}body{padding:0;background:none}}
";

/// Text as it may stand in HTML, in an element or between double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The whole page. It ends in a line feed.
pub(super) fn document(content: &FormContent) -> String {
    let brand = escaped(&content.brand_name);
    let form = &content.form;
    let sections: String = content
        .languages
        .iter()
        .map(|language| section(content, language))
        .collect();
    let mut privacy = content
        .privacy_url
        .as_deref()
        .map_or_else(|| "none".to_owned(), escaped);
    if let Some(version) = &content.privacy_version {
        privacy.push_str(&format!(" (version {})", escaped(version)));
    }
    let languages: Vec<String> = content.languages.iter().map(|tag| escaped(tag)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Form {form} of {brand}, as it was shown</title>\n\
         <style>\n{PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n\
         <h1>Form {form} of {brand}</h1>\n\
         <p>What this version of the form showed, in each of its languages. Words in small grey type are notes; all others stood on the page.</p>\n\
         <dl>\n<div><dt>Who asks</dt><dd>{brand} ({legal})</dd></div>\n\
         <div><dt>Brand</dt><dd>{slug}</dd></div>\n<div><dt>Form</dt><dd>{form}</dd></div>\n\
         <div><dt>Languages</dt><dd>{languages}</dd></div>\n\
         <div><dt>Privacy notice</dt><dd>{privacy}</dd></div>\n</dl>\n\
         {sections}</body>\n</html>\n",
        legal = escaped(&content.legal_name),
        slug = content.brand,
        languages = languages.join(", "),
    )
}

/// All words of a form, as they stand in its page.
pub(super) fn words(content: &FormContent) -> Vec<String> {
    let mut words = vec![
        content.form.to_string(),
        content.brand.to_string(),
        escaped(&content.brand_name),
        escaped(&content.legal_name),
    ];
    let options = [&content.privacy_url, &content.privacy_version];
    words.extend(options.into_iter().flatten().map(|text| escaped(text)));
    for language in &content.languages {
        words.push(opening(language));
        let of = |texts: &Texts| escaped(in_language(texts, language));
        words.extend(
            [
                &content.title,
                &content.intro,
                &content.consent,
                &content.button,
            ]
            .map(of),
        );
        for purpose in &content.purposes {
            words.push(purpose.slug.to_string());
            words.extend([&purpose.name, &purpose.wording].map(of));
        }
    }
    words
}

fn section(content: &FormContent, language: &str) -> String {
    let text = |texts: &Texts| escaped(in_language(texts, language));
    let note = |words: &str| format!("<span class=\"note\" lang=\"en\">{words}</span>");
    let mut fields = format!(
        "<p class=\"field\">{}</p>\n",
        note("Field: email address, required")
    );
    if content.asks_name {
        fields.push_str(&format!(
            "<p class=\"field\">{}</p>\n",
            note("Field: name, may stay empty")
        ));
    }
    let purposes: String = content
        .purposes
        .iter()
        .map(|purpose| item(purpose, language))
        .collect();
    let privacy = content
        .privacy_url
        .as_deref()
        .map_or_else(String::new, |url| {
            format!(
                "<p>{} {}</p>\n",
                note("Link to the privacy notice:"),
                escaped(url)
            )
        });
    format!(
        "{}\n<p>{}</p>\n<h2>{}</h2>\n<p>{}</p>\n{fields}<ul>\n{purposes}</ul>\n<p>{}</p>\n{privacy}<p class=\"button\">{}</p>\n{END}\n",
        opening(language),
        note(&format!("Shown in the language {}", escaped(language))),
        text(&content.title),
        text(&content.intro),
        text(&content.consent),
        text(&content.button),
    )
}

fn item(purpose: &ShownPurpose, language: &str) -> String {
    let (class, before, state) = if purpose.choice {
        (
            "choice",
            "<span class=\"empty\"></span>",
            "A box, not ticked in advance",
        )
    } else {
        ("given", "", "No box: the form is for this")
    };
    format!(
        "<li class=\"{class}\">{before}<b>{}</b><span>{}</span><span class=\"note\" lang=\"en\">{state}. Purpose: {}</span></li>\n",
        escaped(in_language(&purpose.name, language)),
        escaped(in_language(&purpose.wording, language)),
        purpose.slug,
    )
}

const END: &str = "</section>";

fn opening(language: &str) -> String {
    format!("<section class=\"shown\" lang=\"{}\">", escaped(language))
}

/// The part of a kept page that shows one language, as it stands there.
pub fn section_of<'a>(document: &'a str, language: &str) -> Option<&'a str> {
    let start = document.find(&opening(language))?;
    let section = &document[start..];
    let end = section.find(END)? + END.len();
    Some(&section[..end])
}

#[cfg(test)]
mod tests;

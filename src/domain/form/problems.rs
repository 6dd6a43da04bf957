//! What is wrong with a declaration. All of it is told in one go, each with how to mend it; what was declared before a check
//! was made stays in use until it is declared anew.

use super::FormDeclaration;
use crate::domain::brand::{
    Accent, BrandDeclaration, KeepProof, LANGUAGES, PurposeDeclaration, RoleAddresses, Slug, Texts,
};
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::origin::origin_of;
use crate::domain::policy::ACTIVE_WITHIN_AT_MOST;
use crate::domain::seal::SealKey;

/// Everything wrong with a declaration, each with what to do.
pub fn problems_of(brand: &BrandDeclaration) -> Vec<String> {
    let mut problems = Vec::new();
    let at = |what: &str| format!("brand \"{}\": {what}", brand.slug);
    if Accent::of(&brand.accent).is_none() {
        problems.push(at("accent must look like \"#1f5f8b\""));
    }
    if brand.name.trim().is_empty() || brand.name.chars().count() > 80 {
        problems.push(at("name must have 1 to 80 characters"));
    }
    if brand.name.chars().any(char::is_control) || brand.legal_name.chars().any(char::is_control) {
        problems.push(at("names must have no control characters"));
    }
    if brand.legal_name.trim().is_empty() {
        problems.push(at(
            "legal_name says who asks; give the organisation's full name",
        ));
    }
    if brand.postal_address.is_empty() {
        problems.push(at(
            "postal_address says where the sender is; give at least one line",
        ));
    }
    if brand
        .postal_address
        .iter()
        .any(|line| line.trim().is_empty())
    {
        problems.push(at(
            "postal_address has a blank line; leave it out, and give at least one line",
        ));
    }
    problems.extend(problem_of_contact(&brand.contact).map(|what| at(&what)));
    let reply_to = brand.reply_to.as_ref().map(|given| ("reply_to", given));
    for (field, given) in [("from_address", &brand.from_address)]
        .into_iter()
        .chain(reply_to)
    {
        problems.extend(problem_of_sender(field, given).map(|what| at(&what)));
    }
    if !(1..=90).contains(&brand.confirm_within_days) {
        problems.push(at("confirm_within_days must be 1 to 90"));
    }
    if !(1..=ACTIVE_WITHIN_AT_MOST).contains(&brand.active_within_months) {
        problems.push(at(&format!(
            "active_within_months must be 1 to {ACTIVE_WITHIN_AT_MOST}"
        )));
    }
    if brand.role_addresses == RoleAddresses::ConfirmFirst
        && brand
            .responsible
            .as_deref()
            .is_none_or(|name| name.trim().is_empty())
    {
        problems.push(at(
            "role_addresses = \"confirm_first\" needs responsible = \"the person who answers for it\"",
        ));
    }
    if let Some(terms) = &brand.reconfirm {
        problems.extend(terms.problems().iter().map(|what| at(what)));
    }
    if let Some(keep) = &brand.keep_proof_after_erasure {
        problems.extend(problems_of_keeping(keep).iter().map(|what| at(what)));
    }
    if let Some(version) = &brand.privacy_version {
        let fits = (1..=40).contains(&version.chars().count());
        if !fits || version.chars().any(char::is_control) || brand.privacy_url.is_none() {
            problems.push(at(
                "privacy_version is 1 to 40 characters, such as \"2026-03\", and needs privacy_url",
            ));
        }
    }
    let urls = [&brand.privacy_url, &brand.home_url, &brand.logo_url];
    for url in urls.into_iter().flatten() {
        if !is_web_url(url) {
            problems.push(at(&format!(
                "\"{url}\" must begin with https:// or http://"
            )));
        }
    }
    for language in brand
        .purposes
        .iter()
        .flat_map(|p| p.name.keys().chain(p.wording.keys()))
    {
        check_language(language, &brand.slug, &mut problems);
    }
    for (index, purpose) in brand.purposes.iter().enumerate() {
        problems.extend(
            problems_of_words(brand, purpose)
                .iter()
                .map(|what| at(what)),
        );
        if brand.purposes[..index]
            .iter()
            .any(|other| other.slug == purpose.slug)
        {
            problems.push(at(&format!(
                "purpose \"{}\" stands there twice",
                purpose.slug
            )));
        }
    }
    for form in &brand.forms {
        problems_of_form(brand, form, &mut problems);
    }
    problems
}

/// A mailto link or one to a page is made of it; anything else is shown as text.
fn problem_of_contact(contact: &str) -> Option<String> {
    let rules = AddressRules { any_domain: true };
    let shown = contact.escape_debug();
    let length = contact.trim().chars().count();
    if !(1..=320).contains(&length) || contact.chars().any(char::is_control) {
        Some("contact says whom people write to about their data; give an address or a URL, of 320 characters at most".to_owned())
    } else if contact.contains("://") {
        (!is_web_url(contact))
            .then(|| format!("contact \"{shown}\" must begin with https:// or http://"))
    } else {
        (contact.contains('@') && EmailAddress::parse(contact, &rules).is_err())
            .then(|| format!("contact \"{shown}\" must be the address alone, such as privacy@example.org, or a URL"))
    }
}

/// An address that mail leaves under stands in headers and commands as it was declared: whatever needs another spelling there,
/// or SMTPUTF8 of every server on the way, is told before mail fails by it.
fn problem_of_sender(field: &str, given: &str) -> Option<String> {
    let shown = given.escape_debug();
    let rules = AddressRules { any_domain: true };
    let Ok(address) = EmailAddress::parse(given, &rules) else {
        return Some(format!(
            "{field} \"{shown}\" is no address that can stand in a mail; give one such as letters@example.org"
        ));
    };
    let sent = address.deliverable();
    if !sent.is_ascii() {
        return Some(format!(
            "{field} \"{shown}\" has other than ASCII letters before the @, which not every server takes; give one without"
        ));
    }
    if !given.is_ascii() || address.as_typed() != given {
        return Some(format!(
            "{field} \"{shown}\" must be written as it goes over the wire: \"{sent}\""
        ));
    }
    None
}

/// A page and a mail in a language without words of its own have the English ones ([`crate::domain::brand::in_language`]): so
/// these are needed wherever a form that offers the purpose is in such a language.
fn problems_of_words(brand: &BrandDeclaration, purpose: &PurposeDeclaration) -> Vec<String> {
    let slug = &purpose.slug;
    let offering = |form: &&FormDeclaration| {
        form.purposes
            .iter()
            .chain(&form.choices)
            .any(|own| own == slug)
    };
    let shown_in: Vec<&String> = brand
        .forms
        .iter()
        .filter(offering)
        .flat_map(|form| &form.languages)
        .collect();
    let mut problems = Vec::new();
    for (what, texts) in [("name", &purpose.name), ("wording", &purpose.wording)] {
        let at = |what: &str| format!("purpose \"{slug}\" {what}");
        problems.extend(
            blanks(what, texts)
                .map(|blank| at(&format!("has a blank {blank}; write it, or leave it out"))),
        );
        let missing: Vec<&str> = LANGUAGES
            .into_iter()
            .filter(|tag| {
                shown_in.iter().any(|shown| shown.as_str() == *tag) && !texts.contains_key(*tag)
            })
            .collect();
        if texts.contains_key("en") || (missing.is_empty() && !texts.is_empty()) {
            continue;
        }
        let why = if missing.is_empty() {
            String::new()
        } else {
            format!(
                ", which also stands in for languages without one; its forms are in {}",
                missing.join(", ")
            )
        };
        problems.push(at(&format!("needs {what}.en{why}")));
    }
    problems
}

/// The names of texts that say nothing.
fn blanks(what: &str, texts: &Texts) -> impl Iterator<Item = String> {
    texts
        .iter()
        .filter(|(_, text)| text.trim().is_empty())
        .map(move |(language, _)| format!("{what}.{}", language.escape_debug()))
}

/// What stands in a list more than once, each once.
fn repeated<T: PartialEq>(list: &[T]) -> impl Iterator<Item = &T> {
    list.iter().enumerate().filter_map(|(at, one)| {
        let before = list[..at].iter().filter(|other| *other == one).count();
        (before == 1).then_some(one)
    })
}

fn problems_of_keeping(keep: &KeepProof) -> Vec<String> {
    let mut problems = Vec::new();
    let mut wrong = |what: &str| problems.push(format!("keep_proof_after_erasure: {what}"));
    let length = keep.reason.trim().chars().count();
    if !(10..=500).contains(&length) || keep.reason.chars().any(char::is_control) {
        wrong("reason says which claims the proof is kept for; give 10 to 500 characters");
    }
    if !(1..=30).contains(&keep.years) {
        wrong("years must be 1 to 30");
    }
    if let Err(problem) = SealKey::parse(&keep.public_key) {
        wrong(&format!("public_key: {problem}"));
    }
    problems
}

fn problems_of_form(brand: &BrandDeclaration, form: &FormDeclaration, problems: &mut Vec<String>) {
    let at = |what: &str| format!("form \"{}\": {what}", form.slug);
    if form.purposes.is_empty() && form.choices.is_empty() {
        problems.push(at("name at least one purpose"));
    }
    for slug in form.purposes.iter().chain(&form.choices) {
        if !brand.purposes.iter().any(|purpose| purpose.slug == *slug) {
            problems.push(at(&format!(
                "purpose \"{slug}\" is not declared in this brand"
            )));
        }
    }
    if let Some(slug) = form
        .choices
        .iter()
        .find(|slug| form.purposes.contains(slug))
    {
        problems.push(at(&format!(
            "\"{slug}\" is both a purpose of the form and a choice; keep one"
        )));
    }
    let mut twice = |list: &str, one: &dyn std::fmt::Display| {
        problems.push(at(&format!("{list} has \"{one}\" twice; keep one")));
    };
    repeated(&form.purposes).for_each(|slug| twice("purposes", slug));
    repeated(&form.choices).for_each(|slug| twice("choices", slug));
    repeated(&form.languages).for_each(|tag| twice("languages", &tag.escape_debug()));
    repeated(&form.origins).for_each(|origin| twice("origins", &origin.escape_debug()));
    if form.kiosk && form.proof_of_work {
        problems.push(at(
            "kiosk and proof_of_work exclude each other: a tablet without a connection gets no challenge; make a form of its own for the booth",
        ));
    }
    if form
        .remind_after_days
        .is_some_and(|days| days == 0 || days >= brand.confirm_within_days)
    {
        problems.push(at(
            "remind_after_days must be 1 or more, and less than the brand's confirm_within_days: later the link is dead",
        ));
    }
    if form.languages.is_empty() {
        problems.push(at("languages must name at least one language"));
    }
    let texts = [
        ("title", &form.title),
        ("intro", &form.intro),
        ("consent", &form.consent),
        ("button", &form.button),
    ];
    for blank in texts.iter().flat_map(|(what, texts)| blanks(what, texts)) {
        problems.push(at(&format!(
            "{blank} is blank; leave it out to have our own words"
        )));
    }
    for language in form
        .languages
        .iter()
        .chain(texts.into_iter().flat_map(|(_, texts)| texts.keys()))
    {
        check_language(language, &form.slug, problems);
    }
    for origin in &form.origins {
        // Browsers name it so; another spelling of the same would never be found equal.
        let known = origin_of(origin).filter(|known| known.is_ascii());
        if known.as_ref() != Some(origin) {
            let such = known.unwrap_or_else(|| "https://www.example.org".to_owned());
            problems.push(at(&format!(
                "origin \"{origin}\" must be scheme and host only, in small letters, without :443 or :80, and with other letters \
                 as xn--, such as \"{such}\""
            )));
        }
    }
    let redirects = [
        &form.redirect_after_signup,
        &form.redirect_after_confirmation,
    ];
    for url in redirects.into_iter().flatten() {
        // The page that leads there names it to the browser.
        let origin = origin_of(url).filter(|origin| origin.is_ascii());
        if !is_web_url(url) || origin.is_none() {
            problems.push(at(&format!(
                "redirect \"{url}\" must begin with https:// or http:// and a host, without a user's name, and with other letters \
                 in the host as xn--"
            )));
        }
    }
}

fn check_language(language: &str, place: &Slug, problems: &mut Vec<String>) {
    if !LANGUAGES.contains(&language) {
        problems.push(format!(
            "\"{place}\": language \"{}\" is not one of {}",
            language.escape_debug(),
            LANGUAGES.join(", ")
        ));
    }
}

fn is_web_url(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() <= 2_000
        && !url.contains(|c: char| c.is_control() || c == ' ' || c == '"' || c == '<')
}

//! Forms and their versions. A version is the exact wording that a person was shown; it never changes and is named by
//! the SHA-256 of the page that shows it, so that a signup can point to it for ever.

pub mod shown;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::brand::{BrandDeclaration, KeepProof, LANGUAGES, Slug, Texts};
use super::ids::{BrandId, FormId};
use super::origin::origin_of;
use super::policy::ACTIVE_WITHIN_AT_MOST;
use super::seal::SealKey;

/// A form as the brand's file declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormDeclaration {
    /// The form's name in its URL; unique in the installation.
    pub slug: Slug,
    /// What the form is for: signing up means these.
    pub purposes: Vec<Slug>,
    /// What the person may choose besides, as boxes that are never ticked in advance (G2).
    #[serde(default)]
    pub choices: Vec<Slug>,
    #[serde(default = "default_languages")]
    pub languages: Vec<String>,
    #[serde(default)]
    pub asks_name: bool,
    /// Whether a name, once cleaned, may stand in the mail (T4).
    #[serde(default)]
    pub name_in_mail: bool,
    #[serde(default)]
    pub proof_of_work: bool,
    /// Seconds below which only a program fills a form in; 0 turns the check off.
    #[serde(default = "default_fill_seconds")]
    pub minimum_fill_seconds: u32,
    /// One reminder after so many days to whoever has not answered; none without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_after_days: Option<u32>,
    /// Whether the form has a page for a booth's tablet, with a budget of its own.
    #[serde(default)]
    pub kiosk: bool,
    /// Origins whose scripts may post to this form (CORS): `https://www.example.org`.
    #[serde(default)]
    pub origins: Vec<String>,
    #[serde(default)]
    pub redirect_after_signup: Option<String>,
    #[serde(default)]
    pub redirect_after_confirmation: Option<String>,
    #[serde(default)]
    pub title: Texts,
    #[serde(default)]
    pub intro: Texts,
    #[serde(default)]
    pub consent: Texts,
    #[serde(default)]
    pub button: Texts,
}

impl FormDeclaration {
    /// How long after the signup the reminder is due.
    pub fn remind_after(&self) -> Option<Duration> {
        let days = self.remind_after_days?;
        Some(Duration::from_secs(u64::from(days) * 86_400))
    }
}

fn default_languages() -> Vec<String> {
    LANGUAGES.iter().map(|&tag| tag.to_owned()).collect()
}

const fn default_fill_seconds() -> u32 {
    1
}

/// One purpose as a version shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPurpose {
    pub slug: Slug,
    pub name: Texts,
    pub wording: Texts,
    /// A box that the person may tick; otherwise the form is for it.
    pub choice: bool,
}

/// Everything that a person reads on a form, in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormContent {
    pub form: Slug,
    pub brand: Slug,
    pub brand_name: String,
    pub legal_name: String,
    pub privacy_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_version: Option<String>,
    pub languages: Vec<String>,
    pub asks_name: bool,
    pub purposes: Vec<ShownPurpose>,
    pub title: Texts,
    pub intro: Texts,
    pub consent: Texts,
    pub button: Texts,
}

/// The name of a version: SHA-256 of the page that shows it, written as 64 hexadecimal digits.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct VersionHash(String);

impl VersionHash {
    /// The name of the version that this page shows.
    pub fn of_page(page: &[u8]) -> Self {
        let digest = Sha256::digest(page);
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The name under which a version was kept.
    pub fn stored(hash: String) -> Self {
        Self(hash)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FormContent {
    /// The content as it is kept beside the page: JSON with a fixed order of fields and sorted languages.
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The page that shows what a person reads, in each language. Kept with the version, since its bytes have the name.
    pub fn shown(&self) -> String {
        shown::document(self)
    }

    /// Whether this is the content that a kept page shows. A page that an earlier program drew looks otherwise: then all of the
    /// words must stand in it.
    pub fn is_shown_by(&self, page: &str) -> bool {
        self.shown() == page || shown::words(self).iter().all(|word| page.contains(word))
    }

    pub fn hash(&self) -> VersionHash {
        VersionHash::of_page(self.shown().as_bytes())
    }

    /// Fills in what the declaration leaves out. `default_text` gives the product's own words for a key and a language.
    pub fn compose(
        brand: &BrandDeclaration,
        form: &FormDeclaration,
        default_text: &dyn Fn(&str, &str, &str) -> String,
    ) -> Self {
        let shown = |slug: &Slug, choice: bool| {
            brand
                .purposes
                .iter()
                .find(|purpose| purpose.slug == *slug)
                .map(|purpose| ShownPurpose {
                    slug: slug.clone(),
                    name: purpose.name.clone(),
                    wording: purpose.wording.clone(),
                    choice,
                })
        };
        let purposes: Vec<ShownPurpose> = form
            .purposes
            .iter()
            .filter_map(|slug| shown(slug, false))
            .chain(form.choices.iter().filter_map(|slug| shown(slug, true)))
            .collect();
        let filled = |own: &Texts, key: &str| -> Texts {
            form.languages
                .iter()
                .map(|language| {
                    let text = own
                        .get(language)
                        .cloned()
                        .unwrap_or_else(|| default_text(key, language, &brand.name));
                    (language.clone(), text)
                })
                .collect()
        };
        Self {
            form: form.slug.clone(),
            brand: brand.slug.clone(),
            brand_name: brand.name.clone(),
            legal_name: brand.legal_name.clone(),
            privacy_url: brand.privacy_url.clone(),
            privacy_version: brand.privacy_version.clone(),
            languages: form.languages.clone(),
            asks_name: form.asks_name,
            title: filled(&form.title, "form-default-title"),
            intro: filled(&form.intro, "form-default-intro"),
            consent: filled(&form.consent, "form-default-consent"),
            button: filled(&form.button, "form-default-button"),
            purposes,
        }
    }
}

/// A form in use, with every version it ever had: a person may still have an old one open.
#[derive(Clone, Debug)]
pub struct Form {
    pub id: FormId,
    pub brand: BrandId,
    pub declared: FormDeclaration,
    pub current: VersionHash,
    pub versions: BTreeMap<VersionHash, FormContent>,
}

impl Form {
    /// The version that the person was shown, if it names one of this form; else the current one.
    pub fn version_shown(&self, named: Option<&str>) -> &VersionHash {
        named
            .and_then(|name| self.versions.keys().find(|hash| hash.as_str() == name))
            .unwrap_or(&self.current)
    }

    pub fn content(&self, version: &VersionHash) -> Option<&FormContent> {
        self.versions.get(version)
    }

    /// Whether people who signed up may have no page of ours before them that waits for the code: it led them on, or a booth's tablet
    /// went to the next person.
    pub const fn leaves_no_page(&self) -> bool {
        self.declared.redirect_after_signup.is_some() || self.declared.kiosk
    }

    /// Whether a URL may be the target of a redirect or of a script's post: exactly one of the form's origins.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.declared.origins.iter().any(|own| own == origin)
    }
}

/// Everything wrong with a declaration, each with what to do.
pub fn problems_of(brand: &BrandDeclaration) -> Vec<String> {
    let mut problems = Vec::new();
    let at = |what: &str| format!("brand \"{}\": {what}", brand.slug);
    if super::brand::Accent::of(&brand.accent).is_none() {
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
    if !(1..=90).contains(&brand.confirm_within_days) {
        problems.push(at("confirm_within_days must be 1 to 90"));
    }
    if !(1..=ACTIVE_WITHIN_AT_MOST).contains(&brand.active_within_months) {
        problems.push(at(&format!(
            "active_within_months must be 1 to {ACTIVE_WITHIN_AT_MOST}"
        )));
    }
    if brand.role_addresses == super::brand::RoleAddresses::ConfirmFirst
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
        if purpose.name.is_empty() || purpose.wording.is_empty() {
            problems.push(at(&format!(
                "purpose \"{}\" needs name.en and wording.en",
                purpose.slug
            )));
        }
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
    let texts = [&form.title, &form.intro, &form.consent, &form.button];
    for language in form
        .languages
        .iter()
        .chain(texts.into_iter().flat_map(Texts::keys))
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

//! Forms and their versions. A version is the exact wording that a person was shown; it never changes and is named by
//! the SHA-256 of the page that shows it, so that a signup can point to it for ever.

mod problems;
pub mod shown;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::brand::{BrandDeclaration, LANGUAGES, Slug, Texts};
use super::ids::{BrandId, FormId};

pub use self::problems::problems_of;

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

//! Brands and what they ask for. Declared in a TOML file, kept as data, read on each request from memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circumstances::KeepCircumstances;
use super::form::FormDeclaration;
use super::ids::BrandId;
use super::policy::{ACTIVE_WITHIN_MONTHS, Overlay, ZoneName};
use super::reconfirm::Reconfirm;

/// A text in several languages: language tag to text.
pub type Texts = BTreeMap<String, String>;

/// The languages that the product speaks by itself. A declaration may add texts in these only.
pub const LANGUAGES: [&str; 5] = ["en", "nl", "de", "fr", "es"];

/// A name in URLs, files and the API: 1 to 40 of `a-z`, `0-9`, `-`, beginning with a letter.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
)]
#[serde(try_from = "String")]
#[sqlx(transparent)]
pub struct Slug(String);

impl Slug {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.len() <= 40
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits {
            Ok(Self(text))
        } else {
            Err(format!(
                "\"{}\" is no name: use 1 to 40 of a-z, 0-9 and '-', beginning with a letter",
                text.chars().take(60).collect::<String>().escape_debug()
            ))
        }
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a brand does with role addresses such as `info@` (rule O6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleAddresses {
    #[default]
    Refuse,
    /// Allowed once somebody named answers for it; each use is kept as a deviation.
    ConfirmFirst,
}

/// One kind of mail that a person can agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeDeclaration {
    pub slug: Slug,
    pub name: Texts,
    /// What the person agrees to, in full.
    pub wording: Texts,
}

/// Proof that outlives an erasure, for the establishment, exercise or defence of legal claims (GDPR, article 17(3)(e)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepProof {
    /// Which claims, and why so long. It stands in the log and in what the operator is told.
    pub reason: String,
    /// Of 365 days each; then it is deleted.
    pub years: u32,
    /// The key that it is sealed to (X25519, base64). The private one lies in a safe.
    pub public_key: String,
}

impl KeepProof {
    pub fn kept_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.years) * 365 * 86_400)
    }
}

/// A brand as its file declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrandDeclaration {
    pub slug: Slug,
    pub name: String,
    pub legal_name: String,
    pub postal_address: Vec<String>,
    /// Whom a person writes to about their data: an address or a URL.
    pub contact: String,
    /// The sender of confirmation mails.
    pub from_address: String,
    #[serde(default)]
    pub reply_to: Option<String>,
    /// `#rrggbb`; the text on it is chosen by us for contrast.
    #[serde(default = "default_accent")]
    pub accent: String,
    #[serde(default)]
    pub privacy_url: Option<String>,
    /// Which version of the privacy notice stands there: a date or a number, as the notice itself names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_version: Option<String>,
    #[serde(default)]
    pub home_url: Option<String>,
    #[serde(default)]
    pub logo_url: Option<String>,
    /// True: a signup gives no basis at all until it is confirmed. False: implicit consent by rule A1.
    #[serde(default)]
    pub hold_until_confirmed: bool,
    #[serde(default)]
    pub role_addresses: RoleAddresses,
    /// Who answers for role addresses, where they are allowed.
    #[serde(default)]
    pub responsible: Option<String>,
    /// In which the windows of the consent policy begin and end.
    #[serde(default)]
    pub time_zone: ZoneName,
    /// Stricter local law that is switched on.
    #[serde(default)]
    pub overlays: BTreeSet<Overlay>,
    /// How long after the last activity a member counts as active (rule A5).
    #[serde(default = "default_active_within_months")]
    pub active_within_months: u16,
    #[serde(default = "default_confirm_within_days")]
    pub confirm_within_days: u32,
    /// After which time people who confirmed are asked again; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconfirm: Option<Reconfirm>,
    /// Mails an hour for this brand; 0 is no limit.
    #[serde(default)]
    pub mails_per_hour: u32,
    #[serde(default = "default_true")]
    pub checked_by_line: bool,
    /// How much is kept of network addresses and browsers.
    #[serde(default, skip_serializing_if = "KeepCircumstances::is_whole")]
    pub circumstances: KeepCircumstances,
    /// Without it an erasure leaves no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_proof_after_erasure: Option<KeepProof>,
    #[serde(default, rename = "purpose")]
    pub purposes: Vec<PurposeDeclaration>,
    #[serde(default, rename = "form")]
    pub forms: Vec<FormDeclaration>,
}

impl BrandDeclaration {
    /// A brand that says nothing yet: what a file may leave out is as it would be then.
    pub fn blank(slug: Slug) -> Self {
        Self {
            slug,
            name: String::new(),
            legal_name: String::new(),
            postal_address: Vec::new(),
            contact: String::new(),
            from_address: String::new(),
            reply_to: None,
            accent: default_accent(),
            privacy_url: None,
            privacy_version: None,
            home_url: None,
            logo_url: None,
            hold_until_confirmed: false,
            role_addresses: RoleAddresses::default(),
            responsible: None,
            time_zone: ZoneName::default(),
            overlays: BTreeSet::new(),
            active_within_months: default_active_within_months(),
            confirm_within_days: default_confirm_within_days(),
            reconfirm: None,
            mails_per_hour: 0,
            checked_by_line: true,
            circumstances: KeepCircumstances::default(),
            keep_proof_after_erasure: None,
            purposes: Vec::new(),
            forms: Vec::new(),
        }
    }
}

fn default_accent() -> String {
    "#1f5f8b".to_owned()
}

const fn default_active_within_months() -> u16 {
    ACTIVE_WITHIN_MONTHS
}

const fn default_confirm_within_days() -> u32 {
    7
}

const fn default_true() -> bool {
    true
}

/// A brand in use: its declaration, with the id and the number that the database gave it.
#[derive(Clone, Debug)]
pub struct Brand {
    pub id: BrandId,
    /// Stands for the brand in tokens; never given twice.
    pub number: u16,
    pub declared: BrandDeclaration,
}

impl Brand {
    pub fn confirm_within(&self) -> Duration {
        Duration::from_secs(u64::from(self.declared.confirm_within_days) * 86_400)
    }

    pub fn purpose(&self, slug: &Slug) -> Option<&PurposeDeclaration> {
        self.declared
            .purposes
            .iter()
            .find(|purpose| purpose.slug == *slug)
    }
}

/// An accent colour with the text colour that can be read on it, and both again for dark pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accent {
    pub colour: String,
    pub ink: &'static str,
    pub dark: String,
    pub dark_ink: &'static str,
}

impl Accent {
    /// Chooses black or white for the better contrast (WCAG 2.2, relative luminance). Either gives at least 4.58 : 1 on
    /// any colour, so AA holds for normal text whatever the brand picks. On dark pages the accent is lightened until it
    /// stands out by 4.5 : 1 from the page's `#17181a`; on light ones darkened in the same way, since it also colours links.
    pub fn of(text: &str) -> Option<Self> {
        let rgb = parse_colour(text)?;
        let light = shift_until(rgb, [255.0; 3], -1.0);
        let dark = shift_until(rgb, [23.0, 24.0, 26.0], 1.0);
        Some(Self {
            colour: hex(light),
            ink: ink(light),
            dark: hex(dark),
            dark_ink: ink(dark),
        })
    }
}

fn parse_colour(text: &str) -> Option<[f64; 3]> {
    let digits = text
        .strip_prefix('#')
        .filter(|d| d.len() == 6 && d.is_ascii())?;
    let mut rgb = [0.0; 3];
    for (at, value) in rgb.iter_mut().enumerate() {
        *value = f64::from(u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).ok()?);
    }
    Some(rgb)
}

fn luminance(rgb: [f64; 3]) -> f64 {
    let linear = rgb.map(|value| {
        let share = value / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

fn ink(rgb: [f64; 3]) -> &'static str {
    if contrast(rgb, [255.0; 3]) >= contrast(rgb, [0.0; 3]) {
        "#ffffff"
    } else {
        "#000000"
    }
}

fn shift_until(mut rgb: [f64; 3], page: [f64; 3], direction: f64) -> [f64; 3] {
    let target = if direction > 0.0 { 255.0 } else { 0.0 };
    for _ in 0..40 {
        if contrast(rgb, page) >= 4.5 {
            break;
        }
        rgb = rgb.map(|value| value + (target - value) * 0.08);
    }
    rgb
}

fn hex(rgb: [f64; 3]) -> String {
    let [r, g, b] = rgb.map(|value| value.round().clamp(0.0, 255.0) as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The text in the wanted language, else in English, else in any.
pub fn in_language<'a>(texts: &'a Texts, language: &str) -> &'a str {
    texts
        .get(language)
        .or_else(|| texts.get("en"))
        .or_else(|| texts.values().next())
        .map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_gets_readable_text_in_light_and_dark() {
        for colour in [
            "#ffff00", "#000000", "#ffffff", "#808080", "#1f5f8b", "#ff0000", "#00ff00", "#0000ff",
        ] {
            let accent = Accent::of(colour).unwrap();
            for (background, text) in [
                (&accent.colour, accent.ink),
                (&accent.dark, accent.dark_ink),
            ] {
                let ratio = contrast(
                    parse_colour(background).unwrap(),
                    parse_colour(text).unwrap(),
                );
                assert!(ratio >= 4.5, "{colour}: {background} with {text}: {ratio}");
            }
        }
        assert_eq!(Accent::of("red"), None);
        assert_eq!(Accent::of("#12345ü"), None);
    }

    #[test]
    fn a_name_with_a_slash_or_a_capital_is_refused() {
        for bad in ["", "A", "a/b", "a b", "-a", "1a"] {
            assert!(Slug::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Slug::try_from("news-2026".to_owned()).is_ok());
    }
}

//! What people were asked in: form versions, each in each language in which it was.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::prove::dossier::Dossier;
use crate::domain::brand::Slug;
use crate::domain::event::Fact;
use crate::domain::form::VersionHash;
use crate::domain::time::Timestamp;

/// The wording of a request: that of the form that was filled in, or of the one that a campaign asked with.
#[derive(Clone, Copy)]
pub(super) struct Notice<'a> {
    form: &'a Slug,
    version: &'a VersionHash,
    language: &'a str,
    pub(super) expires_at: Timestamp,
}

impl<'a> Notice<'a> {
    pub(super) fn of(fact: &'a Fact) -> Option<Self> {
        match fact {
            Fact::SignedUp(signup) => Some(Self {
                form: &signup.form,
                version: &signup.form_version,
                language: &signup.language,
                expires_at: signup.confirmation_expires_at,
            }),
            Fact::Invited(invited) => Some(Self {
                form: &invited.form,
                version: &invited.form_version,
                language: &invited.language,
                expires_at: invited.confirmation_expires_at,
            }),
            _ => None,
        }
    }

    /// A form version in one of its languages.
    pub(super) fn id(&self) -> String {
        format!("forms/{}.html#{}", self.version.as_str(), self.language)
    }

    fn json(&self) -> Value {
        json!({
            "@id": self.id(),
            "@type": "dpv:ConsentNotice",
            "dct:identifier": format!("sha-256:{}", self.version.as_str()),
            "dct:language": self.language,
            "dct:title": self.form,
        })
    }
}

pub(super) fn all(dossier: &Dossier) -> Vec<Value> {
    let shown: BTreeMap<(&str, &str), Notice<'_>> = dossier
        .entries
        .iter()
        .filter_map(|entry| Notice::of(&entry.event.fact))
        .map(|notice| ((notice.version.as_str(), notice.language), notice))
        .collect();
    shown.values().map(Notice::json).collect()
}

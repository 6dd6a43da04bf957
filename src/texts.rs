//! The words of pages and mails, in each language (Fluent). Built into the binary.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::domain::brand::LANGUAGES;

type Bundle = FluentBundle<FluentResource>;

macro_rules! sources {
    ($($language:literal),+) => {
        [$((
            $language,
            [
                include_str!(concat!("../locales/", $language, "/public.ftl")),
                include_str!(concat!("../locales/", $language, "/mail.ftl")),
            ],
        )),+]
    };
}

static BUNDLES: LazyLock<HashMap<&'static str, Bundle>> = LazyLock::new(|| {
    sources!("en", "nl", "de", "fr", "es")
        .into_iter()
        .map(|(language, files)| (language, bundle(language, files)))
        .collect()
});

fn bundle(language: &str, files: [&'static str; 2]) -> Bundle {
    let id: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // The isolation marks would end up in subjects and URLs.
    bundle.set_use_isolating(false);
    for file in files {
        // A test holds that every file parses; should one not, its other messages still work.
        let resource =
            FluentResource::try_new(file.to_owned()).unwrap_or_else(|(partial, _)| partial);
        let _ = bundle.add_resource(resource);
    }
    bundle
}

/// The texts of one language; cheap to copy. A text that a language lacks is given in English.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    language: &'static str,
}

impl Texts {
    /// The texts of a language that is known, else English.
    pub fn of(language: &str) -> Self {
        let known = LANGUAGES.iter().find(|known| **known == language);
        Self {
            language: known.copied().unwrap_or("en"),
        }
    }

    pub const fn language(&self) -> &'static str {
        self.language
    }

    /// The direction of writing; every language so far runs from left to right.
    pub const fn direction(&self) -> &'static str {
        "ltr"
    }

    pub fn get(&self, id: &str) -> String {
        self.format(id, None)
    }

    pub fn arg(&self, id: &str, name: &str, value: impl AsRef<str>) -> String {
        let mut args = FluentArgs::with_capacity(1);
        args.set(name, value.as_ref());
        self.format(id, Some(&args))
    }

    pub fn arg2(
        &self,
        id: &str,
        name1: &str,
        value1: impl AsRef<str>,
        name2: &str,
        value2: impl AsRef<str>,
    ) -> String {
        let mut args = FluentArgs::with_capacity(2);
        args.set(name1, value1.as_ref());
        args.set(name2, value2.as_ref());
        self.format(id, Some(&args))
    }

    /// Whether a text exists in this very language.
    pub fn has(&self, id: &str) -> bool {
        BUNDLES
            .get(self.language)
            .is_some_and(|bundle| bundle.has_message(id))
    }

    fn format(&self, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        for language in [self.language, "en"] {
            let Some(bundle) = BUNDLES.get(language) else {
                continue;
            };
            let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
                continue;
            };
            let mut errors = Vec::new();
            return bundle
                .format_pattern(pattern, args, &mut errors)
                .into_owned();
        }
        id.to_owned()
    }
}

/// The best language among those offered for an Accept-Language header: by weight, then by order (RFC 9110, section
/// 12.5.4), each range cut from the right until it fits (lookup, RFC 4647, section 3.4).
pub fn negotiate(offered: &[String], accepted: &str) -> Option<String> {
    // A browser's header has a handful of entries; the rest of a longer one is not looked at.
    let mut wanted: Vec<(u32, &str)> = accepted
        .split(',')
        .take(20)
        .filter_map(|entry| {
            let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
            // Three digits at most stand behind the point.
            let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u32;
            (thousandths > 0).then_some((thousandths, range.trim()))
        })
        .collect();
    wanted.sort_by_key(|entry| std::cmp::Reverse(entry.0));
    wanted.into_iter().find_map(|(_, range)| {
        let primary = range.split('-').next().unwrap_or(range);
        offered
            .iter()
            .find(|tag| tag.eq_ignore_ascii_case(range))
            .or_else(|| offered.iter().find(|tag| tag.eq_ignore_ascii_case(primary)))
            .cloned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_is_offered_wins_and_a_region_falls_back_to_its_language() {
        let offered = ["en", "nl", "de"].map(str::to_owned);
        let best = |header| negotiate(&offered, header);
        assert_eq!(best("de-AT,en;q=0.5").as_deref(), Some("de"));
        assert_eq!(best("en;q=0.2, nl;q=0.9").as_deref(), Some("nl"));
        assert_eq!(best("pt, *;q=0.1").as_deref(), None);
        assert_eq!(best("de;q=0, en;q=0.1").as_deref(), Some("en"));
        assert_eq!(best(";;,,q=").as_deref(), None);
    }
}

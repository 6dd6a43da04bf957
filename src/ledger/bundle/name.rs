//! The names that a bundle may hold.

pub const CHECKPOINT: &str = "checkpoint";
pub const CONSISTENCY: &str = "consistency.json";
pub const LOG_KEY: &str = "log-key.pub";

/// The part of an anchor's name that its three files share is no longer than this.
const NAME_AT_MOST: usize = 100;

/// The pages for people and other programs; the check does not read them, but the manifest lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    Report,
    Record,
    Verifier,
    HowToVerify,
}

impl Page {
    pub const ALL: [Self; 4] = [
        Self::Report,
        Self::Record,
        Self::Verifier,
        Self::HowToVerify,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report.html",
            Self::Record => "record.jsonld",
            Self::Verifier => "verify.html",
            Self::HowToVerify => "HOW-TO-VERIFY.md",
        }
    }
}

pub fn event(number: usize) -> String {
    format!("events/{number:04}.json")
}

pub fn proof(number: usize) -> String {
    format!("proofs/{number:04}.tlog-proof")
}

pub fn mail(number: usize) -> String {
    format!("mails/{number:04}.eml")
}

pub fn circumstances(number: usize) -> String {
    format!("circumstances/{number:04}.json")
}

pub fn form(hash: &str) -> String {
    format!("forms/{hash}.html")
}

pub fn anchor(name: &str, ending: &str) -> String {
    format!("anchors/{name}.{ending}")
}

pub const ANCHOR_ENDINGS: [&str; 3] = ["checkpoint", "tsr", "pem"];

/// The number in `FOLDER/NNNN.ENDING`; there is one way to write each.
pub fn number(name: &str, folder: &str, ending: &str) -> Option<usize> {
    let digits = within(name, folder, ending)?;
    let number = digits
        .parse()
        .ok()
        .filter(|number| *number > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    (format!("{number:04}") == digits).then_some(number)
}

/// The middle of `FOLDER/MIDDLE.ENDING`.
pub fn within<'a>(name: &'a str, folder: &str, ending: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(folder)?.strip_prefix('/')?;
    rest.strip_suffix(ending)?.strip_suffix('.')
}

/// Whether an anchor may be called so: letters, digits, `.`, `-` and `_`, the first no dot.
pub fn is_anchor_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !name.is_empty()
        && name.len() <= NAME_AT_MOST
        && !name.starts_with('.')
        && name.bytes().all(is_plain)
}

pub fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a bundle may hold a file of this name, the manifest left out.
pub fn is_known(name: &str) -> bool {
    [CHECKPOINT, CONSISTENCY, LOG_KEY].contains(&name)
        || Page::ALL.iter().any(|page| page.name() == name)
        || number(name, "events", "json").is_some()
        || number(name, "proofs", "tlog-proof").is_some()
        || number(name, "mails", "eml").is_some()
        || number(name, "circumstances", "json").is_some()
        || within(name, "forms", "html").is_some_and(is_hash)
        || ANCHOR_ENDINGS
            .iter()
            .any(|ending| within(name, "anchors", ending).is_some_and(is_anchor_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_document_are_known_and_no_others() {
        let hash = "0f".repeat(32);
        for good in [
            event(1),
            event(9_999),
            event(10_000),
            proof(12),
            mail(3),
            circumstances(4),
            form(&hash),
            anchor("2026-11-23_tsa.example", "tsr"),
            "report.html".to_owned(),
            "log-key.pub".to_owned(),
        ] {
            assert!(is_known(&good), "{good}");
        }
        for bad in [
            "",
            "MANIFEST",
            "events/0000.json",
            "events/1.json",
            "events/00001.json",
            "events/+001.json",
            "events/0001.JSON",
            "events/../events/0001.json",
            "proofs/0001.json",
            "circumstances/1.json",
            "circumstances/",
            "forms/abc.html",
            "anchors/.tsr",
            "anchors/a/b.tsr",
            "anchors/../x.tsr",
            "anchors/a.exe",
            "README",
        ] {
            assert!(!is_known(bad), "{bad}");
        }
        assert!(!is_known(&form(&hash.to_uppercase())));
        assert_eq!(number("events/10000.json", "events", "json"), Some(10_000));
    }
}

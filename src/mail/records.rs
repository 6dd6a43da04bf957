//! What a domain says of its mail in the DNS, read as receivers read it: SPF (RFC 7208), DKIM (RFC 6376) and DMARC
//! (RFC 7489). Only as much as tells whether it is there and says something; who may send is not evaluated.

/// How a domain's SPF record ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spf {
    Missing,
    /// More than one: receivers take that for an error (section 4.5).
    Several,
    /// It passes everybody on the internet: `+all`, or `all` alone.
    PassesAll,
    /// It says nothing of others: `?all`, or no `all` and no `redirect`.
    Neutral,
    /// `-all`, `~all`, or what another domain says.
    Ends,
}

/// Reads the records of text of a domain.
pub fn spf(texts: &[String]) -> Spf {
    let mut records = texts.iter().filter(|text| is_spf(text));
    let Some(record) = records.next() else {
        return Spf::Missing;
    };
    if records.next().is_some() {
        return Spf::Several;
    }
    let terms: Vec<String> = record
        .split_ascii_whitespace()
        .skip(1)
        .map(str::to_ascii_lowercase)
        .collect();
    // What stands behind `all` is ignored, and `redirect` counts only where there is none (sections 5.1 and 6.1).
    for term in &terms {
        match term.as_str() {
            "all" | "+all" => return Spf::PassesAll,
            "?all" => return Spf::Neutral,
            "-all" | "~all" => return Spf::Ends,
            _ => {}
        }
    }
    if terms.iter().any(|term| term.starts_with("redirect=")) {
        Spf::Ends
    } else {
        Spf::Neutral
    }
}

fn is_spf(text: &str) -> bool {
    let start = text.get(..6).unwrap_or_default();
    start.eq_ignore_ascii_case("v=spf1") && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// How a published key stands to the one that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedKey {
    Missing,
    /// Its `p` is empty (section 3.6.1).
    Revoked,
    /// Another key, or another kind of key.
    Other,
    /// Ours, marked as a trial (`t=y`): receivers treat the mail as if it were not signed.
    Trial,
    Ours,
}

/// Compares the records of a selector with ours.
pub fn dkim(texts: &[String], ours: &str) -> PublishedKey {
    let key = |text: &str| {
        let kind = tag(text, "k").unwrap_or_else(|| "rsa".to_owned());
        let p: String = tag(text, "p")?.split_ascii_whitespace().collect();
        Some((kind.to_ascii_lowercase(), p))
    };
    let published: Vec<_> = texts
        .iter()
        .filter_map(|text| Some((text, key(text)?)))
        .collect();
    if published.is_empty() {
        return PublishedKey::Missing;
    }
    let wanted = key(ours);
    let same = published
        .iter()
        .find(|(_, one)| Some(one) == wanted.as_ref());
    match same {
        Some((text, _)) => {
            let flags = tag(text, "t").unwrap_or_default();
            if flags.split(':').any(|flag| flag.trim() == "y") {
                PublishedKey::Trial
            } else {
                PublishedKey::Ours
            }
        }
        None if published.iter().all(|(_, (_, p))| p.is_empty()) => PublishedKey::Revoked,
        None => PublishedKey::Other,
    }
}

/// What a domain asks receivers to do with mail that is not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dmarc {
    Missing,
    /// More than one: receivers apply none (section 6.6.3).
    Several,
    /// Its policy is missing or unknown.
    Broken,
    /// `none`, `quarantine` or `reject`.
    Policy(String),
}

/// Reads the records of `_dmarc` of a domain.
pub fn dmarc(texts: &[String]) -> Dmarc {
    let is_dmarc = |text: &&String| {
        let first = text.split(';').next().unwrap_or_default();
        let pair = first.split_once('=');
        pair.is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
    };
    let mut records = texts.iter().filter(is_dmarc);
    let Some(record) = records.next() else {
        return Dmarc::Missing;
    };
    if records.next().is_some() {
        return Dmarc::Several;
    }
    let policy = tag(record, "p").unwrap_or_default().to_ascii_lowercase();
    if matches!(policy.as_str(), "none" | "quarantine" | "reject") {
        Dmarc::Policy(policy)
    } else {
        Dmarc::Broken
    }
}

/// The value of a tag in a list such as `v=DKIM1; p=…`.
fn tag(text: &str, wanted: &str) -> Option<String> {
    text.split(';')
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim() == wanted)
        .map(|(_, value)| value.trim().to_owned())
}

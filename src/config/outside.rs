//! Who outside watches the log: time-stamping authorities and witnesses; and how webhooks reach others.

use std::collections::BTreeMap;
use std::time::Duration;

use super::reader::Reader;
use crate::ledger::note::{COSIGNATURE, Verifier};
use crate::ledger::timestamp::{self, Certificate};
use crate::outgoing;

/// Each adds a request at every interval, and a token to every bundle.
const AUTHORITIES_AT_MOST: usize = 16;
/// Each adds a line to the head of the log.
const WITNESSES_AT_MOST: usize = 16;

/// A time-stamping authority (RFC 3161).
#[derive(Clone, Debug)]
pub struct Authority {
    /// What it is called here; its stamps are kept under this name.
    pub name: String,
    pub url: String,
    /// The policy that its tokens must be under; none leaves it to the authority.
    pub policy: Option<String>,
    /// The root certificates that its chain must lead to. Without any, the one of its first stamp is kept to.
    pub roots: Vec<Certificate>,
}

/// The timestamps of the log.
#[derive(Clone, Debug)]
pub struct Timestamps {
    pub authorities: Vec<Authority>,
    pub every: Duration,
    /// How long an authority may take.
    pub within: Duration,
    pub allow_private: bool,
}

/// A witness (C2SP tlog-witness).
#[derive(Clone, Debug)]
pub struct Witness {
    pub key: Verifier,
    /// The submission prefix, without a slash at its end.
    pub url: String,
}

/// The witnesses of the log.
#[derive(Clone, Debug)]
pub struct Witnesses {
    pub witnesses: Vec<Witness>,
    /// How long a witness may take.
    pub within: Duration,
    pub allow_private: bool,
}

/// How webhooks are sent.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks {
    /// How long a receiver may take.
    pub within: Duration,
    /// Whether they may go to this machine and to private networks, and without TLS.
    pub allow_private: bool,
}

impl Reader<'_> {
    pub(super) fn webhooks(&mut self) -> Webhooks {
        let within = self.number("webhook", "within_seconds", 1, 60);
        Webhooks {
            within: Duration::from_secs(u64::from(within)),
            allow_private: self.flag("webhook", "allow_private"),
        }
    }

    pub(super) fn witnesses(&mut self) -> Witnesses {
        let allow_private = self.flag("witness", "allow_private");
        let mut witnesses: Vec<Witness> = Vec::new();
        for item in items(&self.text("witness", "witnesses")) {
            match witness(item, allow_private) {
                Ok(new) if witnesses.iter().any(|known| known.key.name == new.key.name) => {
                    let what = format!("the name \"{}\" stands twice", new.key.name);
                    self.wrong("witness", "witnesses", &what);
                }
                Ok(new) => witnesses.push(new),
                Err(why) => self.wrong("witness", "witnesses", &why),
            }
        }
        if witnesses.len() > WITNESSES_AT_MOST {
            self.wrong("witness", "witnesses", "more than 16 are too many");
        }
        let within = self.number("witness", "within_seconds", 1, 120);
        Witnesses {
            witnesses,
            within: Duration::from_secs(u64::from(within)),
            allow_private,
        }
    }

    pub(super) fn timestamps(&mut self) -> Timestamps {
        let allow_private = self.flag("timestamp", "allow_private");
        let mut policies = self.by_name("timestamp", "policies");
        let mut roots = self.by_name("timestamp", "roots");
        let mut authorities = Vec::new();
        for (name, url) in self.named("timestamp", "authorities") {
            if let Err(why) = outgoing::check_url(&url, allow_private) {
                self.wrong("timestamp", "authorities", &why);
            }
            authorities.push(Authority {
                policy: policies.remove(&name).and_then(|text| self.policy(text)),
                roots: roots
                    .remove(&name)
                    .map_or_else(Vec::new, |path| self.roots(&path)),
                name,
                url,
            });
        }
        for (key, left) in [("policies", policies), ("roots", roots)] {
            for name in left.keys() {
                let what = format!("\"{name}\" does not stand under authorities");
                self.wrong("timestamp", key, &what);
            }
        }
        if authorities.len() > AUTHORITIES_AT_MOST {
            self.wrong("timestamp", "authorities", "more than 16 are too many");
        }
        let every = self.number("timestamp", "every_minutes", 1, 10_080);
        let within = self.number("timestamp", "within_seconds", 1, 120);
        Timestamps {
            authorities,
            every: Duration::from_secs(60 * u64::from(every)),
            within: Duration::from_secs(u64::from(within)),
            allow_private,
        }
    }

    fn policy(&mut self, text: String) -> Option<String> {
        // Written into a request on trial, it is checked by whoever has to write it.
        match timestamp::request(b"", 0, Some(&text)) {
            Ok(_) => Some(text),
            Err(problem) => {
                self.wrong("timestamp", "policies", &problem.to_string());
                None
            }
        }
    }

    fn roots(&mut self, path: &str) -> Vec<Certificate> {
        let read = std::fs::read(self.folder.join(path)).map_err(|error| error.to_string());
        let read = read
            .and_then(|pem| Certificate::all_from_pem(&pem).map_err(|problem| problem.to_string()));
        read.unwrap_or_else(|why| {
            self.wrong("timestamp", "roots", &format!("{path}: {why}"));
            Vec::new()
        })
    }

    fn by_name(&mut self, section: &'static str, key: &'static str) -> BTreeMap<String, String> {
        self.named(section, key).into_iter().collect()
    }

    /// A list of `NAME=VALUE`, each name once.
    fn named(&mut self, section: &'static str, key: &'static str) -> Vec<(String, String)> {
        let text = self.text(section, key);
        let mut found: Vec<(String, String)> = Vec::new();
        for item in items(&text) {
            let parts = item.split_once('=');
            match parts.map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, value)) if is_name(name) && !value.is_empty() => {
                    if found.iter().any(|known| known.0 == name) {
                        self.wrong(section, key, &format!("the name \"{name}\" stands twice"));
                    } else {
                        found.push((name.to_owned(), value.to_owned()));
                    }
                }
                _ => self.wrong(
                    section,
                    key,
                    &format!(
                        "\"{item}\" is not NAME=VALUE, with a name of 1 to 40 letters, digits, dots and hyphens \
                         (a comma in a URL is written %2C)"
                    ),
                ),
            }
        }
        found
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// Reads `VKEY URL`.
fn witness(item: &str, allow_private: bool) -> Result<Witness, String> {
    let (vkey, url) = item.split_once(' ').ok_or_else(|| {
        format!("\"{item}\" is not a key and a URL with a space between: NAME+ID+KEY https://witness.example/")
    })?;
    let key = Verifier::parse(vkey).map_err(|problem| format!("\"{vkey}\": {problem}"))?;
    if key.kind != COSIGNATURE {
        return Err(format!(
            "\"{vkey}\" is a log's key; a witness's is of the type for Ed25519 cosignatures (4)"
        ));
    }
    let url = url.trim().trim_end_matches('/').to_owned();
    outgoing::check_url(&url, allow_private)?;
    if url.contains('?') {
        return Err(format!("the URL of {} must not hold a ?", key.name));
    }
    Ok(Witness { key, url })
}

/// A name that can stand in a file's name, a metric's label and a line of output.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.')
}

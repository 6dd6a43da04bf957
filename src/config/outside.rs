//! Who outside watches the log: time-stamping authorities.

use std::collections::BTreeMap;
use std::time::Duration;

use super::reader::Reader;
use crate::ledger::timestamp::{self, Certificate};
use crate::outgoing;

/// Each adds a request at every interval, and a token to every bundle.
const AUTHORITIES_AT_MOST: usize = 16;

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

impl Reader<'_> {
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
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
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

/// A name that can stand in a file's name, a metric's label and a line of output.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.')
}

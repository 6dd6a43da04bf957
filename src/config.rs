//! Settings: one table names them all; a file and the environment give values; everything is checked at once.
//!
//! This is the only module that reads files of settings or the environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};

use self::reader::Reader;
use crate::domain::breaker::Rules;
use crate::domain::budget::Limits;
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::reconfirm::MONTHS_AT_MOST;
use crate::domain::scanner::Thresholds;
use crate::store::Location;

pub use self::check::SettingsProblem;
pub use self::commented::commented_file;
pub use self::hooks::{Hooks, SecretHook, SesHook};
pub use self::ledger::Ledger;
pub use self::outside::{Authority, Timestamps, Webhooks, Witness, Witnesses};
pub use self::smtp::{Smtp, SmtpLogin, SmtpTls};
pub use self::table::{Kind, SETTINGS, Setting, environment_name};
pub use self::telemetry::Collector;

mod check;
mod commented;
mod hooks;
mod ledger;
mod outside;
mod reader;
mod secrets;
mod server;
mod smtp;
mod table;
mod telemetry;
#[cfg(test)]
mod tests;

/// Addresses for complaints: each is compared with every recipient that is named at the door.
const FEEDBACK_AT_MOST: usize = 20;

#[derive(Clone, Debug)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    pub key: SecretString,
}

/// How mail is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    pub per_domain_an_hour: u32,
    pub retry_for: Duration,
    pub max_tries: i64,
}

/// What comes back.
#[derive(Clone, Debug)]
pub struct Bounces {
    /// In lower case, as it goes over the wire.
    pub domain: Option<String>,
    pub listen: Option<SocketAddr>,
    /// Where providers send complaints, in lower case.
    pub feedback: Vec<String>,
    pub soft_limit: u32,
}

/// For how long what is of no further use is kept; none: as long as the rest.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub unconfirmed_for: Option<Duration>,
    /// Whom nobody ever asked: at least as long. Without a term for the others they have none.
    pub unasked_for: Option<Duration>,
    pub circumstances_for: Option<Duration>,
}

/// How long links to the preferences work.
#[derive(Clone, Copy, Debug)]
pub struct LinkTerms {
    /// Those that people asked for by mail.
    pub mailed: Duration,
    /// Those that programs get.
    pub handed_out: Duration,
}

/// Lists that operators bring in the pages.
#[derive(Clone, Debug)]
pub struct Uploads {
    pub folder: PathBuf,
    /// The longest one.
    pub bytes: u64,
    /// How many may lie there at once.
    pub at_most: usize,
}

/// Everything, typed and checked. Secrets do not show in its `Debug` form.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub base_url: String,
    pub trusted_proxies: Vec<IpNet>,
    pub workers: usize,
    pub any_domain: bool,
    pub database: Location,
    pub root_secrets: Vec<SecretSlice<u8>>,
    pub smtp: Smtp,
    pub dkim: Option<Dkim>,
    pub delivery: Delivery,
    pub limits: Limits,
    pub breaker: Rules,
    pub bounces: Bounces,
    pub hooks: Hooks,
    pub retention: Retention,
    pub links: LinkTerms,
    /// So many months whoever was asked again by time is left alone.
    pub asked_again_after: u16,
    pub thresholds: Thresholds,
    pub uploads: Uploads,
    pub ledger: Ledger,
    pub timestamps: Timestamps,
    pub witnesses: Witnesses,
    /// Whom to tell that implicit consent is about to lapse.
    pub notice_email: Option<String>,
    /// Requests a minute of one API key.
    pub requests_a_minute: u32,
    pub webhooks: Webhooks,
    pub log_json: bool,
    pub log_level: String,
    pub metrics_token: Option<SecretString>,
    /// Where machines are answered, beside the public address.
    pub telemetry_listen: Option<SocketAddr>,
    /// Where traces go; none: none are made.
    pub collector: Option<Collector>,
    /// Whether a secret stands in the file of settings itself, and the files that others were read from.
    pub file_holds_secrets: bool,
    pub secret_files: Vec<PathBuf>,
    /// Who runs this process, as the system says: for the log of what is done on the command line.
    pub system_user: Option<String>,
}

impl Config {
    /// Whether the public address is encrypted; decides the cookies' `Secure`.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Whether the server logs in to send mail.
    pub const fn smtp_logs_in(&self) -> bool {
        !matches!(self.smtp.login, SmtpLogin::None)
    }

    /// Host of the public address, without port.
    pub fn host(&self) -> &str {
        server::host_of(&self.base_url)
    }

    /// Reads the file, if it is there or was asked for, and the environment over it.
    pub fn load(file: &Path, must_exist: bool) -> Result<Self, SettingsProblem> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
                String::new()
            }
            Err(error) => {
                return Err(SettingsProblem(vec![format!(
                    "{}: {error}. Make one with `countersign init`, or name another with --config",
                    file.display()
                )]));
            }
        };
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            // A name that is no text is no setting's.
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => _ = environment.insert(name, value),
                Err(_) if name.starts_with("COUNTERSIGN_") => {
                    return Err(SettingsProblem(vec![format!(
                        "{name} in the environment is no text in UTF-8"
                    )]));
                }
                Err(_) => {}
            }
        }
        Self::parse(&text, environment, folder)
    }

    /// Checks a file's text and the environment's values. Paths in the file are relative to `folder`.
    pub fn parse(
        text: &str,
        environment: BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self, SettingsProblem> {
        let mut reader = Reader::new(text, &environment, folder);
        let mut config = reader.config();
        config.system_user = system_user(&environment);
        if reader.problems.is_empty() {
            Ok(config)
        } else {
            Err(SettingsProblem(reader.problems))
        }
    }
}

/// Who is at the command line: whoever became somebody else by `sudo` is named by their own name. Only what a name may hold on
/// such systems, and 32 characters of it.
fn system_user(environment: &BTreeMap<String, String>) -> Option<String> {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "._-@".contains(*c);
    ["SUDO_USER", "LOGNAME", "USER"]
        .iter()
        .filter_map(|name| environment.get(*name))
        .map(|name| name.chars().filter(fits).take(32).collect::<String>())
        .find(|name| !name.is_empty())
}

impl Reader<'_> {
    fn config(&mut self) -> Config {
        let base_url = self.base_url();
        let database = self.database();
        Config {
            listen: self.listen(),
            trusted_proxies: self.trusted_proxies(),
            workers: self.number("server", "workers", 1, 256) as usize,
            any_domain: self.flag("server", "any_domain"),
            root_secrets: self.root_secrets(),
            smtp: self.smtp(server::host_of(&base_url)),
            dkim: self.dkim(),
            delivery: self.delivery(),
            limits: self.limits(),
            breaker: self.breaker(),
            bounces: self.bounces(),
            hooks: self.hooks(),
            retention: self.retention(),
            links: self.links(),
            asked_again_after: self.asked_again_after(),
            thresholds: self.thresholds(),
            ledger: self.ledger(&base_url, &database),
            uploads: self.uploads(&database),
            database,
            timestamps: self.timestamps(),
            witnesses: self.witnesses(),
            notice_email: self.notice_email(),
            requests_a_minute: self.number("api", "requests_a_minute", 1, 1_000_000),
            webhooks: self.webhooks(),
            log_json: self.choice("log", "format", &["readable", "json"]) == "json",
            log_level: self.choice("log", "level", &["error", "warn", "info", "debug"]),
            metrics_token: self.metrics_token(),
            telemetry_listen: self.telemetry_listen(),
            collector: self.collector(),
            file_holds_secrets: self.file_holds_secrets,
            secret_files: self.secret_files.clone(),
            system_user: None,
            base_url,
        }
    }

    fn notice_email(&mut self) -> Option<String> {
        let given = self.given("notice", "email")?;
        let rules = AddressRules { any_domain: true };
        match EmailAddress::parse(&given, &rules) {
            Ok(address) => Some(address.deliverable().to_owned()),
            Err(_) => {
                self.wrong(
                    "notice",
                    "email",
                    "it is no address that mail can be sent to",
                );
                None
            }
        }
    }

    fn delivery(&mut self) -> Delivery {
        Delivery {
            per_domain_an_hour: self.number("delivery", "per_domain_an_hour", 0, 1_000_000),
            retry_for: self.seconds("delivery", "retry_for_hours", 3_600, 240),
            max_tries: i64::from(self.number("delivery", "max_tries", 1, 100)),
        }
    }

    fn uploads(&mut self, database: &Location) -> Uploads {
        let chosen = self.text("upload", "folder");
        let folder = match database {
            _ if !chosen.is_empty() => self.folder.join(chosen),
            Location::Sqlite(path) => path.with_extension("uploads"),
            Location::Postgres(_) => self.folder.join("uploads"),
        };
        Uploads {
            folder,
            bytes: u64::from(self.number("upload", "megabytes", 1, 65_536)) << 20,
            at_most: self.number("upload", "at_most", 1, 1_000) as usize,
        }
    }

    fn limits(&mut self) -> Limits {
        Limits {
            per_form_every: self.seconds("budget", "per_form_minutes", 60, 1_440),
            per_mailbox_a_day: self.number("budget", "per_mailbox_a_day", 1, 100),
            resend_after: self.seconds("budget", "resend_seconds", 1, 3_600),
            per_network_an_hour: self.number("budget", "per_network_an_hour", 0, 1_000_000),
            per_kiosk_an_hour: self.number("budget", "per_kiosk_an_hour", 0, 1_000_000),
            per_key_an_hour: self.number("budget", "per_key_an_hour", 0, 1_000_000),
            per_form_an_hour: self.number("budget", "per_form_an_hour", 0, 10_000_000),
            per_installation_an_hour: self.number(
                "budget",
                "per_installation_an_hour",
                0,
                10_000_000,
            ),
        }
    }

    fn bounces(&mut self) -> Bounces {
        let domain = self
            .given("bounce", "domain")
            .map(|name| name.to_lowercase());
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if domain
            .as_ref()
            .is_some_and(|name| name.len() > 200 || !name.split('.').all(is_label))
        {
            self.wrong(
                "bounce",
                "domain",
                "must be a domain as it stands in DNS, such as bounces.example.org",
            );
        }
        let listen = self.given("bounce", "listen").map(|text| text.parse());
        if matches!(listen, Some(Err(_))) {
            self.wrong(
                "bounce",
                "listen",
                "must be an address and a port, such as 127.0.0.1:2525",
            );
        }
        let feedback = self.feedback();
        if listen.is_some() && domain.is_none() && feedback.is_empty() {
            self.wrong(
                "bounce",
                "listen",
                "give [bounce] domain or feedback too: mail to them is what is taken",
            );
        }
        if listen.is_none() && !feedback.is_empty() {
            self.wrong(
                "bounce",
                "feedback",
                "give [bounce] listen too: nothing else takes mail to these addresses",
            );
        }
        Bounces {
            domain,
            listen: listen.and_then(Result::ok),
            feedback,
            soft_limit: self.number("bounce", "soft_limit", 1, 100),
        }
    }

    fn feedback(&mut self) -> Vec<String> {
        let rules = AddressRules { any_domain: true };
        let mut read = Vec::new();
        for given in self.list_of("bounce", "feedback") {
            match EmailAddress::parse(&given, &rules) {
                Ok(address) => read.push(address.deliverable().to_lowercase()),
                Err(_) => self.wrong(
                    "bounce",
                    "feedback",
                    "names something that is no address; write fbl@example.org, or a list of such",
                ),
            }
        }
        if read.len() > FEEDBACK_AT_MOST {
            self.wrong("bounce", "feedback", "may name 20 addresses at most");
        }
        read
    }

    fn retention(&mut self) -> Retention {
        let mut days = |key| {
            let span = self.seconds("retention", key, 86_400, 36_500);
            (!span.is_zero()).then_some(span)
        };
        let unconfirmed_for = days("unconfirmed_days");
        let unasked_for = days("unasked_days");
        Retention {
            unconfirmed_for,
            unasked_for: unconfirmed_for.and_then(|least| Some(unasked_for?.max(least))),
            circumstances_for: days("circumstances_days"),
        }
    }

    fn links(&mut self) -> LinkTerms {
        let mut days = |key, at_most| {
            let days = self.number("leaving", key, 1, at_most);
            Duration::from_secs(u64::from(days) * 86_400)
        };
        LinkTerms {
            mailed: days("mailed_link_days", 365),
            handed_out: days("program_link_days", 3_650),
        }
    }

    fn asked_again_after(&mut self) -> u16 {
        let months = u32::from(MONTHS_AT_MOST);
        let months = self.number("campaign", "asked_again_months", 1, months);
        u16::try_from(months).unwrap_or(MONTHS_AT_MOST)
    }

    fn breaker(&mut self) -> Rules {
        Rules {
            on: self.flag("breaker", "on"),
            window: self.minutes("breaker", "window_minutes", 10, 1_440),
            young_for: self.minutes("breaker", "young_minutes", 1, 120),
            mails_at_least: self.number("breaker", "mails_at_least", 20, 10_000_000),
            fall_percent: self.number("breaker", "fall_percent", 10, 95),
            warm_up: self.number("breaker", "warm_up_mails", 20, 10_000_000),
        }
    }

    fn thresholds(&mut self) -> Thresholds {
        Thresholds {
            read_for: self.seconds("scanner", "read_seconds", 1, 60),
            both_links_within: self.seconds("scanner", "both_links_seconds", 1, 600),
            people_a_minute: i64::from(self.number("scanner", "people_a_minute", 2, 10_000)),
        }
    }
}

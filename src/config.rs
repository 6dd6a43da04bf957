//! Settings: one table names them all; a file and the environment give values; everything is checked at once.
//!
//! This is the only module that reads files of settings or the environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use secrecy::{SecretSlice, SecretString};

use crate::domain::budget::Limits;
use crate::domain::scanner::Thresholds;
use crate::store::Location;

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    /// A list of texts; in the environment separated by commas.
    List,
    /// A text that is never shown; may also be given as a file (`…_file`, `…_FILE`).
    Secret,
}

/// One setting.
pub struct Setting {
    pub section: &'static str,
    pub key: &'static str,
    pub kind: Kind,
    /// As it would stand in the file; empty means that there is none.
    pub default: &'static str,
    pub about: &'static str,
}

macro_rules! settings {
    ($($section:ident . $key:ident : $kind:ident = $default:literal, $about:literal;)+) => {
        /// Every setting there is. The commented file of `init`, the environment's names and the check come from here.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            section: stringify!($section),
            key: stringify!($key),
            kind: Kind::$kind,
            default: $default,
            about: $about,
        }),+];
    };
}

settings! {
    server.listen: Text = "127.0.0.1:8080", "Address and port to listen on. Put a TLS proxy in front.";
    server.base_url: Text = "", "The public address, such as https://confirm.example.org. All links are made from it, never from the Host header.";
    server.trusted_proxies: List = "", "Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8. Empty: the header is ignored.";
    server.workers: Number = "2", "Threads that serve requests.";
    server.any_domain: Flag = "false", "Accept addresses at reserved or unknown domains. For trying out only.";
    database.url: Text = "sqlite://countersign.db", "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME.";
    secrets.root: Secret = "", "The root secret, base64 of 32 random bytes. `countersign init` makes one.";
    secrets.previous: Secret = "", "Earlier root secrets, newest first, separated by spaces. They still verify what they signed.";
    smtp.host: Text = "localhost", "The SMTP server that takes the mail.";
    smtp.port: Number = "587", "Its port: 587 for STARTTLS, 465 for TLS from the start.";
    smtp.tls: Text = "required", "required (STARTTLS or nothing), implicit (TLS from the start), or plain (to a loopback address only).";
    smtp.user: Text = "", "User name; empty means no login.";
    smtp.password: Secret = "", "Its password.";
    smtp.oauth_token_url: Text = "", "For XOAUTH2 (Microsoft 365, Google): the token endpoint.";
    smtp.oauth_client_id: Text = "", "For XOAUTH2: the client's id.";
    smtp.oauth_client_secret: Secret = "", "For XOAUTH2: the client's secret.";
    smtp.oauth_refresh_token: Secret = "", "For XOAUTH2: the refresh token.";
    smtp.oauth_scope: Text = "", "For XOAUTH2: the scope, if the endpoint wants one.";
    smtp.hello_name: Text = "", "The name given in EHLO; by default the host of base_url.";
    smtp.max_sessions: Number = "8", "Connections at once.";
    smtp.ca_file: Text = "", "A PEM file with further certificate authorities.";
    delivery.per_domain_an_hour: Number = "0", "Mails an hour to one recipient domain; 0 is no limit.";
    delivery.retry_for_hours: Number = "72", "How long a mail is tried again.";
    delivery.max_tries: Number = "20", "How often a mail is tried at most within that time.";
    dkim.domain: Text = "", "Sign mails for this domain; empty means no signature.";
    dkim.selector: Text = "", "The selector under which the public key stands in DNS.";
    dkim.key: Secret = "", "The private key, PEM: Ed25519 or RSA of 2,048 bits or more.";
    budget.per_form_minutes: Number = "10", "One mail per form and mailbox in this many minutes.";
    budget.per_mailbox_a_day: Number = "3", "Mails per mailbox and day over all forms of a brand.";
    budget.resend_seconds: Number = "60", "The shortest time between a mail and its resend.";
    budget.per_network_an_hour: Number = "60", "Mails an hour that one client (an IPv4 address or IPv6 /64) can cause; 0 is no limit.";
    budget.per_form_an_hour: Number = "2000", "Mails an hour of one form; beyond it mails are held, not dropped. 0 is no limit.";
    budget.per_installation_an_hour: Number = "10000", "Mails an hour in all; beyond it mails are held, not dropped. 0 is no limit.";
    scanner.read_seconds: Number = "2", "A press sooner than this after its page is treated as a program's.";
    scanner.both_links_seconds: Number = "10", "Both links of a mail opened within this time from one network mark a scanner.";
    scanner.people_a_minute: Number = "5", "Links of this many people opened from one network within a minute mark a scanner.";
    log.format: Text = "readable", "readable or json.";
    log.level: Text = "info", "error, warn, info or debug.";
    metrics.token: Secret = "", "Who asks /metrics must send this as a bearer token; empty means from this machine only.";
}

/// What is wrong, every setting in one message.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not right:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct SettingsProblem(pub Vec<String>);

/// How mail is encrypted on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    Required,
    Implicit,
    Plain,
}

/// How the server logs in to the SMTP server.
#[derive(Clone, Debug)]
pub enum SmtpLogin {
    None,
    Password {
        user: String,
        password: SecretString,
    },
    Xoauth2 {
        user: String,
        token_url: String,
        client_id: String,
        client_secret: SecretString,
        refresh_token: SecretString,
        scope: Option<String>,
    },
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub login: SmtpLogin,
    pub hello_name: String,
    pub max_sessions: usize,
    pub extra_root_certificates: Vec<Vec<u8>>,
}

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
    pub thresholds: Thresholds,
    pub log_json: bool,
    pub log_level: String,
    pub metrics_token: Option<SecretString>,
}

impl Config {
    /// Whether the public address is encrypted; decides the cookies' `Secure`.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Host of the public address, without port.
    pub fn host(&self) -> &str {
        host_of(&self.base_url)
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
        Self::parse(&text, std::env::vars().collect(), folder)
    }

    /// Checks a file's text and the environment's values. Paths in the file are relative to `folder`.
    pub fn parse(
        text: &str,
        environment: BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self, SettingsProblem> {
        let mut reader = Reader::new(text, &environment, folder);
        let config = reader.config();
        if reader.problems.is_empty() {
            Ok(config)
        } else {
            Err(SettingsProblem(reader.problems))
        }
    }
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |parts| parts.1);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// The name of a setting in the environment.
pub fn environment_name(section: &str, key: &str) -> String {
    format!("COUNTERSIGN_{section}_{key}").to_uppercase()
}

/// A commented file with every setting at its default, and the given values filled in.
pub fn commented_file(values: &[(&str, &str, String)]) -> String {
    let mut text = String::from(
        "# Settings of countersign. Each can also be given in the environment, as COUNTERSIGN_SECTION_KEY;\n\
         # secrets also as a file: `root_file = \"PATH\"` or COUNTERSIGN_SECRETS_ROOT_FILE.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            text.push_str(&format!("\n[{section}]\n"));
        }
        text.push_str(&format!("# {}\n", setting.about));
        let given = values
            .iter()
            .find(|value| value.0 == setting.section && value.1 == setting.key);
        let quoted = |value: &str| match setting.kind {
            Kind::Number | Kind::Flag => value.to_owned(),
            Kind::List if value.is_empty() => "[]".to_owned(),
            Kind::List => format!("[\"{value}\"]"),
            Kind::Text | Kind::Secret => toml::Value::String(value.to_owned()).to_string(),
        };
        match given {
            Some((_, _, value)) => {
                text.push_str(&format!("{} = {}\n", setting.key, quoted(value)));
            }
            None => text.push_str(&format!("#{} = {}\n", setting.key, quoted(setting.default))),
        }
    }
    text
}

/// Collects values and problems.
struct Reader<'a> {
    values: BTreeMap<(&'static str, &'static str), String>,
    problems: Vec<String>,
    folder: &'a Path,
}

impl<'a> Reader<'a> {
    fn new(text: &str, environment: &BTreeMap<String, String>, folder: &'a Path) -> Self {
        let mut reader = Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
            folder,
        };
        reader.read_file(text);
        reader.read_environment(environment);
        reader
    }

    fn read_file(&mut self, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // The parser's own message quotes the line, which may hold a secret.
                self.problems
                    .push(format!("the file is not TOML: {}", error.message()));
                return;
            }
        };
        for (section, entries) in &table {
            let Some(entries) = entries.as_table() else {
                self.problems.push(format!(
                    "\"{section}\" stands outside a section; write it below its [section]"
                ));
                continue;
            };
            for (key, value) in entries {
                self.read_entry(section, key, value);
            }
        }
    }

    fn read_entry(&mut self, section: &str, key: &str, value: &toml::Value) {
        let find = |key: &str| {
            SETTINGS
                .iter()
                .find(|setting| setting.section == section && setting.key == key)
        };
        if let Some(setting) = find(key) {
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Array(items) => items
                    .iter()
                    .filter_map(toml::Value::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
                other => other.to_string(),
            };
            self.values.insert((setting.section, setting.key), text);
            return;
        }
        let of_file = key.strip_suffix("_file").and_then(find);
        match (of_file, value.as_str()) {
            (Some(setting), Some(path)) if setting.kind == Kind::Secret => {
                self.read_secret_file(setting, &self.folder.join(path));
            }
            _ => self.problems.push(format!(
                "[{section}] {key} is not a setting; `countersign init --print` shows all there are"
            )),
        }
    }

    fn read_secret_file(&mut self, setting: &'static Setting, path: &Path) {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.values
                    .insert((setting.section, setting.key), text.trim().to_owned());
            }
            Err(error) => self.problems.push(format!(
                "[{}] {}_file: {}: {error}",
                setting.section,
                setting.key,
                path.display()
            )),
        }
    }

    fn read_environment(&mut self, environment: &BTreeMap<String, String>) {
        for (name, value) in environment {
            if !name.starts_with("COUNTERSIGN_")
                || name == "COUNTERSIGN_CONFIG"
                || name.starts_with("COUNTERSIGN_TEST_")
            {
                continue;
            }
            let named = |suffix: &str| {
                SETTINGS.iter().find(|setting| {
                    format!("{}{suffix}", environment_name(setting.section, setting.key)) == *name
                })
            };
            if let Some(setting) = named("") {
                self.values
                    .insert((setting.section, setting.key), value.clone());
            } else if let Some(setting) = named("_FILE").filter(|s| s.kind == Kind::Secret) {
                self.read_secret_file(setting, Path::new(value));
            } else {
                self.problems.push(format!(
                    "{name} in the environment is not a setting; unset it or mend its name"
                ));
            }
        }
    }

    fn text(&self, section: &'static str, key: &'static str) -> String {
        if let Some(value) = self.values.get(&(section, key)) {
            return value.trim().to_owned();
        }
        SETTINGS
            .iter()
            .find(|setting| setting.section == section && setting.key == key)
            .map_or_else(String::new, |setting| setting.default.to_owned())
    }

    fn given(&self, section: &'static str, key: &'static str) -> Option<String> {
        Some(self.text(section, key)).filter(|text| !text.is_empty())
    }

    fn wrong(&mut self, section: &str, key: &str, what: &str) {
        self.problems.push(format!("[{section}] {key}: {what}"));
    }

    fn number(&mut self, section: &'static str, key: &'static str, from: u32, to: u32) -> u32 {
        match self.text(section, key).parse::<u32>() {
            Ok(number) if (from..=to).contains(&number) => number,
            _ => {
                self.wrong(
                    section,
                    key,
                    &format!("must be a whole number from {from} to {to}"),
                );
                from
            }
        }
    }

    fn flag(&mut self, section: &'static str, key: &'static str) -> bool {
        match self.text(section, key).as_str() {
            "true" => true,
            "false" => false,
            _ => {
                self.wrong(section, key, "must be true or false");
                false
            }
        }
    }

    fn seconds(
        &mut self,
        section: &'static str,
        key: &'static str,
        each: u32,
        to: u32,
    ) -> Duration {
        Duration::from_secs(u64::from(self.number(section, key, 0, to)) * u64::from(each))
    }

    fn config(&mut self) -> Config {
        let base_url = self.base_url();
        Config {
            listen: self.listen(),
            trusted_proxies: self.trusted_proxies(),
            workers: self.number("server", "workers", 1, 256) as usize,
            any_domain: self.flag("server", "any_domain"),
            database: self.database(),
            root_secrets: self.root_secrets(),
            smtp: self.smtp(host_of(&base_url)),
            dkim: self.dkim(),
            delivery: Delivery {
                per_domain_an_hour: self.number("delivery", "per_domain_an_hour", 0, 1_000_000),
                retry_for: self.seconds("delivery", "retry_for_hours", 3_600, 240),
                max_tries: i64::from(self.number("delivery", "max_tries", 1, 100)),
            },
            limits: Limits {
                per_form_every: self.seconds("budget", "per_form_minutes", 60, 1_440),
                per_mailbox_a_day: self.number("budget", "per_mailbox_a_day", 1, 100),
                resend_after: self.seconds("budget", "resend_seconds", 1, 3_600),
                per_network_an_hour: self.number("budget", "per_network_an_hour", 0, 1_000_000),
                per_form_an_hour: self.number("budget", "per_form_an_hour", 0, 10_000_000),
                per_installation_an_hour: self.number(
                    "budget",
                    "per_installation_an_hour",
                    0,
                    10_000_000,
                ),
            },
            thresholds: Thresholds {
                read_for: self.seconds("scanner", "read_seconds", 1, 60),
                both_links_within: self.seconds("scanner", "both_links_seconds", 1, 600),
                people_a_minute: i64::from(self.number("scanner", "people_a_minute", 2, 10_000)),
            },
            log_json: self.choice("log", "format", &["readable", "json"]) == "json",
            log_level: self.choice("log", "level", &["error", "warn", "info", "debug"]),
            metrics_token: self.given("metrics", "token").map(Into::into),
            base_url,
        }
    }

    fn choice(&mut self, section: &'static str, key: &'static str, among: &[&str]) -> String {
        let text = self.text(section, key);
        if !among.contains(&text.as_str()) {
            self.wrong(
                section,
                key,
                &format!("must be one of {}", among.join(", ")),
            );
        }
        text
    }

    fn listen(&mut self) -> SocketAddr {
        let text = self.text("server", "listen");
        text.parse().unwrap_or_else(|_| {
            self.wrong(
                "server",
                "listen",
                "must be an address and a port, such as 127.0.0.1:8080",
            );
            SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 8080)
        })
    }

    fn base_url(&mut self) -> String {
        let text = self.text("server", "base_url");
        let url = text.trim_end_matches('/').to_owned();
        let host = host_of(&url);
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let fits = (url.starts_with("https://") || (url.starts_with("http://") && local))
            && !host.is_empty()
            && !url.contains(['?', '#', ' ', '"', '<', '>']);
        if !fits {
            self.wrong(
                "server",
                "base_url",
                "must be the public https:// address of this server, such as https://confirm.example.org \
                 (http:// only for localhost)",
            );
        }
        url
    }

    fn trusted_proxies(&mut self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for part in self.text("server", "trusted_proxies").split(',') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            match part
                .parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
            {
                Ok(network) => networks.push(network),
                Err(_) => self.wrong(
                    "server",
                    "trusted_proxies",
                    &format!("\"{part}\" is no network; write it like 10.0.0.0/8"),
                ),
            }
        }
        networks
    }

    fn database(&mut self) -> Location {
        let url = self.text("database", "url");
        match Location::parse(&url) {
            Some(Location::Sqlite(path)) => Location::Sqlite(self.folder.join(path)),
            Some(location) => location,
            None => {
                self.wrong(
                    "database",
                    "url",
                    "must begin with sqlite:// or postgres://",
                );
                Location::Sqlite(PathBuf::new())
            }
        }
    }

    fn root_secrets(&mut self) -> Vec<SecretSlice<u8>> {
        let mut secrets = Vec::new();
        let root = self.text("secrets", "root");
        if root.is_empty() {
            self.wrong(
                "secrets",
                "root",
                "is missing. `countersign init` makes one; or: openssl rand -base64 32",
            );
        }
        let previous = self.text("secrets", "previous");
        for (text, key) in root
            .split_whitespace()
            .map(|text| (text, "root"))
            .chain(previous.split_whitespace().map(|text| (text, "previous")))
        {
            match STANDARD.decode(text) {
                Ok(bytes) if bytes.len() >= 32 => secrets.push(bytes.into()),
                _ => self.wrong(
                    "secrets",
                    key,
                    "must be base64 of 32 random bytes or more: openssl rand -base64 32",
                ),
            }
        }
        secrets
    }

    fn smtp(&mut self, host: &str) -> Smtp {
        let tls = match self
            .choice("smtp", "tls", &["required", "implicit", "plain"])
            .as_str()
        {
            "implicit" => SmtpTls::Implicit,
            "plain" => SmtpTls::Plain,
            _ => SmtpTls::Required,
        };
        let extra_root_certificates = match self.given("smtp", "ca_file") {
            None => Vec::new(),
            Some(path) => match std::fs::read(self.folder.join(&path)) {
                Ok(bytes) => vec![bytes],
                Err(error) => {
                    self.wrong("smtp", "ca_file", &format!("{path}: {error}"));
                    Vec::new()
                }
            },
        };
        Smtp {
            host: self.text("smtp", "host"),
            port: u16::try_from(self.number("smtp", "port", 1, 65_535)).unwrap_or(587),
            tls,
            login: self.login(),
            hello_name: self
                .given("smtp", "hello_name")
                .unwrap_or_else(|| host.to_owned()),
            max_sessions: self.number("smtp", "max_sessions", 1, 256) as usize,
            extra_root_certificates,
        }
    }

    fn login(&mut self) -> SmtpLogin {
        let Some(user) = self.given("smtp", "user") else {
            return SmtpLogin::None;
        };
        if let Some(token_url) = self.given("smtp", "oauth_token_url") {
            let mut needed = |key: &'static str| {
                self.given("smtp", key).unwrap_or_else(|| {
                    self.wrong("smtp", key, "is needed beside oauth_token_url");
                    String::new()
                })
            };
            return SmtpLogin::Xoauth2 {
                user,
                token_url,
                client_id: needed("oauth_client_id"),
                client_secret: needed("oauth_client_secret").into(),
                refresh_token: needed("oauth_refresh_token").into(),
                scope: self.given("smtp", "oauth_scope"),
            };
        }
        match self.given("smtp", "password") {
            Some(password) => SmtpLogin::Password {
                user,
                password: password.into(),
            },
            None => {
                self.wrong("smtp", "password", "is needed beside user");
                SmtpLogin::None
            }
        }
    }

    fn dkim(&mut self) -> Option<Dkim> {
        let domain = self.given("dkim", "domain")?;
        let mut needed = |key: &'static str| {
            self.given("dkim", key).unwrap_or_else(|| {
                self.wrong("dkim", key, "is needed beside domain");
                String::new()
            })
        };
        Some(Dkim {
            domain,
            selector: needed("selector"),
            key: needed("key").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, SettingsProblem> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::parse(text, environment, Path::new("/etc/countersign"))
    }

    #[test]
    fn one_message_names_every_wrong_setting() {
        let problem = parse(
            "[server]\nlisten = \"here\"\nbase_url = \"http://example.org\"\ncolour = 1\n[smtp]\nport = 0\n",
            &[("COUNTERSIGN_SMTP_HSOT", "x")],
        )
        .unwrap_err()
        .to_string();
        for name in [
            "listen",
            "base_url",
            "colour",
            "port",
            "root",
            "COUNTERSIGN_SMTP_HSOT",
        ] {
            assert!(problem.contains(name), "{name} is missing in: {problem}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file_and_a_secret_never_shows() {
        let config = parse(
            "[server]\nbase_url = \"https://a.example\"\n[smtp]\nuser = \"u\"\npassword = \"hunter2hunter2\"\n",
            &[
                ("COUNTERSIGN_SERVER_BASE_URL", "https://b.example/"),
                ("COUNTERSIGN_SECRETS_ROOT", SECRET),
                ("COUNTERSIGN_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ],
        )
        .unwrap();
        assert_eq!(config.base_url, "https://b.example");
        assert_eq!(config.trusted_proxies.len(), 2);
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(SECRET));
    }

    #[test]
    fn the_commented_file_is_read_back() {
        let file = commented_file(&[
            ("server", "base_url", "https://a.example".to_owned()),
            ("secrets", "root", SECRET.to_owned()),
        ]);
        let config = parse(&file, &[]).unwrap();
        assert_eq!(config.host(), "a.example");
        assert!(matches!(config.database, Location::Sqlite(path) if path.starts_with("/etc")));
    }

    #[test]
    fn a_broken_file_is_refused_without_quoting_it() {
        let problem = parse("[secrets]\nroot = \"hunter2", &[]).unwrap_err();
        assert!(!problem.to_string().contains("hunter2"));
    }
}

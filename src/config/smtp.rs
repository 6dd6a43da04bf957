//! How mail leaves: the SMTP server, its encryption and the login.

use secrecy::SecretString;

use super::reader::Reader;
use crate::mail::transport::{
    SettingsProblem, check_certificates, check_hello_name, check_host, check_url, is_sendable,
};

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

const CANNOT_BE_SENT: &str = "holds a character (NUL or U+0001) that no login can send";

impl Reader<'_> {
    pub(super) fn smtp(&mut self, host: &str) -> Smtp {
        let tls = match self
            .choice("smtp", "tls", &["required", "implicit", "plain"])
            .as_str()
        {
            "implicit" => SmtpTls::Implicit,
            "plain" => SmtpTls::Plain,
            _ => SmtpTls::Required,
        };
        Smtp {
            host: self.smtp_host(tls),
            port: u16::try_from(self.number("smtp", "port", 1, 65_535)).unwrap_or(587),
            tls,
            login: self.login(),
            hello_name: self.hello_name(host),
            max_sessions: self.number("smtp", "max_sessions", 1, 256) as usize,
            extra_root_certificates: self.extra_root_certificates(),
        }
    }

    fn smtp_host(&mut self, tls: SmtpTls) -> String {
        let host = self.text("smtp", "host");
        match check_host(&host, tls == SmtpTls::Plain) {
            Ok(()) => {}
            Err(SettingsProblem::PlainOutside) => self.wrong(
                "smtp",
                "tls",
                &format!("plain goes to an address of this machine only, and [smtp] host {host} is none; choose required or implicit"),
            ),
            Err(_) => self.wrong(
                "smtp",
                "host",
                "must be the host name or IP address of the SMTP server, without port, such as mail.example.org",
            ),
        }
        host
    }

    /// By default the host of the public address, where that can be read.
    fn hello_name(&mut self, host: &str) -> String {
        let given = self.given("smtp", "hello_name");
        let name = given.clone().unwrap_or_else(|| host.to_owned());
        if check_hello_name(&name).is_err() && !name.is_empty() {
            let what = match given {
                Some(_) => {
                    "must be a host name, or an IP address in brackets: mail.example.org, [192.0.2.1]"
                }
                None => {
                    "give one, such as mail.example.org: the host of base_url cannot stand in EHLO"
                }
            };
            self.wrong("smtp", "hello_name", what);
        }
        name
    }

    fn extra_root_certificates(&mut self) -> Vec<Vec<u8>> {
        let Some(path) = self.given("smtp", "ca_file") else {
            return Vec::new();
        };
        match std::fs::read(self.folder.join(&path)) {
            Ok(bytes) => {
                if check_certificates(&bytes, 1).is_err() {
                    let what = format!(
                        "{path} holds no certificates in PEM, or one that cannot be read; each begins with -----BEGIN CERTIFICATE-----"
                    );
                    self.wrong("smtp", "ca_file", &what);
                }
                vec![bytes]
            }
            Err(error) => {
                self.wrong("smtp", "ca_file", &format!("{path}: {error}"));
                Vec::new()
            }
        }
    }

    fn login(&mut self) -> SmtpLogin {
        let Some(user) = self.given("smtp", "user") else {
            let keys = [
                "password",
                "oauth_token_url",
                "oauth_client_id",
                "oauth_client_secret",
                "oauth_refresh_token",
            ];
            for key in keys {
                if self.given("smtp", key).is_some() {
                    self.wrong(
                        "smtp",
                        key,
                        "needs user beside it: without one nobody logs in",
                    );
                }
            }
            return SmtpLogin::None;
        };
        if !is_sendable(&user) {
            self.wrong("smtp", "user", CANNOT_BE_SENT);
        }
        if let Some(token_url) = self.given("smtp", "oauth_token_url") {
            if check_url(&token_url).is_err() {
                self.wrong(
                    "smtp",
                    "oauth_token_url",
                    "must be an https:// URL without user and # (http:// only to this machine)",
                );
            }
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
            Some(password) => {
                if !is_sendable(&password) {
                    self.wrong("smtp", "password", CANNOT_BE_SENT);
                }
                SmtpLogin::Password {
                    user,
                    password: password.into(),
                }
            }
            None => {
                self.wrong("smtp", "password", "is needed beside user");
                SmtpLogin::None
            }
        }
    }
}

//! Access tokens for XOAUTH2, fetched with a refresh token (RFC 6749, section 6).

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::{Login, SettingsProblem};

/// A token is not used in its last minute, as it must live until the server has looked at it.
const MARGIN: Duration = Duration::from_secs(60);
/// Where the endpoint does not say (it SHOULD: RFC 6749, section 5.1).
const DEFAULT_LIFE: Duration = Duration::from_secs(300);
/// No endpoint's word makes us keep a token for longer.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
const MAX_ANSWER: u64 = 64 * 1024;

pub(super) struct TokenSource {
    endpoint: Arc<Endpoint>,
    kept: Mutex<Kept>,
    /// One fetch at a time: many sessions open at once after a pause.
    turnstile: Semaphore,
}

struct Endpoint {
    agent: ureq::Agent,
    url: String,
    client_id: String,
    client_secret: SecretString,
    scope: Option<String>,
}

struct Kept {
    access: Option<(SecretString, Instant)>,
    /// An endpoint may hand out a new one with each answer.
    refresh: SecretString,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: Option<Seconds>,
    refresh_token: Option<SecretString>,
}

/// Some endpoints write the number as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl TokenSource {
    pub(super) fn new(
        login: &Login,
        roots: &[CertificateDer<'static>],
        within: Duration,
    ) -> Result<Self, SettingsProblem> {
        let Login::Xoauth2 {
            token_url,
            client_id,
            client_secret,
            refresh_token,
            scope,
            ..
        } = login
        else {
            return Err(SettingsProblem::Login);
        };
        check_url(token_url)?;
        Ok(Self {
            endpoint: Arc::new(Endpoint {
                agent: agent(roots, within),
                url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                scope: scope.clone(),
            }),
            kept: Mutex::new(Kept {
                access: None,
                refresh: refresh_token.clone(),
            }),
            turnstile: Semaphore::new(1),
        })
    }

    /// The kept token, or a new one.
    pub(super) async fn token(&self) -> Result<SecretString, String> {
        if let Some(token) = self.kept_token() {
            return Ok(token);
        }
        let _turn = self.turnstile.acquire().await;
        // Whoever went before us may have brought it.
        if let Some(token) = self.kept_token() {
            return Ok(token);
        }
        let endpoint = Arc::clone(&self.endpoint);
        let refresh = self.kept().refresh.clone();
        let granted = tokio::task::spawn_blocking(move || endpoint.fetch(&refresh))
            .await
            .map_err(|_| "the token request failed".to_owned())??;
        let life = match granted.expires_in {
            Some(Seconds::Number(seconds)) => Duration::from_secs(seconds),
            Some(Seconds::Text(text)) => text.parse().map_or(DEFAULT_LIFE, Duration::from_secs),
            None => DEFAULT_LIFE,
        };
        let life = life.min(LONGEST_LIFE).saturating_sub(MARGIN);
        let mut kept = self.kept();
        kept.access = Some((granted.access_token.clone(), Instant::now() + life));
        if let Some(refresh) = granted.refresh_token {
            kept.refresh = refresh;
        }
        Ok(granted.access_token)
    }

    /// Drops a token that the server refused, unless it was replaced meanwhile.
    pub(super) fn forget(&self, refused: &SecretString) {
        let mut kept = self.kept();
        let is_kept = kept
            .access
            .as_ref()
            .is_some_and(|(token, _)| token.expose_secret() == refused.expose_secret());
        if is_kept {
            kept.access = None;
        }
    }

    fn kept_token(&self) -> Option<SecretString> {
        let kept = self.kept();
        let (token, until) = kept.access.as_ref()?;
        (Instant::now() < *until).then(|| token.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    fn fetch(&self, refresh: &SecretString) -> Result<Granted, String> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
            ("client_id", &self.client_id),
        ];
        if !self.client_secret.expose_secret().is_empty() {
            form.push(("client_secret", self.client_secret.expose_secret()));
        }
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        // An error's text could hold the URL, so only its kind is told.
        let mut answer = self
            .agent
            .post(&self.url)
            .send_form(form)
            .map_err(|error| format!("the token endpoint was not reached: {}", kind(&error)))?;
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(|error| format!("the token endpoint's answer broke off: {}", kind(&error)))?;
        if status != 200 {
            let error = serde_json::from_slice(&body).map_or_else(|_| String::new(), error_code);
            return Err(format!("the token endpoint answered {status} {error}")
                .trim_end()
                .to_owned());
        }
        let granted: Granted = serde_json::from_slice(&body)
            .map_err(|_| "the token endpoint's answer holds no access token".to_owned())?;
        let is_sendable = |byte: u8| byte.is_ascii_graphic();
        if !granted
            .access_token
            .expose_secret()
            .bytes()
            .all(is_sendable)
        {
            return Err("the access token holds characters that cannot be sent".to_owned());
        }
        Ok(granted)
    }
}

/// The machine-readable code (RFC 6749, section 5.2) and never the description, which may name people.
fn error_code(refused: Refused) -> String {
    let is_code = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    refused.error.chars().filter(is_code).take(60).collect()
}

fn kind(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::Rustls(error) => super::reply::printable(&error.to_string()),
        ureq::Error::Timeout(_) => "time over".to_owned(),
        ureq::Error::HostNotFound => "host not found".to_owned(),
        _ => "the request failed".to_owned(),
    }
}

/// No redirects, no proxy from the environment, our own roots and provider.
fn agent(roots: &[CertificateDer<'static>], within: Duration) -> ureq::Agent {
    let roots = roots
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(within))
        .build()
        .new_agent()
}

/// Whether tokens may be fetched there.
pub fn check_url(url: &str) -> Result<(), SettingsProblem> {
    let uri: Uri = url.parse().map_err(|_| SettingsProblem::TokenUrl)?;
    let host = uri.host().unwrap_or_default();
    let is_loopback = host
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .is_ok_and(|address| address.to_canonical().is_loopback());
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    let is_fine = match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_loopback,
        _ => false,
    };
    if is_fine && !has_user && !url.contains('#') {
        Ok(())
    } else {
        Err(SettingsProblem::TokenUrl)
    }
}

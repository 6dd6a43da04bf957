//! From a host name to a session that is encrypted and logged in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::login::{Authenticator, Refusal};
use super::pool::Pool;
use super::reply::printable;
use super::session::Session;
use super::starttls::start_tls;
use super::wire::Stream;
use super::{Phase, ProbeProblem, SettingsProblem, SmtpSettings, Tls};

/// More addresses of one host are not tried.
const MAX_ADDRESSES: usize = 8;
/// After STARTTLS the server does not greet again (RFC 3207, section 4.2), but lettre waits for it.
const GREETING_ALREADY_READ: &[u8] = b"220 greeted before STARTTLS\r\n";

pub(super) struct Connector {
    settings: SmtpSettings,
    /// In the form that the resolver takes.
    host: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    login: Authenticator,
}

impl Connector {
    pub(super) fn new(settings: SmtpSettings) -> Result<Self, SettingsProblem> {
        check(&settings)?;
        let (host, name) = host_and_name(&settings.host)?;
        let needs_roots = settings.tls != Tls::Plain || settings.login.needs_https();
        let roots = if needs_roots {
            root_certificates(&settings.extra_root_certificates)?
        } else {
            Vec::new()
        };
        let tls = match settings.tls {
            Tls::Plain => None,
            Tls::Required | Tls::Implicit => {
                Some((TlsConnector::from(Arc::new(tls_config(&roots)?)), name))
            }
        };
        let login = Authenticator::new(&settings.login, &roots, settings.connect_within)?;
        Ok(Self {
            settings,
            host,
            tls,
            login,
        })
    }

    pub(super) fn settings(&self) -> &SmtpSettings {
        &self.settings
    }

    /// A new session, logged in. A refused access token is replaced once.
    pub(super) async fn open(&self, pool: &Pool) -> Result<Session, ProbeProblem> {
        let mut is_second_try = false;
        loop {
            let mut session = self.connect(pool).await?;
            match self
                .login
                .log_in(&mut session, self.settings.reply_within)
                .await
            {
                Ok(()) => {
                    tracing::debug!("smtp session opened");
                    return Ok(session);
                }
                Err(Refusal::StaleToken(_)) if !is_second_try => is_second_try = true,
                Err(Refusal::StaleToken(reason) | Refusal::Final(reason)) => {
                    return Err(problem(Phase::Login, reason));
                }
            }
        }
    }

    async fn connect(&self, pool: &Pool) -> Result<Session, ProbeProblem> {
        let counted = pool.counted();
        let mut socket = self.dial().await?;
        let mut replay: &'static [u8] = b"";
        if self.settings.tls == Tls::Required {
            start_tls(&mut socket, &self.settings).await?;
            replay = GREETING_ALREADY_READ;
        }
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), socket);
                match timeout(self.settings.connect_within, handshake).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    Ok(Err(error)) => {
                        return Err(problem(Phase::Tls, printable(&error.to_string())));
                    }
                    Err(_) => return Err(problem(Phase::Tls, "no handshake in time".into())),
                }
            }
        };
        Session::begin(stream, replay, &self.settings, counted)
            .await
            .map_err(|reason| problem(Phase::Connect, reason))
    }

    /// Tries the host's addresses in the resolver's order, each with a fair share of the time that is left.
    async fn dial(&self) -> Result<TcpStream, ProbeProblem> {
        let deadline = Instant::now() + self.settings.connect_within;
        let fault = |reason: String| problem(Phase::Connect, reason);
        let resolving = lookup_host((self.host.as_str(), self.settings.port));
        let addresses: Vec<SocketAddr> = match timeout_at(deadline, resolving).await {
            Ok(Ok(addresses)) => addresses.take(MAX_ADDRESSES).collect(),
            Ok(Err(_)) => return Err(fault("the host name was not found".into())),
            Err(_) => return Err(fault("the host name was not resolved in time".into())),
        };
        let is_outside = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
        if self.settings.tls == Tls::Plain && addresses.iter().any(is_outside) {
            let reason = "plain text is allowed to loopback addresses only";
            return Err(fault(reason.into()));
        }
        let mut last = "the host has no address".to_owned();
        for (tried, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = deadline.saturating_duration_since(Instant::now()) / left;
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Commands are small and answered at once: Nagle's algorithm against delayed
                    // acknowledgements would cost 40 ms for each mail.
                    socket
                        .set_nodelay(true)
                        .map_err(|error| fault(error.to_string()))?;
                    return Ok(socket);
                }
                Ok(Err(error)) => last = printable(&error.to_string()),
                Err(_) => last = "no connection in time".to_owned(),
            }
        }
        Err(fault(last))
    }
}

pub(super) fn problem(phase: Phase, reason: String) -> ProbeProblem {
    ProbeProblem { phase, reason }
}

fn check(settings: &SmtpSettings) -> Result<(), SettingsProblem> {
    let limits = [
        settings.connect_within,
        settings.reply_within,
        settings.final_reply_within,
        settings.idle_for,
    ];
    if settings.max_sessions == 0
        || settings.max_mails_per_session == 0
        || limits.contains(&Duration::ZERO)
    {
        return Err(SettingsProblem::Limits);
    }
    check_hello_name(&settings.hello_name)
}

/// Whether our name can stand in EHLO.
pub fn check_hello_name(name: &str) -> Result<(), SettingsProblem> {
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    if !(1..=255).contains(&name.len()) || !name.bytes().all(is_name_byte) {
        return Err(SettingsProblem::HelloName);
    }
    Ok(())
}

/// Whether the server can be connected to at all, as far as its name tells: what a name resolves to is seen when connecting.
pub fn check_host(host: &str, is_plain: bool) -> Result<(), SettingsProblem> {
    let (host, _) = host_and_name(host)?;
    let is_outside = |address: IpAddr| !address.to_canonical().is_loopback();
    if is_plain && host.parse().is_ok_and(is_outside) {
        return Err(SettingsProblem::PlainOutside);
    }
    Ok(())
}

fn host_and_name(host: &str) -> Result<(String, ServerName<'static>), SettingsProblem> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let ascii = match bare.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => idna::domain_to_ascii(bare).map_err(|_| SettingsProblem::Host)?,
    };
    let name = ServerName::try_from(ascii.clone()).map_err(|_| SettingsProblem::Host)?;
    Ok((ascii, name))
}

/// The machine's roots and the operator's. A machine file that cannot be read is passed over, as one
/// bad file among hundreds must not stop the mail; an operator's file must be right.
fn root_certificates(extra: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, SettingsProblem> {
    let mut roots = rustls_native_certs::load_native_certs().certs;
    for (index, file) in extra.iter().enumerate() {
        roots.extend(check_certificates(file, index + 1)?);
    }
    if roots.is_empty() {
        return Err(SettingsProblem::NoRoots);
    }
    Ok(roots)
}

/// The certificates in a PEM file, all of them such as can be trusted.
pub fn check_certificates(
    file: &[u8],
    number: usize,
) -> Result<Vec<CertificateDer<'static>>, SettingsProblem> {
    let problem = SettingsProblem::RootCertificate { number };
    let certificates: Vec<_> = match CertificateDer::pem_slice_iter(file).collect() {
        Ok(certificates) => certificates,
        Err(_) => return Err(problem),
    };
    let mut store = RootCertStore::empty();
    let (_, ignored) = store.add_parsable_certificates(certificates.iter().cloned());
    if certificates.is_empty() || ignored > 0 {
        return Err(problem);
    }
    Ok(certificates)
}

/// The provider is named and not the process's default, so that no other crate can change it.
fn tls_config(roots: &[CertificateDer<'static>]) -> Result<ClientConfig, SettingsProblem> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsProblem::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth())
}

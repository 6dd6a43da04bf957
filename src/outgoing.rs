//! HTTP requests to servers that the operator named: time-stamping authorities, witnesses, receivers of webhooks, Amazon SNS.
//!
//! Whoever can choose a URL must not reach through it what only this machine can reach (T30). A name is resolved once for
//! each request, all of its addresses are looked at, and the connection goes to one of them. Nothing is redirected, no
//! proxy is taken from the environment, and time and size have limits. The library blocks, so requests run beside the
//! asynchronous threads, a few at a time.

pub mod address;
pub mod dns;

use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Requests at once; each holds a thread for as long as the other side lets it wait.
const AT_ONCE: usize = 8;
/// To resolve a name, and to connect; the limit of the whole request holds besides.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const HEAD_AT_MOST: usize = 16 << 10;

/// What every request is held against.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether addresses of this machine and of private networks may be asked.
    pub allow_private: bool,
    /// For the whole request, from the name to the last byte.
    pub within: Duration,
    pub answer_at_most: u64,
}

/// A way out with its limits; cheap to make, it does nothing before the first request.
pub struct Outgoing {
    limits: Limits,
    agent: Arc<OnceLock<Agent>>,
    turns: Arc<Semaphore>,
}

/// What the other side answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Without parameters, in small letters; empty where there is none.
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Why there is no answer. The texts hold nothing of the URL but its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingProblem {
    #[error("{host} has the address {address}, which {why}; allow_private would let it through")]
    Refused {
        host: String,
        address: IpAddr,
        why: &'static str,
    },
    #[error("the name {0} was not found")]
    NameNotFound(String),
    #[error("it did not answer in time")]
    Slow,
    #[error("it answered with a redirect ({0}), which is not followed")]
    Redirect(u16),
    #[error("its answer is larger than {0} bytes")]
    Large(u64),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the connection: {0}")]
    Connection(String),
    #[error("its answer is no HTTP")]
    Protocol,
    #[error("the URL cannot be used")]
    Url,
}

impl Outgoing {
    pub fn new(limits: Limits) -> Self {
        Self::with_turns(limits, AT_ONCE)
    }

    /// With so many requests at once.
    pub fn with_turns(limits: Limits, at_once: usize) -> Self {
        Self {
            limits,
            agent: Arc::default(),
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Posts a body, and waits for the whole answer.
    pub async fn post(
        &self,
        url: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, OutgoingProblem> {
        let headers = vec![("content-type", content_type.to_owned())];
        self.post_with(url, headers, body).await
    }

    /// The same with headers of one's own.
    pub async fn post_with(
        &self,
        url: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, OutgoingProblem> {
        self.ask(url, headers, Some(body)).await
    }

    /// Asks for what lies at a URL.
    pub async fn get(&self, url: &str) -> Result<Answer, OutgoingProblem> {
        self.ask(url, Vec::new(), None).await
    }

    async fn ask(
        &self,
        url: &str,
        headers: Vec<(&'static str, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, OutgoingProblem> {
        // The turn goes with the thread: a caller that leaves does not make room for one more.
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| OutgoingProblem::Slow)?;
        let (agent, limits, url) = (self.agent.clone(), self.limits, url.to_owned());
        let sent = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let agent = agent.get_or_init(|| agent_with(limits));
            send(agent, limits, &url, &headers, body.as_deref())
        });
        sent.await
            .unwrap_or_else(|_| Err(OutgoingProblem::Connection("the request broke off".into())))
    }

    /// Posts a body on the thread of the caller, which it blocks: for threads that do nothing else.
    pub fn post_here(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Answer, OutgoingProblem> {
        let agent = self.agent.get_or_init(|| agent_with(self.limits));
        send(agent, self.limits, url, headers, Some(body))
    }
}

fn send<Name: AsRef<str>>(
    agent: &Agent,
    limits: Limits,
    url: &str,
    headers: &[(Name, String)],
    body: Option<&[u8]>,
) -> Result<Answer, OutgoingProblem> {
    let answer = match body {
        Some(body) => {
            let mut request = agent.post(url);
            for (name, value) in headers {
                request = request.header(name.as_ref(), value);
            }
            request.send(body)
        }
        None => agent.get(url).call(),
    };
    let answer = answer.map_err(|error| problem(error, limits))?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(OutgoingProblem::Redirect(status.as_u16()));
    }
    let kind = answer.headers().get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let content_type = kind.trim().to_ascii_lowercase();
    let mut read = Vec::new();
    answer
        .into_body()
        .into_reader()
        .take(limits.answer_at_most + 1)
        .read_to_end(&mut read)
        .map_err(|error| problem(error.into(), limits))?;
    if read.len() as u64 > limits.answer_at_most {
        return Err(OutgoingProblem::Large(limits.answer_at_most));
    }
    Ok(Answer {
        status: status.as_u16(),
        content_type,
        body: read,
    })
}

fn problem(error: ureq::Error, limits: Limits) -> OutgoingProblem {
    match error {
        ureq::Error::Timeout(_) => OutgoingProblem::Slow,
        ureq::Error::Io(error) => {
            let of_tls = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (error.kind(), of_tls) {
                (_, Some(tls)) => OutgoingProblem::Tls(tls.to_string()),
                (ErrorKind::TimedOut | ErrorKind::WouldBlock, _) => OutgoingProblem::Slow,
                (kind, _) => OutgoingProblem::Connection(kind.to_string()),
            }
        }
        ureq::Error::Rustls(error) => OutgoingProblem::Tls(error.to_string()),
        ureq::Error::Tls(why) => OutgoingProblem::Tls(why.to_owned()),
        ureq::Error::BodyExceedsLimit(_) => OutgoingProblem::Large(limits.answer_at_most),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => OutgoingProblem::Url,
        ureq::Error::ConnectionFailed => OutgoingProblem::Connection("it was refused".to_owned()),
        ureq::Error::Other(other) => match other.downcast::<OutgoingProblem>() {
            Ok(problem) => *problem,
            Err(_) => OutgoingProblem::Connection("the request failed".to_owned()),
        },
        _ => OutgoingProblem::Protocol,
    }
}

fn agent_with(limits: Limits) -> Agent {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // A kept connection would be to an address that was looked at some time ago.
        .max_idle_connections(0)
        .max_response_header_size(HEAD_AT_MOST)
        .user_agent("countersign")
        .timeout_resolve(Some(CONNECT_WITHIN))
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_global(Some(limits.within))
        .build();
    let names = CheckedNames {
        allow_private: limits.allow_private,
    };
    Agent::with_parts(config, DefaultConnector::default(), names)
}

/// Resolves a name, and gives its addresses to the connector only if all of them may be asked.
#[derive(Debug)]
struct CheckedNames {
    allow_private: bool,
}

impl Resolver for CheckedNames {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let not_found = || {
            let problem = OutgoingProblem::NameNotFound(host.to_owned());
            ureq::Error::Other(Box::new(problem))
        };
        let found = match DefaultResolver::default().resolve(uri, config, timeout) {
            Ok(found) => found,
            Err(ureq::Error::Io(_) | ureq::Error::HostNotFound) => return Err(not_found()),
            Err(other) => return Err(other),
        };
        if !self.allow_private {
            check_all(host, &found).map_err(|problem| ureq::Error::Other(Box::new(problem)))?;
        }
        Ok(found)
    }
}

/// One bad address among good ones is enough: whoever owns the name chose to put it there.
fn check_all(host: &str, addresses: &[SocketAddr]) -> Result<(), OutgoingProblem> {
    for address in addresses.iter().map(SocketAddr::ip) {
        if let Some(why) = address::refusal(address) {
            return Err(OutgoingProblem::Refused {
                host: host.to_owned(),
                address,
                why,
            });
        }
    }
    Ok(())
}

/// What is wrong with a URL that requests are to go to, in words for the message about the settings.
pub fn check_url(url: &str, allow_private: bool) -> Result<(), String> {
    let uri: Uri = url
        .parse()
        .map_err(|_| format!("\"{url}\" is no URL such as https://tsa.example/"))?;
    let host = uri.host().unwrap_or_default();
    if !matches!(uri.scheme_str(), Some("https" | "http")) || host.is_empty() {
        return Err(format!("\"{url}\" must begin with https:// or http://"));
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') || url.contains('#') {
        return Err(format!(
            "the URL of {host} must not hold a user, a password or a #"
        ));
    }
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let refused = literal.ok().and_then(address::refusal);
    match refused {
        Some(why) if !allow_private => Err(format!(
            "{host} {why}; set allow_private = true in this section if that is meant"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_among_public_ones_is_enough_to_refuse() {
        let mut addresses: Vec<SocketAddr> = vec!["1.1.1.1:443".parse().unwrap()];
        assert_eq!(check_all("tsa.example", &addresses), Ok(()));
        addresses.push("10.0.0.1:443".parse().unwrap());
        let problem = check_all("tsa.example", &addresses).unwrap_err();
        assert!(problem.to_string().contains("10.0.0.1, which is private"));
    }

    #[test]
    fn a_url_of_the_settings_is_looked_at_before_anything_is_asked() {
        for good in ["https://tsa.example/", "http://tsa.example:318/tsr?x=1"] {
            assert_eq!(check_url(good, false), Ok(()));
        }
        for bad in [
            "",
            "tsa.example",
            "ftp://tsa.example/",
            "https://",
            "https://user:secret@tsa.example/",
            "https://tsa.example/#there",
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest",
        ] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert_eq!(check_url("http://127.0.0.1:8/", true), Ok(()));
        let told = check_url("https://user:secret@tsa.example/", false).unwrap_err();
        assert!(!told.contains("secret"), "{told}");
    }
}

//! Hands one mail at a time to the operator's SMTP server and says what became of it.
//!
//! The pool is our own because a connection may only be used again after an exchange whose replies have
//! all been read: a session is taken out for a send and put back when it is in step, so a send that fails,
//! takes too long or is cancelled closes its connection and the next mail can never read its replies.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::connect::Connector;
pub use self::connect::{check_certificates, check_hello_name, check_host};
pub use self::login::is_sendable;
pub use self::outgoing::{MORE, Mail, Refusal};
use self::pool::Pool;
pub use self::xoauth2::check_url;

mod commands;
mod connect;
mod delivery;
mod ended;
mod login;
mod outgoing;
mod pool;
mod reply;
mod row;
mod session;
mod starttls;
mod wire;
mod xoauth2;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS is demanded (RFC 3207): nothing but EHLO is said before it. The default.
    Required,
    /// TLS from the first byte (RFC 8314, section 3.3), usually port 465.
    Implicit,
    /// Plain text, and only to a loopback address, which is checked after resolving the name.
    Plain,
}

/// How we show the server who we are. Credentials are sent only over TLS or to a loopback address.
#[derive(Clone)]
pub enum Login {
    None,
    /// AUTH PLAIN (RFC 4616), or AUTH LOGIN where the server has nothing better.
    Password {
        user: String,
        password: SecretString,
    },
    /// AUTH XOAUTH2 with an access token fetched by a refresh token (RFC 6749, section 6).
    Xoauth2 {
        user: String,
        /// `https://…`; `http://` only with a loopback address in it.
        token_url: String,
        client_id: String,
        /// Left out of the request when empty, as public clients have none.
        client_secret: SecretString,
        refresh_token: SecretString,
        scope: Option<String>,
    },
}

/// The user's name is often an address, so only the kind of login is printed.
impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Password { .. } => "Password",
            Self::Xoauth2 { .. } => "Xoauth2",
        })
    }
}

#[derive(Clone, Debug)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Login,
    /// Our name in EHLO: a full host name or an address literal (RFC 5321, section 4.1.4).
    pub hello_name: String,
    /// Connections at once, at least 1.
    pub max_sessions: usize,
    /// A connection is closed after this many mails, at least 1.
    pub max_mails_per_session: u32,
    /// The bytes of PEM files, trusted beside the machine's own roots.
    pub extra_root_certificates: Vec<Vec<u8>>,
    /// For resolving and connecting, and again for the TLS handshake; 30 s is usual.
    pub connect_within: Duration,
    /// For the reply to an ordinary command; 300 s by RFC 5321, section 4.5.3.2.
    pub reply_within: Duration,
    /// For the reply after the final dot; 600 s by RFC 5321, section 4.5.3.2.6. Less makes duplicates.
    pub final_reply_within: Duration,
    /// A connection that carried nothing for so long is closed; 60 s is usual.
    pub idle_for: Duration,
}

/// Where one mail goes.
#[derive(Clone)]
pub struct Envelope {
    /// ASCII; empty for the null reverse-path (RFC 5321, section 4.5.5).
    pub from: String,
    /// The deliverable form: the domain as A-labels; the local part may be UTF-8 (RFC 6531).
    pub to: String,
}

/// An envelope is personal data and must not reach a log by `{:?}`.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Envelope")
    }
}

/// What became of one mail. Replies have at most 1,000 characters and no control characters; in every
/// text but an accepting reply, which is kept as evidence word for word, addresses are blotted out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took responsibility: a 2xx reply after the final dot.
    Accepted { reply: String },
    /// A 5xx reply for this mail, or a mail that cannot be sent as it is: never try it again.
    Rejected { reply: String, phase: Phase },
    /// Nothing was delivered and the mail is not at fault: try later.
    Deferred { reason: String, phase: Phase },
    /// The final dot was sent and no reply came: the mail may or may not have been accepted.
    Unknown { reason: String },
}

/// The step that an outcome belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connect,
    Tls,
    Login,
    MailFrom,
    Recipient,
    Data,
    FinalDot,
}

/// Settings with which no mail could ever be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    #[error("the SMTP host is neither a host name nor an IP address")]
    Host,
    #[error("plain text goes to loopback addresses only, and the SMTP host is none")]
    PlainOutside,
    #[error("the name for EHLO must be a host name or an address literal in brackets")]
    HelloName,
    #[error("at least one session, one mail per session and time limits above zero are needed")]
    Limits,
    #[error("root certificate file {number} holds no readable PEM certificate")]
    RootCertificate { number: usize },
    #[error("no root certificate was found on this machine and none was given")]
    NoRoots,
    #[error("TLS could not be set up: {0}")]
    Tls(String),
    #[error("the login holds characters that cannot be sent")]
    Login,
    #[error(
        "the token URL must be https, or http to a loopback address, and hold no user or fragment"
    )]
    TokenUrl,
}

/// Why the server could not be used just now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase:?}: {reason}")]
pub struct ProbeProblem {
    pub phase: Phase,
    pub reason: String,
}

/// Sends mail through one server. Cloning gives another handle on the same pool.
#[derive(Clone)]
pub struct Transport {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
}

impl Transport {
    /// Reads the machine's root certificates, so make one and keep it. Connects to nothing.
    pub fn new(settings: SmtpSettings) -> Result<Self, SettingsProblem> {
        let pool = Arc::new(Pool::new(&settings));
        let connector = Arc::new(Connector::new(settings)?);
        Ok(Self { connector, pool })
    }

    /// Sends one mail, waiting for a free session first. Dropping the future is safe at any time, but
    /// then nobody knows whether the mail was accepted.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Outcome {
        match Mail::checked(envelope, message.to_vec()) {
            Ok(mail) => self.deliver(None, &mail, None).await.0,
            Err(refusal) => refusal.into(),
        }
    }

    /// For `doctor` and `readyz`: connects, negotiates TLS, logs in, says NOOP and QUIT. Answers with
    /// what the server said in its greeting and to EHLO.
    pub async fn probe(&self) -> Result<String, ProbeProblem> {
        let settings = self.connector.settings();
        let busy = |reason: &str| ProbeProblem {
            phase: Phase::Connect,
            reason: reason.to_owned(),
        };
        let _permit = timeout(settings.connect_within, self.pool.permit())
            .await
            .map_err(|_| busy("all sessions are busy"))?
            .map_err(|_| busy("the transport is closed"))?;
        let mut session = self.connector.open(&self.pool).await?;
        let summary = session.summary();
        session.noop(settings.reply_within).await?;
        session.quit().await;
        Ok(summary)
    }

    /// Connections that exist at this moment, busy and idle.
    pub fn sessions_open(&self) -> usize {
        self.pool.open()
    }

    /// Says QUIT on idle sessions and begins no new send; sends under way end as they would have.
    pub async fn close(&self) {
        let mut farewells = JoinSet::new();
        for mut session in self.pool.close() {
            farewells.spawn(async move { session.quit().await });
        }
        farewells.join_all().await;
    }
}

fn closed() -> Outcome {
    Outcome::Deferred {
        reason: "the transport is closed".to_owned(),
        phase: Phase::Connect,
    }
}

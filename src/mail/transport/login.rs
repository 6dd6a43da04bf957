//! AUTH (RFC 4954). The exchange is ours because lettre cannot answer a refusal of XOAUTH2, which comes
//! as a challenge, and because no error text may repeat what we sent.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret as _, SecretString};

use super::reply::Reply;
use super::session::Session;
use super::xoauth2::TokenSource;
use super::{Login, SettingsProblem};

/// Why a login failed.
pub(super) enum Refusal {
    /// The access token was refused and forgotten; another may do.
    StaleToken(String),
    Final(String),
}

pub(super) enum Authenticator {
    None,
    Password {
        user: String,
        password: SecretString,
    },
    Xoauth2 {
        user: String,
        tokens: TokenSource,
    },
}

/// NUL separates the parts of PLAIN (RFC 4616, section 2), 0x01 those of XOAUTH2.
pub fn is_sendable(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\0', '\u{1}'])
}

impl Login {
    pub(super) fn needs_https(&self) -> bool {
        matches!(self, Self::Xoauth2 { .. })
    }
}

impl Authenticator {
    pub(super) fn new(
        login: &Login,
        roots: &[CertificateDer<'static>],
        connect_within: Duration,
    ) -> Result<Self, SettingsProblem> {
        match login {
            Login::None => Ok(Self::None),
            Login::Password { user, password } => {
                if !is_sendable(user) || !is_sendable(password.expose_secret()) {
                    return Err(SettingsProblem::Login);
                }
                Ok(Self::Password {
                    user: user.clone(),
                    password: password.clone(),
                })
            }
            Login::Xoauth2 { user, .. } => {
                if !is_sendable(user) {
                    return Err(SettingsProblem::Login);
                }
                Ok(Self::Xoauth2 {
                    user: user.clone(),
                    tokens: TokenSource::new(login, roots, connect_within)?,
                })
            }
        }
    }

    pub(super) async fn log_in(
        &self,
        session: &mut Session,
        within: Duration,
    ) -> Result<(), Refusal> {
        match self {
            Self::None => Ok(()),
            Self::Password { user, password } => {
                let password = password.expose_secret();
                if session.offers.auth_plain {
                    plain(session, user, password, within).await
                } else if session.offers.auth_login {
                    login(session, user, password, within).await
                } else {
                    let why = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
                    Err(Refusal::Final(why.to_owned()))
                }
            }
            Self::Xoauth2 { user, tokens } => {
                if !session.offers.auth_xoauth2 {
                    let why = "the server does not offer AUTH XOAUTH2";
                    return Err(Refusal::Final(why.to_owned()));
                }
                let token = tokens.token().await.map_err(Refusal::Final)?;
                let result = xoauth2(session, user, token.expose_secret(), within).await;
                if matches!(result, Err(Refusal::StaleToken(_))) {
                    tokens.forget(&token);
                }
                result
            }
        }
    }
}

async fn plain(
    session: &mut Session,
    user: &str,
    password: &str,
    within: Duration,
) -> Result<(), Refusal> {
    let encoded = STANDARD.encode(format!("\0{user}\0{password}"));
    let line = format!("AUTH PLAIN {encoded}\r\n");
    let reply = say(session, &line, within).await?;
    granted(&reply, &[&encoded, password, user])
}

/// The obsolete LOGIN: user and password in turn, whatever the prompts say.
async fn login(
    session: &mut Session,
    user: &str,
    password: &str,
    within: Duration,
) -> Result<(), Refusal> {
    let (user64, password64) = (STANDARD.encode(user), STANDARD.encode(password));
    let private: [&str; 4] = [&password64, &user64, password, user];
    let mut reply = say(session, "AUTH LOGIN\r\n", within).await?;
    for word in [&user64, &password64] {
        if reply.code != 334 {
            break;
        }
        reply = say(session, &format!("{word}\r\n"), within).await?;
    }
    granted(&reply, &private)
}

async fn xoauth2(
    session: &mut Session,
    user: &str,
    token: &str,
    within: Duration,
) -> Result<(), Refusal> {
    let encoded = STANDARD.encode(format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}"));
    let line = format!("AUTH XOAUTH2 {encoded}\r\n");
    let mut reply = say(session, &line, within).await?;
    if reply.code == 334 {
        // The error comes as a challenge, and only after an empty answer the code 535.
        reply = say(session, "\r\n", within).await?;
    }
    let result = granted(&reply, &[&encoded, token, user]);
    match result {
        Err(Refusal::Final(reason)) if reply.code == 535 => Err(Refusal::StaleToken(reason)),
        other => other,
    }
}

async fn say(session: &mut Session, line: &str, within: Duration) -> Result<Reply, Refusal> {
    session
        .ask(Some(line), within)
        .await
        .map_err(Refusal::Final)
}

fn granted(reply: &Reply, private: &[&str]) -> Result<(), Refusal> {
    if reply.code == 235 {
        return Ok(());
    }
    Err(Refusal::Final(reply.text_without(private)))
}

//! What the settings say about the SMTP server, in the words of the transport.

use std::time::Duration;

use crate::config::{Config, SmtpLogin, SmtpTls};
use crate::mail::transport::{Login, SmtpSettings, Tls};

pub(in crate::app) fn smtp_settings(config: &Config) -> SmtpSettings {
    let smtp = &config.smtp;
    SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        tls: match smtp.tls {
            SmtpTls::Required => Tls::Required,
            SmtpTls::Implicit => Tls::Implicit,
            SmtpTls::Plain => Tls::Plain,
        },
        login: login_of(smtp.login.clone()),
        hello_name: smtp.hello_name.clone(),
        max_sessions: smtp.max_sessions,
        max_mails_per_session: 100,
        extra_root_certificates: smtp.extra_root_certificates.clone(),
        connect_within: Duration::from_secs(30),
        reply_within: Duration::from_secs(300),
        final_reply_within: Duration::from_secs(600),
        idle_for: Duration::from_secs(60),
    }
}

fn login_of(login: SmtpLogin) -> Login {
    match login {
        SmtpLogin::None => Login::None,
        SmtpLogin::Password { user, password } => Login::Password { user, password },
        SmtpLogin::Xoauth2 {
            user,
            token_url,
            client_id,
            client_secret,
            refresh_token,
            scope,
        } => Login::Xoauth2 {
            user,
            token_url,
            client_id,
            client_secret,
            refresh_token,
            scope,
        },
    }
}

//! Whether an installation can do its work: its settings, database, keys and clock here, and what it needs of others. Each step
//! says what it found, and how to mend what is wrong; none waits for ever, and none changes anything but that the database is
//! brought up to date, as by every command.

mod database;
mod files;
mod names;
mod reach;

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::outgoing::dns::Dns;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Ok,
    /// It works, and yet somebody should look.
    Warn,
    Fail,
}

impl Health {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// One word, the same in every version: `database`, `keys`, `clock`, `smtp`, `spf` …
    pub check: &'static str,
    pub health: Health,
    pub what: String,
    /// How to mend it, where something is to be mended.
    pub mend: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self {
            check,
            health: Health::Ok,
            what: what.into(),
            mend: None,
        }
    }

    pub(crate) fn warn(
        check: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::amiss(Health::Warn, check, what.into(), mend.into())
    }

    pub(crate) fn fail(
        check: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::amiss(Health::Fail, check, what.into(), mend.into())
    }

    const fn amiss(health: Health, check: &'static str, what: String, mend: String) -> Self {
        Self {
            check,
            health,
            what,
            mend: Some(mend),
        }
    }
}

/// Looks at everything. The name server is the system's, unless one is given. The settings were read already: whoever calls
/// tells of what is wrong with them.
pub async fn examine(
    config: Config,
    settings_file: &Path,
    name_server: Option<SocketAddr>,
) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(
        "settings",
        "they can be read, and fit together",
    )];
    findings.extend(files::check(&config, settings_file));
    let (of_database, domains) = database::check(&config).await;
    findings.extend(of_database);
    let dns = match name_server {
        Some(server) => Dns::at(server),
        None => Dns::of_system(),
    };
    let (smtp, authorities, base_url, names) = tokio::join!(
        reach::smtp(&config),
        reach::authorities(&config),
        reach::base_url(&config, dns.as_ref().ok()),
        async {
            match &dns {
                Ok(dns) => names::check(&config, dns, domains).await,
                Err(problem) => vec![Finding::fail(
                    "dns",
                    problem.to_string(),
                    "mend /etc/resolv.conf, or name a server with --dns ADDRESS:PORT",
                )],
            }
        },
    );
    findings.push(smtp);
    findings.extend(names);
    findings.push(base_url);
    findings.extend(authorities);
    findings
}

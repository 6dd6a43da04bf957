//! The database, the keys that belong to it, and its clock.

use std::time::Duration;

use super::Finding;
use crate::app::{App, StartProblem};
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::domain::event::ClockState;
use crate::domain::time::Timestamp;
use crate::store::{Location, StoreError};

const WITHIN: Duration = Duration::from_secs(20);
/// Clocks that differ by more are told of; by more than the second, times in the evidence are wrong.
pub(super) const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(1);
pub(super) const CLOCKS_ARE_WRONG: Duration = Duration::from_secs(30);

/// Answers with the domains that brands send from, too; none where they could not be read.
pub(super) async fn check(config: &Config) -> (Vec<Finding>, Option<Vec<String>>) {
    if let Location::Sqlite(path) = &config.database
        && !path.exists()
    {
        let what = format!("there is no file {}", path.display());
        let mend = "`countersign init` makes it, or [database] url names another one";
        return (vec![Finding::fail("database", what, mend)], None);
    }
    let starting = App::start(config.clone(), Clock::System, Random::Os);
    let app = match tokio::time::timeout(WITHIN, starting).await {
        Ok(Ok(app)) => app,
        Ok(Err(problem)) => return (vec![of_start(&problem)], None),
        Err(_) => {
            let what = "it does not answer in time";
            let mend = "is it running, and is [database] url right?";
            return (vec![Finding::fail("database", what, mend)], None);
        }
    };
    let mut findings = vec![
        Finding::ok("database", "reachable, and its tables are up to date"),
        Finding::ok(
            "keys",
            "the root secret is the one that this database began with",
        ),
    ];
    findings.push(clock(&app).await);
    findings.extend(standing(&app).await);
    let mut domains: Vec<String> = app
        .catalog()
        .brands
        .iter()
        .filter_map(|brand| brand.declared.from_address.rsplit_once('@'))
        .map(|(_, domain)| domain.to_ascii_lowercase())
        .collect();
    domains.sort_unstable();
    domains.dedup();
    app.store.close().await;
    (findings, Some(domains))
}

fn of_start(problem: &StartProblem) -> Finding {
    let text = problem.to_string();
    match problem {
        StartProblem::Store(StoreError::Unsafe(_)) => Finding::fail(
            "database",
            text,
            "mend the database's settings; acknowledged signups would be lost",
        ),
        StartProblem::Store(StoreError::Migration(_)) => Finding::fail(
            "database",
            text,
            "use the newest version of countersign that worked on this database, or a newer one",
        ),
        StartProblem::Store(_) => Finding::fail(
            "database",
            text,
            "is it running, is [database] url right, and may this user read and write it?",
        ),
        StartProblem::Keys(_)
        | StartProblem::OldSecretMissing
        | StartProblem::LogKey(_)
        | StartProblem::OtherLog => Finding::fail(
            "keys",
            text,
            "put back the root secret that this database began with: in secrets.root, or last in secrets.previous",
        ),
    }
}

/// The machine's clock against the database server's, which other processes of this installation may share.
async fn clock(app: &App) -> Finding {
    let state = match app.clock.reading().state {
        ClockState::Synchronised => "it follows a time server",
        ClockState::Unsynchronised => {
            return Finding::warn(
                "clock",
                "the system says that it follows no time server",
                "turn one on, such as systemd-timesyncd or chrony: times stand in the evidence",
            );
        }
        ClockState::Stepped | ClockState::Unknown => {
            "the system does not say whether it follows a time server"
        }
    };
    let asked = app.clock.now();
    let shown = async { app.store.read().await?.own_time().await };
    match shown.await {
        Ok(Some(shown)) => {
            let between = asked.micros() / 2 + app.clock.now().micros() / 2;
            apart(
                "clock",
                "the database server",
                Timestamp::from_micros(between),
                shown,
            )
        }
        // SQLite has no other clock than the machine's.
        Ok(None) => Finding::ok("clock", state),
        Err(error) => Finding::fail("clock", error.to_string(), "is the database overloaded?"),
    }
}

/// What the difference of two clocks is worth.
pub(super) fn apart(
    check: &'static str,
    whose: &str,
    ours: Timestamp,
    theirs: Timestamp,
) -> Finding {
    let micros = ours.micros().saturating_sub(theirs.micros());
    let differ = Duration::from_micros(micros.unsigned_abs());
    let way = if micros < 0 { "behind" } else { "ahead of" };
    let what = format!(
        "this machine's clock is {:.3} s {way} that of {whose}",
        differ.as_secs_f64()
    );
    let mend = "have both follow a time server, such as by systemd-timesyncd or chrony";
    if differ > CLOCKS_ARE_WRONG {
        Finding::fail(check, what, mend)
    } else if differ > CLOCKS_MAY_DIFFER {
        Finding::warn(check, what, mend)
    } else {
        Finding::ok(check, what)
    }
}

/// What keeps mail or the log back at this moment.
async fn standing(app: &App) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ready = match app.readiness().await {
        Ok(ready) => ready,
        Err(error) => {
            let mend = "`countersign verify --log` tells more";
            return vec![Finding::fail("log", error.to_string(), mend)];
        }
    };
    if let Some(held) = ready.sending_held {
        findings.push(Finding::fail(
            "mail",
            format!("no mail leaves: {}", held.why),
            "enter again what happened since (docs/backup.md), then `countersign restored accept`",
        ));
    }
    if ready.log_waiting.is_some() {
        findings.push(Finding::warn(
            "log",
            "events wait for their place in the log",
            "is a server or worker running? /readyz says why they wait",
        ));
    }
    if ready.mails_failed > 0 {
        findings.push(Finding::warn(
            "mail",
            format!("{} mails failed for good", ready.mails_failed),
            "/admin/delivery shows the server's replies, and tries them again",
        ));
    }
    findings
}

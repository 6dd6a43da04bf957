//! What the server has to reach, and the address under which others reach it.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;

use super::Finding;
use super::database::apart;
use crate::app::deliver::smtp_settings;
use crate::app::timestamp::{QUERY, REPLY};
use crate::clock::{Clock, Random};
use crate::config::{Authority, Config};
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::{self, Asked, Certificates, request};
use crate::mail::transport::{Phase, Transport};
use crate::outgoing::dns::Dns;
use crate::outgoing::{Limits, Outgoing};

const SMTP_WITHIN: Duration = Duration::from_secs(20);
const HTTP_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_AT_MOST: u64 = 64 << 10;

/// Connects, negotiates TLS, and logs in, as for a mail.
pub(super) async fn smtp(config: &Config) -> Finding {
    let place = format!("{}:{}", config.smtp.host, config.smtp.port);
    let transport = match Transport::new(smtp_settings(config)) {
        Ok(transport) => transport,
        Err(problem) => {
            return Finding::fail("smtp", problem.to_string(), "mend the [smtp] section");
        }
    };
    let probed = tokio::time::timeout(SMTP_WITHIN, transport.probe()).await;
    transport.close().await;
    match probed {
        Ok(Ok(_)) => {
            let how = if config.smtp_logs_in() {
                "answers, and lets us log in"
            } else {
                "answers; no login is set"
            };
            Finding::ok("smtp", format!("{place} {how}"))
        }
        Ok(Err(problem)) => {
            let mend = match problem.phase {
                Phase::Connect => {
                    "are [smtp] host and port right, and may this machine reach them?"
                }
                Phase::Tls => {
                    "the server must offer TLS with a certificate for [smtp] host; ca_file names an authority of your own"
                }
                Phase::Login => "are [smtp] user and password right?",
                _ => "the server's words tell what it wants",
            };
            Finding::fail("smtp", format!("{place}: {problem}"), mend)
        }
        Err(_) => Finding::fail(
            "smtp",
            format!("{place} does not answer in time"),
            "are [smtp] host and port right, and may this machine reach them?",
        ),
    }
}

/// Whether the public address leads here.
pub(super) async fn base_url(config: &Config, dns: Option<&Dns>) -> Finding {
    let (url, host) = (&config.base_url, config.host());
    let is_literal = host.parse::<IpAddr>().is_ok();
    if let (false, false, Some(dns)) = (is_literal, host == "localhost", dns) {
        match dns.addresses(host).await {
            Ok(found) if found.is_empty() => {
                return Finding::fail(
                    "base_url",
                    format!("{host} has no address"),
                    "publish an A or AAAA record of it, or mend [server] base_url",
                );
            }
            Ok(_) => {}
            Err(problem) => {
                return Finding::fail(
                    "base_url",
                    format!("{host}: {problem}"),
                    "can this machine reach its name server?",
                );
            }
        }
    }
    let limits = Limits {
        // It is our own, and may be in a network of ours.
        allow_private: true,
        within: HTTP_WITHIN,
        answer_at_most: ANSWER_AT_MOST,
    };
    let answer = Outgoing::new(limits).get(&format!("{url}/livez")).await;
    let proxy = "is the server running, and does the proxy pass requests for this host on to [server] listen?";
    match answer {
        Ok(answer) if answer.status == 200 && answer.body == b"alive\n" => {
            let how = if config.is_https() {
                "over TLS"
            } else {
                "without TLS, on this machine only"
            };
            Finding::ok("base_url", format!("{url} leads to this server, {how}"))
        }
        Ok(answer) => Finding::fail(
            "base_url",
            format!(
                "{url}/livez does not answer as this server does (status {})",
                answer.status
            ),
            proxy,
        ),
        Err(problem) => Finding::fail("base_url", format!("{url}: {problem}"), proxy),
    }
}

/// Asks each authority for a stamp that nobody keeps, checks it, and compares clocks.
pub(super) async fn authorities(config: &Config) -> Vec<Finding> {
    let settings = &config.timestamps;
    if settings.authorities.is_empty() {
        return vec![Finding::warn(
            "tsa",
            "no time-stamping authority is named, so nobody outside saw when the log was written",
            "name one under [timestamp] authorities",
        )];
    }
    let outgoing = Outgoing::new(Limits {
        allow_private: settings.allow_private,
        within: settings.within,
        answer_at_most: ANSWER_AT_MOST,
    });
    let each = settings.authorities.iter().map(|one| ask(&outgoing, one));
    join_all(each).await.into_iter().flatten().collect()
}

async fn ask(outgoing: &Outgoing, authority: &Authority) -> Vec<Finding> {
    let name = &authority.name;
    match stamped(outgoing, authority).await {
        Ok((asked, received, at)) => {
            let ours = Timestamp::from_micros(asked.micros() / 2 + received.micros() / 2);
            vec![
                Finding::ok("tsa", format!("{name} stamps, and its stamp holds")),
                apart("clock", &format!("the authority {name}"), ours, at),
            ]
        }
        Err(problem) => vec![Finding::fail(
            "tsa",
            format!("{name}: {problem}"),
            "is its URL right, and may this machine reach it? roots and policies must be those of this authority",
        )],
    }
}

async fn stamped(
    outgoing: &Outgoing,
    authority: &Authority,
) -> Result<(Timestamp, Timestamp, Timestamp), String> {
    let (clock, random) = (Clock::System, Random::Os);
    let nonce = u64::from_le_bytes(random.bytes());
    // Nobody can tell what was stamped: it is random, and the authority sees its hash.
    let what = random.bytes::<32>();
    let query = request(&what, nonce, authority.policy.as_deref())
        .map_err(|problem| problem.to_string())?;
    let asked = clock.now();
    let answer = outgoing.post(&authority.url, QUERY, query).await;
    let received = clock.now();
    let answer = answer.map_err(|problem| problem.to_string())?;
    if answer.status != 200 || answer.content_type != REPLY {
        return Err(format!(
            "it answered with the HTTP status {} and the type \"{}\"",
            answer.status,
            answer.content_type.escape_debug()
        ));
    }
    let said = Asked {
        nonce: Some(nonce),
        policy: authority.policy.as_deref(),
    };
    let certificates = Certificates {
        trusted: &authority.roots,
        beside: &[],
    };
    let stamp = timestamp::check(&answer.body, &what, said, certificates)
        .map_err(|problem| problem.to_string())?;
    Ok((asked, received, stamp.at))
}

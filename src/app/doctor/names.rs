//! What the DNS says of the domains that mail leaves under, and of the one that reports come back to.

use super::Finding;
use crate::config::{Config, Dkim};
use crate::mail::dkim::DkimKey;
use crate::mail::records::{self, Dmarc, PublishedKey, Spf};
use crate::outgoing::dns::{Dns, DnsProblem};
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;

/// Domains that are looked at: more brands than most installations have.
const DOMAINS_AT_MOST: usize = 50;

pub(super) async fn check(
    config: &Config,
    dns: &Dns,
    domains: Option<Vec<String>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &domains {
        None => findings.push(Finding::warn(
            "dns",
            "the domains that mail leaves under are not known while the database cannot be read",
            "mend the database first",
        )),
        Some(domains) if domains.is_empty() => findings.push(Finding::warn(
            "dns",
            "no brand is declared, so no mail leaves yet",
            "`countersign apply FILE`",
        )),
        Some(_) => {}
    }
    let domains = domains.unwrap_or_default();
    // All at once: where no name server answers, each question waits for as long as it may.
    let of_domains = join_all(
        domains
            .iter()
            .take(DOMAINS_AT_MOST)
            .map(|domain| async move { tokio::join!(spf(dns, domain), dmarc(dns, domain)) }),
    );
    let of_reports = async {
        match &config.bounces.domain {
            None => (None, None),
            // Envelope senders are of this domain, and SPF is asked of them.
            Some(domain) if !domains.contains(domain) => {
                let (spf, mx) = tokio::join!(spf(dns, domain), mx(dns, domain));
                (Some(spf), Some(mx))
            }
            Some(domain) => (None, Some(mx(dns, domain).await)),
        }
    };
    let signatures = async {
        match &config.dkim {
            Some(dkim) => published(dns, dkim, &domains).await,
            None => Finding::ok("dkim", "nothing is signed here; the SMTP server has to"),
        }
    };
    let (of_domains, of_reports, signatures) = tokio::join!(of_domains, of_reports, signatures);
    for (spf, dmarc) in of_domains {
        findings.extend([spf, dmarc]);
    }
    findings.extend(of_reports.0);
    findings.extend(of_reports.1);
    findings.push(signatures);
    findings
}

fn unanswered(check: &'static str, domain: &str, problem: &DnsProblem) -> Finding {
    Finding::fail(
        check,
        format!("{domain}: {problem}"),
        "can this machine reach its name server? --dns ADDRESS:PORT asks another one",
    )
}

async fn spf(dns: &Dns, domain: &str) -> Finding {
    let texts = match dns.texts(domain).await {
        Ok(texts) => texts,
        Err(problem) => return unanswered("spf", domain, &problem),
    };
    let example = format!(
        "publish a TXT record at {domain} that names your SMTP server, such as v=spf1 include:spf.provider.example -all"
    );
    match records::spf(&texts) {
        Spf::Ends => Finding::ok("spf", format!("{domain} says who may send for it")),
        Spf::Missing => Finding::fail("spf", format!("{domain} has no SPF record"), example),
        Spf::Several => Finding::fail(
            "spf",
            format!("{domain} has several SPF records, and receivers take none of them"),
            "put them together into one",
        ),
        Spf::PassesAll => Finding::fail(
            "spf",
            format!("the SPF record of {domain} lets everybody send for it (+all)"),
            "end it with -all or ~all",
        ),
        Spf::Neutral => Finding::warn(
            "spf",
            format!("the SPF record of {domain} says nothing of servers that it does not name"),
            "end it with -all or ~all",
        ),
    }
}

/// The domain's own record, or that of the organisation that it belongs to (RFC 7489, section 6.6.3).
async fn dmarc(dns: &Dns, domain: &str) -> Finding {
    let own = read_dmarc(dns, domain).await;
    let found = match (own, organisation(domain)) {
        (Ok(Dmarc::Missing), Some(parent)) => read_dmarc(dns, parent).await,
        (own, _) => own,
    };
    let mend = format!(
        "publish one TXT record at _dmarc.{domain}, such as v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
    );
    match found {
        Ok(Dmarc::Policy(policy)) => {
            Finding::ok("dmarc", format!("{domain} has a DMARC policy, {policy}"))
        }
        Ok(Dmarc::Missing) => Finding::fail("dmarc", format!("{domain} has no DMARC record"), mend),
        Ok(Dmarc::Several) => Finding::fail(
            "dmarc",
            format!("{domain} has several DMARC records, and receivers take none of them"),
            mend,
        ),
        Ok(Dmarc::Broken) => Finding::fail(
            "dmarc",
            format!("the DMARC record of {domain} has no policy (p) that receivers know"),
            mend,
        ),
        Err(problem) => unanswered("dmarc", domain, &problem),
    }
}

async fn read_dmarc(dns: &Dns, domain: &str) -> Result<Dmarc, DnsProblem> {
    let texts = dns.texts(&format!("_dmarc.{domain}")).await?;
    Ok(records::dmarc(&texts))
}

/// The part of a domain that somebody registered; none where it is the whole, or cannot be told.
fn organisation(domain: &str) -> Option<&str> {
    let suffix = countersign_suffix::known(domain)?;
    let before = domain.strip_suffix(suffix)?.strip_suffix('.')?;
    let label = before.rsplit('.').next()?;
    let registered = domain.get(before.len() - label.len()..)?;
    (registered != domain).then_some(registered)
}

async fn mx(dns: &Dns, domain: &str) -> Finding {
    let taken = "an MX record that leads to the server which passes such mail on to [bounce] listen, or to `countersign bounce`";
    let mend = format!("publish for {domain} {taken}");
    match dns.exchangers(domain).await {
        Err(problem) => unanswered("mx", domain, &problem),
        Ok(found) if found.iter().any(String::is_empty) => Finding::fail(
            "mx",
            format!("{domain} says that it takes no mail, so no report comes back"),
            mend,
        ),
        Ok(found) => match found.first() {
            Some(first) => Finding::ok("mx", format!("reports to {domain} go to {first}")),
            None => match dns.addresses(domain).await {
                Ok(addresses) if !addresses.is_empty() => Finding::warn(
                    "mx",
                    format!("{domain} has no MX record; reports go to its own address"),
                    mend,
                ),
                _ => Finding::fail(
                    "mx",
                    format!("{domain} has no MX record, so no report comes back"),
                    mend,
                ),
            },
        },
    }
}

/// Whether receivers find the key that we sign with.
async fn published(dns: &Dns, dkim: &Dkim, domains: &[String]) -> Finding {
    let pem = dkim.key.expose_secret().as_bytes();
    let key = match DkimKey::from_pem(pem, &dkim.selector, &dkim.domain) {
        Ok(key) => key,
        Err(problem) => {
            let mend = "make one: openssl genpkey -algorithm ed25519, or rsa with 2048 bits";
            return Finding::fail("dkim", problem.to_string(), mend);
        }
    };
    let place = format!("{}._domainkey.{}", dkim.selector, dkim.domain);
    let ours = key.dns_record();
    let mend = format!("publish a TXT record at {place}: {ours}");
    let texts = match dns.texts(&place).await {
        Ok(texts) => texts,
        Err(problem) => return unanswered("dkim", &place, &problem),
    };
    match records::dkim(&texts, &ours) {
        PublishedKey::Missing => Finding::fail("dkim", format!("there is no key at {place}"), mend),
        PublishedKey::Revoked => {
            Finding::fail("dkim", format!("the key at {place} is revoked"), mend)
        }
        PublishedKey::Other => Finding::fail(
            "dkim",
            format!("the key at {place} is not the one that signs here"),
            mend,
        ),
        PublishedKey::Trial => Finding::warn(
            "dkim",
            format!(
                "the key at {place} is marked as a trial (t=y), so receivers do not rely on it"
            ),
            mend,
        ),
        PublishedKey::Ours => aligned(dkim, domains, &place),
    }
}

/// DMARC counts a signature only if its domain belongs to the same organisation as the sender's (RFC 7489, section 3.1.1).
fn aligned(dkim: &Dkim, domains: &[String], place: &str) -> Finding {
    let registered = |domain: &str| organisation(domain).unwrap_or(domain).to_ascii_lowercase();
    let signs = registered(&dkim.domain.to_ascii_lowercase());
    match domains.iter().find(|domain| registered(domain) != signs) {
        None => Finding::ok(
            "dkim",
            format!("the key at {place} is the one that signs here"),
        ),
        Some(other) => Finding::warn(
            "dkim",
            format!(
                "mail from {other} is signed for {}, which DMARC does not count",
                dkim.domain
            ),
            format!(
                "send it under {}, or have the SMTP server sign it for {other}",
                dkim.domain
            ),
        ),
    }
}

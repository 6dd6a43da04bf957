//! The chain from a token's signer to a root certificate, as it was at the token's own time. webpki builds it.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::certificate::{Certificate, MAY_SIGN, MAY_SIGN_CERTIFICATES};
use super::{TimestampProblem, oid, signature};
use crate::domain::time::Timestamp;

/// A chain that holds: from the signer to the root.
pub struct Chain {
    pub certificates: Vec<Certificate>,
}

/// The signer's key may stamp times and nothing else (RFC 3161, section 2.3).
pub fn check_usage(signer: &Certificate) -> Result<(), TimestampProblem> {
    if signer.key_usage.is_some_and(|bits| bits & MAY_SIGN == 0) {
        return Err(TimestampProblem::Usage("its key may not sign"));
    }
    match &signer.extended_key_usage {
        None => Err(TimestampProblem::Usage("it does not say so")),
        Some((_, purposes)) if !purposes.iter().any(|kind| kind == oid::TIME_STAMPING) => {
            Err(TimestampProblem::Usage("it is for something else"))
        }
        Some((_, purposes)) if purposes.len() > 1 => {
            Err(TimestampProblem::Usage("it is for something else as well"))
        }
        Some((false, _)) => Err(TimestampProblem::Usage(
            "the statement is not marked critical",
        )),
        Some((true, _)) => Ok(()),
    }
}

/// Finds a chain to one of the roots. The reason given is that of the root which came closest.
pub fn find(
    signer: &Certificate,
    others: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
) -> Result<Chain, TimestampProblem> {
    check_validity(signer, at)?;
    let mut closest = None;
    for root in roots {
        match to_root(signer, others, root, at) {
            Ok(chain) => return Ok(chain),
            Err(TimestampProblem::Unknown { .. }) => {}
            Err(problem) => closest = Some(problem),
        }
    }
    Err(closest.unwrap_or_else(|| TimestampProblem::Unknown {
        signer: signer.name(),
    }))
}

fn check_validity(certificate: &Certificate, at: Timestamp) -> Result<(), TimestampProblem> {
    // Validity is counted in whole seconds, both ends included (RFC 5280, section 4.1.2.5).
    let seconds = at.unix_seconds();
    if seconds < certificate.not_before.unix_seconds()
        || seconds > certificate.not_after.unix_seconds()
    {
        return Err(TimestampProblem::Expired {
            certificate: certificate.name(),
            from: certificate.not_before,
            to: certificate.not_after,
            at,
        });
    }
    Ok(())
}

fn to_root(
    signer: &Certificate,
    others: &[Certificate],
    root: &Certificate,
    at: Timestamp,
) -> Result<Chain, TimestampProblem> {
    let broken = |why: String| TimestampProblem::Chain { why };
    let signer_der = CertificateDer::from(signer.der());
    let leaf = EndEntityCert::try_from(&signer_der)
        .map_err(|error| broken(format!("{}: {error}", signer.name())))?;
    let root_der = CertificateDer::from(root.der());
    let anchor = anchor_from_trusted_cert(&root_der)
        .map_err(|error| broken(format!("{}: {error}", root.name())))?;
    let intermediates: Vec<CertificateDer<'_>> = others
        .iter()
        .filter(|other| *other != signer && *other != root)
        .map(|other| CertificateDer::from(other.der()))
        .collect();
    let seconds = u64::try_from(at.unix_seconds()).unwrap_or(0);
    let anchors = [anchor];
    let path = leaf
        .verify_for_usage(
            signature::KNOWN,
            &anchors,
            &intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::required_if_present(oid::TIME_STAMPING),
            None,
            None,
        )
        .map_err(|error| from_webpki(&error, signer, at))?;
    check_validity(root, at)?;
    let between = path.intermediate_certificates().filter_map(|used| {
        let used = used.der();
        others.iter().find(|other| other.der() == &*used)
    });
    let mut certificates: Vec<Certificate> =
        std::iter::once(signer).chain(between).cloned().collect();
    if certificates.last() != Some(root) {
        certificates.push(root.clone());
    }
    // webpki leaves this extension aside.
    let forbidden = |issuer: &&Certificate| {
        issuer
            .key_usage
            .is_some_and(|bits| bits & MAY_SIGN_CERTIFICATES == 0)
    };
    if let Some(issuer) = certificates.iter().skip(1).find(forbidden) {
        return Err(broken(format!(
            "{} may not sign certificates",
            issuer.name()
        )));
    }
    Ok(Chain { certificates })
}

fn from_webpki(error: &webpki::Error, signer: &Certificate, at: Timestamp) -> TimestampProblem {
    let time = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1_000_000);
        Timestamp::from_micros(seconds.saturating_mul(1_000_000))
    };
    match error {
        webpki::Error::UnknownIssuer => TimestampProblem::Unknown {
            signer: signer.name(),
        },
        webpki::Error::CertExpired { not_after, .. } => TimestampProblem::Chain {
            why: format!(
                "a certificate between signer and root ended on {}, before the token's {}",
                time(not_after).to_the_minute(),
                at.to_the_minute()
            ),
        },
        webpki::Error::CertNotValidYet { not_before, .. } => TimestampProblem::Chain {
            why: format!(
                "a certificate between signer and root began on {}, after the token's {}",
                time(not_before).to_the_minute(),
                at.to_the_minute()
            ),
        },
        webpki::Error::InvalidSignatureForPublicKey => TimestampProblem::Chain {
            why: "a signature between signer and root does not hold".to_owned(),
        },
        other => TimestampProblem::Chain {
            why: format!("{other:?}"),
        },
    }
}

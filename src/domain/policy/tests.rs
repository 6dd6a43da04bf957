//! The policy, row by row, overlay by overlay, pair by pair.

use super::*;
use crate::domain::standing::Basis;
use crate::domain::time::Timestamp;

mod explanations;
mod mergers;
mod overlays;
mod precedence;
mod properties;
mod rows;
mod windows;

/// The day on which these tests are judged.
pub(super) const TODAY: &str = "2026-11-24T12:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A claim with its proof, written `key=value`, separated by `; `.
pub(super) fn claim(source: Source, proof: &str) -> Claim {
    proof
        .split("; ")
        .filter(|one| !one.is_empty())
        .fold(Claim::new(source, None), |claim, one| {
            let (key, value) = one.split_once('=').unwrap();
            claim.prove(key, value).unwrap()
        })
}

pub(super) fn judged(claims: &[Claim], terms: &Terms, as_of: &str) -> Judgement {
    judge(claims, AddressFacts::default(), terms, at(as_of))
}

/// One source, a brand that set nothing, today.
pub(super) fn alone(source: Source, proof: &str) -> Judgement {
    judged(&[claim(source, proof)], &Terms::default(), TODAY)
}

pub(super) fn under(overlay: Overlay) -> Terms {
    Terms::default().with_overlays([overlay])
}

/// Verdict, deciding rule, outreach.
pub(super) fn short(judgement: &Judgement) -> (&str, &str, &str) {
    (
        judgement.verdict.as_str(),
        judgement.rule.id(),
        judgement.outreach.as_str(),
    )
}

pub(super) fn fired(judgement: &Judgement) -> Vec<&str> {
    judgement.fired.iter().map(|rule| rule.id()).collect()
}

pub(super) const SCAN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Proof that is complete, of an act in August 2026.
pub(super) fn proof_of(source: Source) -> String {
    match source {
        Source::WebsiteForm => "form=news; version=3; page=https://www.acme.example/news; \
             time=2026-08-24T10:00:00Z; wording=News twice a month."
            .to_owned(),
        Source::Purchase => "order=1001; date=2026-08-24".to_owned(),
        Source::WrittenAgreement => "contract=C-7; date=2026-08-24".to_owned(),
        Source::DonationOrVolunteering => "receipt=R-7; date=2026-08-24".to_owned(),
        Source::ActiveMember => "account=m7; joined=2019-01-01; last_active=2026-08-24".to_owned(),
        Source::NewsletterForm => format!("scan={SCAN}; date=2026-08-24"),
        Source::AdResponse => "ad=spring; date=2026-08-24".to_owned(),
        Source::EventBooth => "event=Fair; date=2026-08-24; kind=badge".to_owned(),
        Source::EventOrganizerList => "event=Fair; organizer=Fair Ltd".to_owned(),
        Source::EmployerList => "employer=Mill Ltd; benefit=Gym; date=2026-08-24".to_owned(),
        Source::MergerOrAcquisition => "document=T-1; old_brand=Old; original_source=purchase; \
             original_date=2026-08-24"
            .to_owned(),
        _ => String::new(),
    }
}

/// A source with all its proof.
pub(super) fn proven(source: Source) -> Claim {
    claim(source, &proof_of(source))
}

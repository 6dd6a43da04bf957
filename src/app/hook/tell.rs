//! One event of a provider, and what it does to the contact.

use super::super::App;
use super::super::bounce::{self, Complaint, Failure, Subject};
use super::super::withdraw::Left;
use crate::domain::email_address::{AddressRules, EmailAddress};
use crate::domain::event::ToldBy;
use crate::domain::fate::{Severity, is_complaint, weigh_claim};
use crate::domain::provider::Provider;
use crate::mail::provider::{Fate, Told};
use crate::store::{StoreError, contacts};

impl App {
    /// Takes what is told of one mail; answers with what it came to, in a word. When this returns, it is on disk.
    pub(super) async fn tell_fate(
        &self,
        provider: Provider,
        subject: &Subject,
        told: Told,
    ) -> Result<&'static str, StoreError> {
        let Some(id) = self.contact_of(subject).await? else {
            return Ok("gone");
        };
        let mut conn = self.store.read().await?;
        let contact = contacts::find_by_id(&mut conn, subject.brand.id, id).await?;
        drop(conn);
        let Some(contact) = contact else {
            return Ok("gone");
        };
        if !is_to(&told.recipient, &contact.address_key) {
            return Ok("wrong_recipient");
        }
        let reporter = format!("{provider}, by webhook");
        let report = told.report;
        let taken = match told.fate {
            Fate::Failed {
                claim,
                status,
                said,
            } => {
                let severity = weigh_claim(claim, status.as_deref());
                // What nobody named is "other or undefined" (RFC 3463, section 3.1).
                let undefined = match severity {
                    Severity::Hard => "5.0.0",
                    Severity::Soft => "4.0.0",
                };
                let failure = Failure {
                    severity,
                    status: status.unwrap_or_else(|| undefined.to_owned()),
                    said,
                    reporter,
                    report,
                    mail: bounce::Told::Once,
                };
                self.take_bounce(subject, failure).await?.as_str()
            }
            Fate::Unwanted(feedback) if !is_complaint(&feedback) => "no_complaint",
            Fate::Unwanted(feedback) => {
                let complaint = Complaint {
                    feedback,
                    reporter,
                    report,
                };
                self.take_complaint(subject, complaint).await?.as_str()
            }
            Fate::Left => {
                let told_by = ToldBy { reporter, report };
                match self.leave_as_told(&subject.brand, id, told_by).await? {
                    None => "gone",
                    Some(Left::Now { .. }) => "left",
                    Some(Left::Before { .. }) => "again",
                }
            }
        };
        Ok(taken)
    }
}

/// Whether the address that a provider names is the contact's. Providers write letters of either case, and some a name before it.
fn is_to(recipient: &str, address_key: &str) -> bool {
    let bare = match recipient.trim().strip_suffix('>') {
        Some(named) => named.rsplit('<').next().unwrap_or(named),
        None => recipient,
    };
    let rules = AddressRules { any_domain: true };
    EmailAddress::parse(bare, &rules).is_ok_and(|address| address.key() == address_key)
}

#[cfg(test)]
mod tests {
    use super::is_to;

    #[test]
    fn an_address_is_found_in_any_case_and_behind_a_name_and_no_other_is() {
        for same in [
            "anna@example.org",
            "Anna@EXAMPLE.org",
            "Anna <anna@example.org>",
            " anna@example.org ",
        ] {
            assert!(is_to(same, "anna@example.org"), "{same}");
        }
        for other in [
            "",
            "anna@example.com",
            "anna@example.org.evil.example",
            "anna@example.org, eve@example.org",
            "<anna@example.org> <eve@example.org>",
        ] {
            assert!(!is_to(other, "anna@example.org"), "{other}");
        }
    }
}

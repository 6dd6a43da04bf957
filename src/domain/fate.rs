//! What a failed delivery says of the address: whether it is worth another mail.

/// How a mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// For good: the address does not exist, or takes no mail.
    Hard,
    /// For the time being, or for reasons that lie in the mail, the network or a policy. Whatever is not sure counts as this; time
    /// and again it comes to the same as for good.
    Soft,
}

/// Weighs the status of a delivery that failed (RFC 3463, section 3). A status is `CLASS.SUBJECT.DETAIL`.
pub fn weigh(status: &str) -> Severity {
    let mut parts = status.split('.').map(|part| part.parse::<u16>().ok());
    let (class, subject, detail) = (parts.next(), parts.next(), parts.next());
    match (class.flatten(), subject.flatten(), detail.flatten()) {
        // No such mailbox, no such system, moved without a word, no mail taken there (RFC 7505). Other details of the subject
        // are about the sender, or are given for what a blocklist refused.
        (Some(5), Some(1), Some(1 | 2 | 6 | 10)) => Severity::Hard,
        _ => Severity::Soft,
    }
}

/// What a provider says of a mail that it could not deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It keeps the address on a list of its own and sends nothing there.
    Listed,
    /// For good.
    Permanent,
    /// For the time being, or for reasons that lie in the mail; it tries no more.
    Passing,
}

/// Weighs what a provider says. Where it says "for good", the receiving server's own status decides if it says anything; one that
/// is missing or says "other or undefined" (`5.0.0`) leaves it at the provider's word.
pub fn weigh_claim(claim: Claim, status: Option<&str>) -> Severity {
    match (claim, status) {
        (Claim::Listed, _) | (Claim::Permanent, None) => Severity::Hard,
        (Claim::Permanent, Some(status)) if status.starts_with("5.0.") => Severity::Hard,
        (Claim::Permanent, Some(status)) => weigh(status),
        (Claim::Passing, _) => Severity::Soft,
    }
}

/// Whether a kind of feedback (RFC 5965, section 3.1) says that the person does not want the mail. Others tell of broken
/// signatures, of viruses, or that the mail was wanted after all.
pub fn is_complaint(feedback: &str) -> bool {
    matches!(feedback, "abuse" | "fraud" | "opt-out" | "opt-out-list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_there_is_for_good_and_a_full_mailbox_a_policy_or_nonsense_is_not() {
        for status in ["5.1.1", "5.1.2", "5.1.10"] {
            assert_eq!(weigh(status), Severity::Hard, "{status}");
        }
        for status in [
            "5.1.0", "5.1.3", "5.2.1", "5.2.2", "5.7.1", "5.0.0", "5.1.8", "4.2.2", "4.4.7",
            "5.3.4", "", "5", "x.y.z",
        ] {
            assert_eq!(weigh(status), Severity::Soft, "{status}");
        }
    }

    #[test]
    fn a_provider_that_says_for_good_is_believed_unless_the_receiving_server_said_something_else() {
        for status in [None, Some("5.0.0"), Some("5.1.1")] {
            assert_eq!(weigh_claim(Claim::Permanent, status), Severity::Hard);
        }
        for status in [Some("5.7.1"), Some("5.2.2"), Some("4.4.7")] {
            assert_eq!(weigh_claim(Claim::Permanent, status), Severity::Soft);
        }
        assert_eq!(weigh_claim(Claim::Passing, Some("5.1.1")), Severity::Soft);
        assert_eq!(weigh_claim(Claim::Listed, Some("4.2.2")), Severity::Hard);
    }

    #[test]
    fn only_feedback_of_people_who_do_not_want_the_mail_is_a_complaint() {
        assert!(is_complaint("abuse") && is_complaint("opt-out"));
        for other in ["not-spam", "auth-failure", "virus", "dmarc", ""] {
            assert!(!is_complaint(other), "{other}");
        }
    }
}

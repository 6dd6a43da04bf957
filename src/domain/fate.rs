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

/// Weighs the status of a delivery that failed (RFC 3463, section 3). A status is `CLASS.SUBJECT.DETAIL`. `Action: failed`
/// (RFC 3464, section 2.3.3) and class 5 say that this mail is given up, not that the address is dead; what says that is the
/// subject "address" alone.
///
/// A mailbox that is disabled (`5.2.1`) counts as passing. RFC 3463, section 3.3 has it that the mailbox is there, and lets it be
/// for good or for a time. Its class ought to tell which, but in the field it does not: a large provider answers 5.2.1 for accounts
/// that are disabled, which their owner may get back, and others for what a filter refused (bounces of both kinds are in the corpus
/// of `tests/it/leaving/reports.rs`, which takes neither for good). Taken for good wrongly, a person who agreed is never written to
/// again and hears nothing of it; taken as passing wrongly, a dead mailbox gets four more mails (`[bounce] soft_limit`). A
/// provider's own list of dead addresses (`Claim::Listed`) ends it sooner.
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

/// What the refusal of a recipient says of the mailbox: a 5xx reply to RCPT, or a 4xx one after which nothing is tried any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// RFC 3463, or the reply's code where the server gives none.
    pub status: String,
    pub severity: Severity,
}

/// Words of servers that name no enhanced status and mean the sender, its network, the mail or a rule, and not the mailbox.
const NOT_OF_THE_MAILBOX: [&str; 20] = [
    "relay",
    "rcpthosts",
    "policy",
    "spam",
    "block",
    "black",
    "listed",
    "reputation",
    "auth",
    "login",
    "sender",
    "spf",
    "dkim",
    "dmarc",
    "helo",
    "reverse dns",
    "access denied",
    "too many",
    "too large",
    "quota",
];

/// Reads it from the reply; none where it does not speak of the mailbox. An enhanced status that is about the address (5.1.x) or
/// the mailbox (5.2.x), or the same of class 4, is weighed as that of a report; what is about the sender's address, the network, the message, a rule or
/// anything else is not. Without one, 550, 551 and 553 refuse the mailbox (RFC 5321, section 4.2.3), unless the words say that they
/// mean something else.
pub fn refusal(reply: &str) -> Option<Refusal> {
    let mut words = reply.split_whitespace();
    let code = words.next()?;
    let trimmed = |word: &str| {
        let word = word.trim_start_matches('#');
        word.trim_end_matches(|c: char| !c.is_ascii_digit())
            .to_owned()
    };
    let status = words.next().map(trimmed).filter(|word| is_status(word));
    let Some(status) = status else {
        let lower = reply.to_ascii_lowercase();
        let means_other = NOT_OF_THE_MAILBOX.iter().any(|word| lower.contains(word));
        let refuses = matches!(code, "550" | "551" | "553") && !means_other;
        return refuses.then(|| Refusal {
            status: code.to_owned(),
            severity: Severity::Hard,
        });
    };
    // Bad syntax or a missing MX of the sender's address (RFC 3463, section 3.2).
    let behind_class = status.split_once('.').map_or("", |parts| parts.1);
    let of_sender = matches!(behind_class, "1.7" | "1.8");
    let of_mailbox = behind_class.starts_with("1.") || behind_class.starts_with("2.");
    (of_mailbox && !of_sender).then(|| Refusal {
        severity: weigh(&status),
        status,
    })
}

/// `CLASS.SUBJECT.DETAIL` (RFC 3463, section 2).
fn is_status(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let small = |part: &&str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts[1..].iter().all(small)
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
    fn a_mailbox_that_is_disabled_is_there_and_may_be_enabled_again_so_it_passes_until_the_limit() {
        for status in ["5.2.1", "4.2.1"] {
            assert_eq!(weigh(status), Severity::Soft, "{status}");
            let claim = weigh_claim(Claim::Permanent, Some(status));
            assert_eq!(claim, Severity::Soft, "{status}");
        }
        let refused = refusal("550 5.2.1 The email account that you tried to reach is disabled.");
        let refused = refused.unwrap();
        assert_eq!(
            (refused.status.as_str(), refused.severity),
            ("5.2.1", Severity::Soft)
        );
        // A list of the provider's own says that it stayed so.
        assert_eq!(weigh_claim(Claim::Listed, Some("5.2.1")), Severity::Hard);
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
    fn a_refused_recipient_is_for_good_where_the_reply_speaks_of_the_mailbox_and_nothing_where_it_does_not()
     {
        let severity = |reply: &str| refusal(reply).map(|one| one.severity);
        for reply in [
            "550 5.1.1 no such user",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            "550 #5.1.1 nobody",
            "553 5.1.2: unknown domain",
            "550 no such user here",
            "551 user not local",
            "553 mailbox name not allowed",
        ] {
            assert_eq!(severity(reply), Some(Severity::Hard), "{reply}");
        }
        for reply in [
            "552 5.2.2 mailbox full",
            "550 5.2.1 disabled",
            "550 5.1.0 address rejected",
            "452 4.2.2 mailbox full",
            "450 4.1.1 not now",
            "552 4.2.2 mailbox full",
        ] {
            assert_eq!(severity(reply), Some(Severity::Soft), "{reply}");
        }
        for reply in [
            "550 5.7.1 blocked by policy",
            "552 5.3.4 message too big",
            "501 5.5.4 bad parameters",
            "550 5.7.26 unauthenticated",
            "550 5.4.1 relay access denied",
            "553 5.1.8 sender's domain does not exist",
            "550 relaying denied",
            "550 blocked, see the list",
            "553 sorry, that domain isn't in my list of allowed rcpthosts",
            "554 transaction failed",
            "552 over quota",
            "452 mailbox full",
            "451 4.7.1 greylisted",
            "450 4.1.8 sender's domain does not resolve",
            "452 4.3.1 no room",
            "",
        ] {
            assert_eq!(severity(reply), None, "{reply}");
        }
    }

    #[test]
    fn only_feedback_of_people_who_do_not_want_the_mail_is_a_complaint() {
        assert!(is_complaint("abuse") && is_complaint("opt-out"));
        for other in ["not-spam", "auth-failure", "virus", "dmarc", ""] {
            assert!(!is_complaint(other), "{other}");
        }
    }
}

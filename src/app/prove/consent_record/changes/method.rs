//! How a change came about.

use crate::domain::event::{Fact, Grade};

/// How it was done; for a confirmation its grade, by its name in the events and in words.
pub(super) fn method(fact: &Fact) -> String {
    match fact {
        Fact::SignedUp(signup) if signup.passed_on.is_some() => {
            "website_form: a program of the operator's passed the signup on, and says so".to_owned()
        }
        Fact::SignedUp(_) => "website_form: the address was entered at the form".to_owned(),
        Fact::Imported(import) if import.left => {
            "import: the operator says that the person left".to_owned()
        }
        Fact::Imported(import) if import.told_again => {
            "import: the operator tells again what was told before; it gives nothing anew".to_owned()
        }
        Fact::Imported(import) => {
            let sources = import.claims.iter().map(|claim| claim.source().as_str());
            format!(
                "import: the operator names the source {}",
                sources.collect::<Vec<_>>().join(", ")
            )
        }
        Fact::ProofAdded(added) => format!(
            "proof_added: the operator added proof of the source {}",
            added.claim.source().as_str()
        ),
        Fact::ImportWithdrawn { .. } => {
            "import_withdrawn: the operator took the import back".to_owned()
        }
        Fact::Invited(invited) => format!(
            "campaign: asked by mail ({}), by rule {} of the consent policy",
            invited.campaign_kind.as_str(),
            invited.judgement.rule.id()
        ),
        Fact::Lapsed { explicit: true, .. } => {
            "lapsed: the person was asked again and told that no answer ends consent, and did not answer"
                .to_owned()
        }
        Fact::Lapsed { campaign, .. } => match campaign {
            Some(_) => "lapsed: a campaign asked, and nobody confirmed in time",
            None => "lapsed: nobody confirmed, and the time of implied consent was over",
        }
        .to_owned(),
        Fact::MailAccepted { .. } => {
            "merger_notice: a mail server took the mail that told of the merger".to_owned()
        }
        Fact::Confirmed { grade, .. } => match grade {
            Grade::Code => "code: the six digits of the mail were typed",
            Grade::SameBrowser => {
                "same_browser: the link of the mail was opened in the browser that signed up"
            }
            Grade::LinkButton => "link_button: the button behind the link of the mail was pressed",
            Grade::ApiClaim => "api_claim: an import claims it",
        }
        .to_owned(),
        Fact::Declined { .. } => "decline: “this was not me”, behind a link of the mail".to_owned(),
        Fact::Withdrawn {
            scope,
            method: Some(method),
            ..
        } => format!("withdraw: {scope}, {}", method.says()),
        Fact::Withdrawn { scope, .. } => format!("withdraw: {scope}"),
        Fact::PurposeChanged(_) => {
            "preferences: agreed to behind a link of a mail, in the wording that the event holds"
                .to_owned()
        }
        Fact::Complained(complaint) => format!(
            "complaint: the person's provider reported it ({})",
            complaint.feedback
        ),
        Fact::AddressChanged { .. } => {
            "address_changed: the person corrected a mistyped address".to_owned()
        }
        other => other.kind().to_owned(),
    }
}

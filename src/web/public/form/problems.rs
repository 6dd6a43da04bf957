//! What is wrong with a signup, in words for the person who typed it.

use crate::app::sign_up::Refusal;
use crate::domain::email_address::{AddressProblem, EmailAddress};
use crate::texts::Texts;
use crate::web::error::FieldProblem;

/// The field and the text of a refusal; `None` where the fault is ours.
pub fn problems_of(refusal: &Refusal) -> Option<Vec<(&'static str, &'static str)>> {
    let text = match refusal {
        Refusal::Store => return None,
        Refusal::UnknownPurpose | Refusal::NoPurpose => {
            return Some(vec![("purpose", "form-problem-purpose")]);
        }
        Refusal::NoLongerOffered => return Some(vec![("purpose", "form-problem-gone")]),
        Refusal::RoleAddress => "form-problem-role",
        Refusal::Address(problem) => match problem {
            AddressProblem::Empty => "form-problem-empty",
            AddressProblem::TooLong
            | AddressProblem::LocalPartTooLong
            | AddressProblem::DomainTooLong => "form-problem-long",
            AddressProblem::NoAt => "form-problem-at",
            AddressProblem::WhiteSpace => "form-problem-space",
            AddressProblem::QuotedLocalPart
            | AddressProblem::IpLiteral
            | AddressProblem::Comment => "form-problem-unusual",
            AddressProblem::SingleLabel
            | AddressProblem::NumericTopLevel
            | AddressProblem::ReservedDomain
            | AddressProblem::UnknownTopLevel => "form-problem-domain",
            AddressProblem::ControlCharacter
            | AddressProblem::LocalPart
            | AddressProblem::DomainSyntax => "form-problem-syntax",
        },
    };
    Some(vec![("email", text)])
}

/// The texts of problems, with a likely meant address where there is one.
pub fn explain(t: Texts, email: &str, problems: &[(&str, &str)]) -> Vec<FieldProblem> {
    problems
        .iter()
        .map(|(field, key)| {
            let mut detail = t.get(key);
            if *field == "email"
                && let Some(meant) = EmailAddress::suggestion_for(email)
            {
                detail.push(' ');
                detail.push_str(&t.arg("form-did-you-mean", "address", &meant));
            }
            FieldProblem {
                field: (*field).to_owned(),
                detail,
            }
        })
        .collect()
}

//! What a signup leaves as an event: all that was shown, typed and decided.

use super::SignUp;
use crate::app::judge::came_back;
use crate::domain::brand::{RoleAddresses, Slug};
use crate::domain::event::{self, AskedBy, Fact, MailFate, ShownBox, Source};
use crate::domain::policy::{POLICY_VERSION, Rule, Ruling, Verdict, judge_signup};
use crate::domain::standing::{Standings, State, has_left_all};
use crate::domain::time::Timestamp;
use crate::store::left::Left;

/// What keeps the door closed to an address, beside where its contact stands.
pub(super) struct Doors {
    pub suppressed: bool,
    pub erased: bool,
    /// Of the signup's purposes those that the person had left, as lists told.
    pub left: Vec<Slug>,
}

/// The purposes of a signup that the person had left, as lists told, and did not agree to here since.
pub(super) fn left_of(call: &SignUp, standings: &Standings, told: Option<&Vec<Left>>) -> Vec<Slug> {
    let told = told.map_or(&[][..], Vec::as_slice);
    let has_left = |purpose: &&Slug| {
        let mut told = told.iter().filter(|left| left.purpose == purpose.as_str());
        told.any(|left| !came_back(Some(standings), left))
    };
    call.purposes.iter().filter(has_left).cloned().collect()
}

pub(super) fn ruling_of(call: &SignUp, standings: &Standings, doors: &Doors) -> Ruling {
    if call.bot {
        // A program's act is no act of the person (G1).
        return Ruling {
            verdict: Verdict::Refuse,
            rule: Rule::G1,
        };
    }
    let left_all = has_left_all(standings);
    // Anybody can type an address of somebody who left elsewhere: that gives no basis either.
    let closed = |purpose: &Slug| {
        doors.left.contains(purpose)
            || standings.get(purpose).map_or(left_all, |standing| {
                matches!(standing.state, State::Withdrawn | State::Declined)
            })
    };
    // Anybody can type an address that was erased. Until the person has confirmed anew it gives no basis (D3).
    let reopened = || {
        let mut states = standings.values().map(|standing| standing.state);
        states.any(|state| state == State::Explicit)
    };
    judge_signup(
        doors.suppressed || call.purposes.iter().all(closed) || (doors.erased && !reopened()),
        call.is_foreign,
        call.address.is_role(),
        call.brand.declared.role_addresses,
        call.brand.declared.hold_until_confirmed,
    )
}

/// `address` is the one that mail goes to: as the contact was first written.
pub(super) fn signed_up(
    call: SignUp,
    address: String,
    confirmation_expires_at: Timestamp,
    (ruling, left): (Ruling, Vec<Slug>),
    mail: MailFate,
) -> Fact {
    Fact::SignedUp(Box::new(event::SignedUp {
        address_typed: call.address.as_typed().to_owned(),
        address,
        boxes: boxes(&call),
        responsible: responsible(&call),
        name: call.name,
        purposes: call.purposes,
        source: Source::WebsiteForm,
        form: call.form.declared.slug.clone(),
        form_version: call.version,
        language: call.language,
        page: call.page,
        fields: call.fields,
        ruling,
        left,
        moves_end: true,
        policy_version: POLICY_VERSION.to_owned(),
        confirmation_expires_at,
        key_id: call.key_id,
        asked_by: AskedBy::from(&call.brand.declared),
        mail,
        kiosk: call.booth.is_some(),
        entered_at: call.booth.and_then(|booth| booth.entered_at),
        clock_said: call.booth.and_then(|booth| booth.clock_said),
        passed_on: call.passed_on,
        circumstances: call.circumstances,
    }))
}

/// Who answers for a role address that may sign up.
fn responsible(call: &SignUp) -> Option<String> {
    let declared = &call.brand.declared;
    (call.address.is_role() && declared.role_addresses == RoleAddresses::ConfirmFirst)
        .then(|| declared.responsible.clone())
        .flatten()
}

/// The purposes that the form showed, with the state of each box as it came back; none where a program passed the signup on
/// and our form was not shown.
fn boxes(call: &SignUp) -> Vec<ShownBox> {
    let content = call.form.content(&call.version);
    let shown = content.filter(|_| call.passed_on.is_none());
    let shown = shown.map_or(&[][..], |content| &content.purposes);
    shown
        .iter()
        .map(|purpose| ShownBox {
            purpose: purpose.slug.clone(),
            is_box: purpose.choice,
            ticked: purpose.choice && call.purposes.contains(&purpose.slug),
        })
        .collect()
}

pub(super) fn joined(purposes: &[Slug]) -> String {
    let names: Vec<&str> = purposes.iter().map(Slug::as_str).collect();
    names.join(" ")
}

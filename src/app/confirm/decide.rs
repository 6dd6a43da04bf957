//! Deciding one answer after another, in memory; of several answers to one request the first wins.

use super::batch::Batch;
use super::{Act, Answer, Declining, Outcome, is_code};
use crate::domain::brand::Slug;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, Grade, LeaveMethod, LeftBy};
use crate::domain::ids::RequestId;
use crate::domain::leaving::SCOPE_PURPOSES;
use crate::domain::scanner::{self, Button, Press};
use crate::domain::standing::{
    Attempt, CODE_TRIES, Decision, RequestState, State, decide, decide_decline,
};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

impl Batch<'_> {
    pub(super) fn decide(&mut self, call: Answer) -> Result<Outcome, StoreError> {
        let Some(request) = self
            .requests
            .get(&call.request)
            .filter(|row| row.brand_id == call.brand)
        else {
            return Ok(Outcome::Gone);
        };
        let view = request.view()?;
        let button = match call.act {
            Act::Decline(_) => Button::Decline,
            _ => Button::Confirm,
        };
        let attempt = match &call.act {
            Act::SameBrowser | Act::Decline(Declining::SameBrowser) => Attempt::SameBrowser,
            Act::Button { page_opened_at } | Act::Decline(Declining::Button { page_opened_at }) => {
                Attempt::Button {
                    signals: self.signals(&call, button, *page_opened_at),
                }
            }
            Act::Code { typed } | Act::Decline(Declining::Code { typed }) => Attempt::Code {
                right: is_code(&self.work.keys, request, typed),
            },
            Act::OtherCode { typed, other } => {
                let (typed, other) = (typed.clone(), *other);
                return self.other_code(call, &typed, other);
            }
        };
        let decision = match button {
            Button::Confirm => decide(view, attempt, self.now),
            Button::Decline => decide_decline(view, attempt),
        };
        match decision {
            Decision::Confirm(_) if button == Button::Decline => self.decline(call),
            Decision::Confirm(grade) => self.confirm(call, grade),
            Decision::AskCode(signals) => {
                let fact = Fact::CodeAsked {
                    signals,
                    declining: button == Button::Decline,
                    circumstances: call.circumstances,
                };
                self.record(call.request, fact)?;
                let tries_left = tries_left(view.code_tries);
                Ok(Outcome::CodeAsked { tries_left })
            }
            Decision::CodeWrong { tries } => {
                self.code_wrong(call.request, tries, call.circumstances)
            }
            Decision::CodeClosed => Ok(Outcome::CodeClosed),
            Decision::Expired => Ok(Outcome::Expired),
            Decision::Ended(state) => Ok(ended(state)),
        }
    }

    /// A code on the page of a request whose mail is not the one that is out. What the page shows goes by its own wrong codes alone, or
    /// it would tell whether there is such a mail (T19); how many guesses at that mail's code come from other pages, however many
    /// signups a browser makes, is counted there.
    fn other_code(
        &mut self,
        call: Answer,
        typed: &str,
        other: Option<RequestId>,
    ) -> Result<Outcome, StoreError> {
        let Some(own) = self.requests.get(&call.request) else {
            return Ok(Outcome::Gone);
        };
        let (view, contact) = (own.view()?, own.contact_id);
        if !matches!(view.state, RequestState::Open | RequestState::Replaced) {
            return Ok(ended(view.state));
        }
        if self.now >= view.expires_at {
            return Ok(Outcome::Expired);
        }
        let other = other.and_then(|id| self.requests.get(&id));
        let other = other.filter(|row| row.contact_id == contact);
        if let Some(other) = other
            && other.state()? == RequestState::Confirmed
        {
            return Ok(ended(RequestState::Confirmed));
        }
        if view.code_tries >= CODE_TRIES {
            return Ok(Outcome::CodeClosed);
        }
        if let Some(other) = other
            && other.mailed != 0
            && other.state()? == RequestState::Open
            && self.now < other.expires_at
            && other.other_tries < CODE_TRIES
        {
            let (id, tries) = (other.id, other.other_tries + 1);
            if is_code(&self.work.keys, other, typed) {
                let call = Answer {
                    request: id,
                    ..call
                };
                return self.confirm(call, Grade::Code);
            }
            if let Some(row) = self.requests.get_mut(&id) {
                row.other_tries = tries;
                self.touched.push(id);
            }
        }
        self.code_wrong(call.request, view.code_tries + 1, call.circumstances)
    }

    fn confirm(&mut self, call: Answer, grade: Grade) -> Result<Outcome, StoreError> {
        let name = self.take_name(call.request);
        let Some(request) = self.requests.get(&call.request) else {
            return Ok(Outcome::Gone);
        };
        let fact = Fact::Confirmed {
            purposes: request.purposes(),
            grade,
            method: call.method,
            key_id: u8::try_from(request.key_id).unwrap_or(0),
            name,
            circumstances: call.circumstances,
        };
        // The breaker weighs the mails of signups, so it counts no confirmation of a campaign's.
        let weighs = request.campaign_id.is_none();
        self.end(call.request, RequestState::Confirmed);
        self.record(call.request, fact)?;
        self.confirmed_at.extend(weighs.then_some(self.now));
        Ok(Outcome::Confirmed { again: false })
    }

    fn code_wrong(
        &mut self,
        id: RequestId,
        tries: i64,
        circumstances: Circumstances,
    ) -> Result<Outcome, StoreError> {
        if let Some(row) = self.requests.get_mut(&id) {
            row.code_tries = tries;
            self.touched.push(id);
        }
        let fact = Fact::CodeWrong {
            tries,
            circumstances,
        };
        self.record(id, fact)?;
        let tries_left = tries_left(tries);
        Ok(Outcome::CodeWrong { tries_left })
    }

    fn decline(&mut self, call: Answer) -> Result<Outcome, StoreError> {
        let Some(request) = self.requests.get(&call.request) else {
            return Ok(Outcome::Gone);
        };
        let purposes = request.purposes();
        let contact = self
            .contacts
            .get(&request.contact_id)
            .ok_or(StoreError::Corrupt("contact of a request"))?;
        // Somebody who had confirmed and is asked again says no: that is leaving what they had, and no more than that.
        let explicit = |purpose: &Slug| {
            let standing = contact.standings.get(purpose);
            standing.is_some_and(|standing| standing.state == State::Explicit)
        };
        if request.campaign_id.is_some() && purposes.iter().all(explicit) {
            self.end(call.request, RequestState::Declined);
            let fact = Fact::Withdrawn {
                purposes,
                scope: SCOPE_PURPOSES.to_owned(),
                keeps_all: false,
                method: Some(LeaveMethod::LinkButton),
                by: Some(LeftBy::Person),
                reason: None,
                told_by: None,
                circumstances: call.circumstances,
            };
            self.record(call.request, fact)?;
            self.end_others(call.request);
            return Ok(Outcome::Declined);
        }
        self.declined.push((call.brand, contact.mailbox_hash()?));
        self.end(call.request, RequestState::Declined);
        self.record(
            call.request,
            Fact::Declined {
                purposes,
                circumstances: call.circumstances,
            },
        )?;
        Ok(Outcome::Declined)
    }

    fn signals(
        &self,
        call: &Answer,
        button: Button,
        page_opened_at: Option<Timestamp>,
    ) -> Vec<scanner::Signal> {
        let network = self.work.mark_of(&call.circumstances);
        let press = Press {
            button,
            at: self.now,
            network: &network,
            page_opened_at,
        };
        let opened = self.seen.get(&call.request).map_or(&[][..], Vec::as_slice);
        let key = (call.request, network.clone());
        let people = self.people.get(&key).copied().unwrap_or(0);
        scanner::signals(&press, opened, people, self.thresholds)
    }
}

fn tries_left(tries: i64) -> i64 {
    (CODE_TRIES - tries).max(0)
}

const fn ended(state: RequestState) -> Outcome {
    match state {
        RequestState::Confirmed => Outcome::Confirmed { again: true },
        RequestState::Declined => Outcome::Declined,
        RequestState::Replaced => Outcome::Replaced,
        RequestState::Abandoned => Outcome::Abandoned,
        RequestState::Left => Outcome::Left,
        RequestState::Bounced => Outcome::Bounced,
        RequestState::Open | RequestState::Expired => Outcome::Expired,
    }
}

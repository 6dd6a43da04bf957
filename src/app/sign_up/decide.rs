//! Deciding one signup after another, in memory; those later in the batch see what the earlier ones changed.

use super::batch::{Batch, Contact, entry_key};
use super::fact::{Doors, joined, left_of, ruling_of, signed_up};
use super::{CONFIRM, NOTHING, SignUp, SignedUp};
use crate::app::record::About;
use crate::domain::event::{Fact, MailFate};
use crate::domain::ids::{ContactId, OutboxId, RequestId};
use crate::domain::standing::{RequestState, Standings, apply, explicit_from};
use crate::domain::time::Timestamp;
use crate::store::outbox::OutboxRow;
use crate::store::requests::RequestRow;
use crate::store::{StoreError, contacts};

impl Batch<'_> {
    pub(super) fn decide(&mut self, call: SignUp) -> Result<SignedUp, StoreError> {
        if let Some(entry) = entry_key(&call) {
            if !self.recorded.insert(entry) {
                return Ok(recorded_before(&call));
            }
            self.entries.push(entry);
        }
        if call.corrects.is_some() && !self.corrected.insert((call.brand.id, call.request)) {
            return Ok(recorded_before(&call));
        }
        let suppressed = self.mailbox(&call).suppressed_at.is_some();
        let (mail, due_at) = self.take_budget(&call, suppressed);
        let key = (call.brand.id, call.address.key().to_owned());
        let known = self.contacts.remove(&key);
        let mut contact = known.unwrap_or_else(|| self.new_contact(&call));
        let doors = Doors {
            suppressed,
            erased: self.erased.contains(&key),
            left: left_of(&call, &contact.row.standings, self.left.get(&key)),
        };
        let ruling = ruling_of(&call, &contact.row.standings, &doors);
        let queued = mail == MailFate::Queued;
        let (request, replaced) = self.ask(&call, &mut contact, queued);
        // A mail that is out, or consent that was confirmed, has its own name: nobody else types it over. The name of a signup of
        // somebody confirmed is taken when that signup is confirmed.
        if queued && call.name.is_some() && explicit_from(&contact.row.standings).is_none() {
            contact.row.name.clone_from(&call.name);
        }
        let shown = call.address.folded();
        let answer = SignedUp {
            brand: call.brand.number,
            request: request.id,
            expires_at: request.expires_at,
            masked: shown.masked(),
            suggestion: shown.suggestion(),
            mail: Some(mail),
        };
        let domain = call.address.domain().to_owned();
        let address = contact.row.address.clone();
        let fact = signed_up(
            call,
            address,
            request.expires_at,
            (ruling, doors.left),
            mail,
        );
        if let Some(replaced) = replaced {
            self.record(&mut contact.row, replaced, Fact::Replaced)?;
        }
        self.record(&mut contact.row, request.id, fact)?;
        self.queue(&request, domain, queued, due_at);
        self.requests.push(request);
        self.contacts.insert(key, contact);
        Ok(answer)
    }

    fn new_contact(&self, call: &SignUp) -> Contact {
        Contact {
            row: contacts::Contact {
                brand_id: call.brand.id,
                id: ContactId(self.work.random.uuid_v7(self.now)),
                address: call.address.deliverable().to_owned(),
                address_key: call.address.key().to_owned(),
                mailbox: call.mailbox.to_vec(),
                language: call.language.clone(),
                name: None,
                open_request_id: None,
                standings: Standings::new(),
                created_at: self.now,
            },
            open: None,
        }
    }

    /// The request that the signup makes, and the one that its mail replaces.
    fn ask(
        &mut self,
        call: &SignUp,
        contact: &mut Contact,
        queued: bool,
    ) -> (RequestRow, Option<RequestId>) {
        let now = self.now;
        let open = contact
            .open
            .take_if(|open| open.state == "open" && open.expires_at > now);
        let follows = open.as_ref().filter(|_| !queued).map(|open| open.id);
        let request = request_of(call, contact.row.id, queued, follows, now);
        if !queued {
            contact.open = open;
            return (request, None);
        }
        contact.row.open_request_id = Some(request.id);
        contact.open = Some(request.clone());
        // One link serves one request, and a newer mail replaces the older. Without a new mail the older one stays
        // good: nobody can spoil a person's link by typing the address once more. So does what the newer one does not ask for: whoever
        // signs up at two forms has two mails to answer.
        let replaced = open
            .filter(|open| is_asked_again(open, call))
            .map(|mut open| {
                let id = open.id;
                open.state = RequestState::Replaced.as_str().to_owned();
                open.ended_at = Some(now);
                self.replace(open);
                id
            });
        (request, replaced)
    }

    fn record(
        &mut self,
        contact: &mut contacts::Contact,
        request: RequestId,
        fact: Fact,
    ) -> Result<(), StoreError> {
        apply(&mut contact.standings, &fact, self.now);
        let about = About {
            brand: contact.brand_id,
            contact: contact.id,
            request: Some(request),
        };
        self.events.push(self.work.record(about, self.now, fact)?);
        Ok(())
    }

    /// A signup without a mail writes an outbox row as well, which delivery takes out unsent: otherwise the time of the
    /// answer would tell the states of addresses apart (T19).
    fn queue(&mut self, request: &RequestRow, domain: String, queued: bool, due_at: Timestamp) {
        self.mails.push(OutboxRow {
            id: OutboxId(self.work.random.uuid_v7(self.now)),
            brand_id: request.brand_id,
            contact_id: request.contact_id,
            request_id: request.id,
            template: if queued { CONFIRM } else { NOTHING }.to_owned(),
            recipient_domain: domain,
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        });
    }
}

/// Whether a signup takes the place of an open request: it is at the same form, or asks for all that was asked for there.
fn is_asked_again(open: &RequestRow, call: &SignUp) -> bool {
    open.form_id == call.form.id
        || open
            .purposes()
            .iter()
            .all(|one| call.purposes.contains(one))
}

/// The answer to an entry, or a correction, that came once more: nothing is recorded, and no mail is caused.
fn recorded_before(call: &SignUp) -> SignedUp {
    SignedUp {
        brand: call.brand.number,
        request: call.request,
        expires_at: Timestamp::from_micros(0),
        masked: call.address.folded().masked(),
        suggestion: None,
        mail: None,
    }
}

fn request_of(
    call: &SignUp,
    contact: ContactId,
    queued: bool,
    follows: Option<RequestId>,
    now: Timestamp,
) -> RequestRow {
    RequestRow {
        brand_id: call.brand.id,
        id: call.request,
        contact_id: contact,
        form_id: call.form.id,
        form_version: call.version.as_str().to_owned(),
        purposes: joined(&call.purposes),
        language: call.language.clone(),
        page_host: call.page_host.clone(),
        key_id: i64::from(call.key_id),
        state: RequestState::Open.as_str().to_owned(),
        mailed: i64::from(queued),
        last_mail_at: now,
        follows_id: follows,
        code_tries: 0,
        other_tries: 0,
        openings: 0,
        issued_at: now,
        expires_at: whole_second(now.plus(call.brand.confirm_within())),
        ended_at: None,
        campaign_id: None,
        entered_at: call.booth.and_then(|booth| booth.entered_at),
        look_at: looked_at(call, queued, now),
        corrections: call.corrects.map_or(0, |one| one.number),
    }
}

/// When the request is looked at next: for the one reminder where the form has it, else at its end.
fn looked_at(call: &SignUp, queued: bool, now: Timestamp) -> Timestamp {
    let end = whole_second(now.plus(call.brand.confirm_within()));
    let reminder = call.form.declared.remind_after().filter(|_| queued);
    reminder.map_or(end, |after| now.plus(after).min(end))
}

/// Tokens carry whole seconds; the stored expiry is the same instant.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.unix_seconds() * 1_000_000)
}

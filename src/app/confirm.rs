//! Answering a confirmation request: by the link, by the code, or with "this was not me". Written for a batch.

use std::collections::{HashMap, HashSet};

use subtle::ConstantTimeEq;

use super::inbox::InboxView;
use super::record::About;
use super::sign_up::empty_mailbox;
use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::Fact;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::scanner::{self, Opening, Press, Thresholds};
use crate::domain::standing::{
    Attempt, CODE_TRIES, Decision, RequestState, Standings, apply, decide,
};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::{self, Contact};
use crate::store::events::NewEvent;
use crate::store::locks::Locks;
use crate::store::requests::{self, Asked, Key, RequestRow};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, events, openings};
use crate::telemetry;

/// Answers in one transaction at most.
pub const BATCH: usize = 1_024;

/// What the person, or a program, did.
#[derive(Clone, Debug)]
pub enum Act {
    /// The link, in the browser that signed up.
    SameBrowser,
    /// The button behind the link, and when its page was served, if it says so.
    Button {
        page_opened_at: Option<Timestamp>,
    },
    Code {
        typed: String,
    },
    Decline,
}

/// One answer to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub brand: BrandId,
    pub request: RequestId,
    pub act: Act,
    pub method: String,
    pub circumstances: Circumstances,
}

/// What became of it. Everything but `Confirmed { again: false }` and `Declined` changed no standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Confirmed {
        again: bool,
    },
    Declined,
    CodeAsked {
        tries_left: i64,
    },
    CodeWrong {
        tries_left: i64,
    },
    CodeClosed,
    /// A newer mail took over.
    Replaced,
    /// The address was corrected.
    Abandoned,
    Expired,
    /// The token is genuine, but its request is gone: erased.
    Gone,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Confirmed { again: false } => "confirmed",
            Self::Confirmed { again: true } => "again",
            Self::Declined => "declined",
            Self::CodeAsked { .. } => "code_asked",
            Self::CodeWrong { .. } => "code_wrong",
            Self::CodeClosed => "code_closed",
            Self::Replaced => "replaced",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
            Self::Gone => "gone",
        }
    }
}

/// What became of an answer, and the request as it stands after it; none if it is gone.
pub(super) type Answered = (Outcome, Option<Asked>);

impl App {
    /// Records an answer. When this returns, what it changed is on disk.
    pub async fn answer(&self, answer: Answer) -> Result<Outcome, StoreError> {
        Ok(self.answer_and_look(answer).await?.0)
    }

    /// Records an answer, and tells how the request stands after it; nothing of one that is gone.
    pub async fn answer_and_look(
        &self,
        answer: Answer,
    ) -> Result<(Outcome, Option<InboxView>), StoreError> {
        let request = answer.request;
        let (outcome, asked) = self.confirmations.call(answer).await?;
        metrics::counter!(telemetry::CONFIRMATIONS, "outcome" => outcome.name()).increment(1);
        if matches!(
            outcome,
            Outcome::Confirmed { again: false } | Outcome::Declined
        ) {
            self.live.answered(request);
        }
        let view = asked.map(|asked| self.view_of(asked)).transpose()?;
        Ok((outcome, view))
    }
}

struct Batch<'a> {
    work: &'a Work,
    thresholds: &'a Thresholds,
    now: Timestamp,
    requests: HashMap<RequestId, RequestRow>,
    touched: Vec<RequestId>,
    contacts: HashMap<ContactId, Contact>,
    changed: HashSet<ContactId>,
    openings: HashMap<RequestId, Vec<Opening>>,
    people: HashMap<String, i64>,
    /// The mailboxes of those who may decline.
    mailboxes: Vec<Mailbox>,
    declined: Vec<(BrandId, MailboxHash)>,
    events: Vec<NewEvent>,
}

/// Records a batch of answers in one transaction; of several answers to one request the first wins and the others are
/// told how it stands.
pub(super) async fn run(
    work: &Work,
    thresholds: &Thresholds,
    calls: Vec<Answer>,
) -> Result<Vec<Answered>, StoreError> {
    let mut keys: Vec<Key> = calls
        .iter()
        .map(|call| (call.brand, call.request))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    // Neither rests on what is locked, so the one need not wait for the other.
    let (locks, people) =
        tokio::try_join!(locks_of(work, &keys, &calls), count_people(work, &calls))?;
    let mut held = work.store.hold(locks).await?;
    let mut batch = Batch::read(work, thresholds, held.conn(), &keys, &calls).await?;
    batch.people = people;
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        let id = call.request;
        let outcome = batch.decide(call)?;
        outcomes.push((outcome, batch.asked(id)));
    }
    // If the process dies before this commit, nobody was answered and nothing changed; the link works again.
    held.finish(batch.writes()).await?;
    Ok(outcomes)
}

/// The contacts of a batch, and the mailboxes that somebody wants left alone. Neither ever changes for a request, so both
/// may be read before they are locked.
async fn locks_of(work: &Work, keys: &[Key], calls: &[Answer]) -> Result<Locks, StoreError> {
    let mut locks = Locks::default();
    let declining = declining(calls);
    let mut conn = work.store.read().await?;
    for owner in requests::list_owners(&mut conn, keys).await? {
        locks.contact(owner.brand_id, &owner.address_key);
        if declining.contains(&owner.id) {
            locks.mailbox(owner.brand_id, &mailbox_hash(&owner.mailbox)?);
        }
    }
    Ok(locks)
}

/// How many people's links the networks of those who press opened within a minute.
async fn count_people(work: &Work, calls: &[Answer]) -> Result<HashMap<String, i64>, StoreError> {
    let mut networks: Vec<String> = calls
        .iter()
        .filter(|call| matches!(call.act, Act::Button { .. }))
        .map(|call| call.circumstances.neighbourhood())
        .collect();
    if networks.is_empty() {
        return Ok(HashMap::new());
    }
    networks.sort_unstable();
    networks.dedup();
    let since = work.clock.now().minus(std::time::Duration::from_secs(60));
    let mut conn = work.store.read().await?;
    let counted = openings::count_people(&mut conn, &networks, since).await?;
    Ok(counted.into_iter().collect())
}

fn declining(calls: &[Answer]) -> HashSet<RequestId> {
    calls
        .iter()
        .filter(|call| matches!(call.act, Act::Decline))
        .map(|call| call.request)
        .collect()
}

fn mailbox_hash(stored: &[u8]) -> Result<MailboxHash, StoreError> {
    MailboxHash::try_from(stored).map_err(|_| StoreError::Corrupt("mailbox of a contact"))
}

impl<'a> Batch<'a> {
    async fn read(
        work: &'a Work,
        thresholds: &'a Thresholds,
        tx: &mut Conn,
        keys: &[Key],
        calls: &[Answer],
    ) -> Result<Self, StoreError> {
        let asked = requests::list_with_contacts(tx, keys).await?;
        let mut batch = Self {
            now: work.clock.now(),
            work,
            thresholds,
            requests: HashMap::with_capacity(asked.len()),
            touched: Vec::new(),
            contacts: HashMap::with_capacity(asked.len()),
            changed: HashSet::new(),
            openings: HashMap::new(),
            people: HashMap::new(),
            mailboxes: Vec::new(),
            declined: Vec::new(),
            events: Vec::with_capacity(calls.len()),
        };
        let declining = declining(calls);
        let mut boxes = Vec::new();
        for Asked { request, contact } in asked {
            if declining.contains(&request.id) {
                boxes.push((contact.brand_id, mailbox_hash(&contact.mailbox)?));
            }
            batch.contacts.insert(contact.id, contact);
            batch.requests.insert(request.id, request);
        }
        boxes.sort_unstable();
        boxes.dedup();
        batch.mailboxes = budgets::find_mailboxes(tx, &boxes).await?;
        // The hits that tell whether a press is a scanner's; a request whose links nobody opened has none.
        let pressed: HashSet<RequestId> = calls
            .iter()
            .filter(|call| matches!(call.act, Act::Button { .. }))
            .map(|call| call.request)
            .collect();
        let opened: Vec<Key> = batch
            .requests
            .values()
            .filter(|row| row.openings > 0 && pressed.contains(&row.id))
            .map(|row| (row.brand_id, row.id))
            .collect();
        for (request, opening) in openings::list(tx, &opened).await? {
            batch.openings.entry(request).or_default().push(opening);
        }
        Ok(batch)
    }

    fn asked(&self, id: RequestId) -> Option<Asked> {
        let request = self.requests.get(&id)?;
        let contact = self.contacts.get(&request.contact_id)?;
        Some(Asked {
            request: request.clone(),
            contact: contact.clone(),
        })
    }

    fn decide(&mut self, call: Answer) -> Result<Outcome, StoreError> {
        let Some(request) = self
            .requests
            .get(&call.request)
            .filter(|row| row.brand_id == call.brand)
        else {
            return Ok(Outcome::Gone);
        };
        let view = request.view()?;
        let attempt = match &call.act {
            Act::Decline => return self.decline(call),
            Act::SameBrowser => Attempt::SameBrowser,
            Act::Button { page_opened_at } => Attempt::Button {
                signals: self.signals(&call, *page_opened_at),
            },
            Act::Code { typed } => Attempt::Code {
                right: self.is_right(request, typed),
            },
        };
        let circumstances = call.circumstances;
        let id = call.request;
        let tries_left = |tries: i64| (CODE_TRIES - tries).max(0);
        Ok(match decide(view, attempt, self.now) {
            Decision::Confirm(grade) => {
                let purposes = request.purposes();
                let key_id = u8::try_from(request.key_id).unwrap_or(0);
                self.end(id, RequestState::Confirmed);
                self.record(
                    id,
                    Fact::Confirmed {
                        purposes,
                        grade,
                        method: call.method,
                        key_id,
                        circumstances,
                    },
                )?;
                Outcome::Confirmed { again: false }
            }
            Decision::AskCode(signals) => {
                self.record(
                    id,
                    Fact::CodeAsked {
                        signals,
                        circumstances,
                    },
                )?;
                Outcome::CodeAsked {
                    tries_left: tries_left(view.code_tries),
                }
            }
            Decision::CodeWrong { tries } => {
                if let Some(row) = self.requests.get_mut(&id) {
                    row.code_tries = tries;
                    self.touched.push(id);
                }
                self.record(
                    id,
                    Fact::CodeWrong {
                        tries,
                        circumstances,
                    },
                )?;
                Outcome::CodeWrong {
                    tries_left: tries_left(tries),
                }
            }
            Decision::CodeClosed => Outcome::CodeClosed,
            Decision::Expired => Outcome::Expired,
            Decision::Ended(state) => ended(state),
        })
    }

    fn decline(&mut self, call: Answer) -> Result<Outcome, StoreError> {
        let Some(request) = self.requests.get(&call.request) else {
            return Ok(Outcome::Gone);
        };
        let state = request.state()?;
        // A decline is taken of an open request and, so that "not me" always stops the mail, of one that a newer mail
        // replaced. What was confirmed is left by leaving, not by declining.
        if !matches!(state, RequestState::Open | RequestState::Replaced) {
            return Ok(ended(state));
        }
        let purposes = request.purposes();
        let contact = self
            .contacts
            .get(&request.contact_id)
            .ok_or(StoreError::Corrupt("contact of a request"))?;
        self.declined
            .push((call.brand, mailbox_hash(&contact.mailbox)?));
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

    fn signals(&self, call: &Answer, page_opened_at: Option<Timestamp>) -> Vec<scanner::Signal> {
        let network = call.circumstances.neighbourhood();
        let press = Press {
            at: self.now,
            network: &network,
            page_opened_at,
        };
        let opened = self
            .openings
            .get(&call.request)
            .map_or(&[][..], Vec::as_slice);
        let people = self.people.get(&network).copied().unwrap_or(0);
        scanner::signals(&press, opened, people, self.thresholds)
    }

    /// Compares in constant time; digits only, spaces left out, since people type "123 456".
    fn is_right(&self, request: &RequestRow, typed: &str) -> bool {
        let typed: String = typed
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(7)
            .collect();
        u8::try_from(request.key_id)
            .ok()
            .and_then(|key_id| self.work.keys.code(key_id, request.id.0))
            .is_some_and(|right| right.as_bytes().ct_eq(typed.as_bytes()).into())
    }

    fn end(&mut self, id: RequestId, state: RequestState) {
        if let Some(row) = self.requests.get_mut(&id) {
            row.state = state.as_str().to_owned();
            row.ended_at = Some(self.now);
            self.touched.push(id);
        }
    }

    fn record(&mut self, id: RequestId, fact: Fact) -> Result<(), StoreError> {
        let Some(row) = self.requests.get(&id) else {
            return Ok(());
        };
        let about = About {
            brand: row.brand_id,
            contact: row.contact_id,
            request: Some(id),
        };
        if let Some(contact) = self.contacts.get_mut(&about.contact) {
            let before = contact.standings.clone();
            apply(&mut contact.standings, &fact, self.now);
            if contact.standings != before {
                self.changed.insert(contact.id);
            }
        }
        self.events.push(self.work.record(about, self.now, fact)?);
        Ok(())
    }

    fn writes(mut self) -> Writes {
        self.touched.sort_unstable();
        self.touched.dedup();
        let requests: Vec<RequestRow> = self
            .touched
            .iter()
            .filter_map(|id| self.requests.remove(id))
            .collect();
        let standings: Vec<(BrandId, ContactId, &Standings)> = self
            .changed
            .iter()
            .filter_map(|id| self.contacts.get(id))
            .map(|contact| (contact.brand_id, contact.id, &contact.standings))
            .collect();
        let mailboxes = suppressed(self.mailboxes, self.declined, "declined", self.now);
        let mut writes = Writes::default();
        requests::update(&mut writes, &requests);
        contacts::put_standings(&mut writes, &standings);
        events::append(&mut writes, &self.events);
        budgets::put_mailboxes(&mut writes, &mailboxes);
        writes
    }
}

const fn ended(state: RequestState) -> Outcome {
    match state {
        RequestState::Confirmed => Outcome::Confirmed { again: true },
        RequestState::Declined => Outcome::Declined,
        RequestState::Replaced => Outcome::Replaced,
        RequestState::Abandoned => Outcome::Abandoned,
        RequestState::Open => Outcome::Expired,
    }
}

/// The mailboxes that all further mail of the brand is kept from.
fn suppressed(
    mut known: Vec<Mailbox>,
    mut keys: Vec<(BrandId, MailboxHash)>,
    reason: &str,
    now: Timestamp,
) -> Vec<Mailbox> {
    keys.sort_unstable();
    keys.dedup();
    let mut mailboxes = Vec::with_capacity(keys.len());
    for (brand, hash) in keys {
        let at = known
            .iter()
            .position(|one| one.brand_id == brand && one.hash == hash);
        let mut mailbox = at.map_or_else(|| empty_mailbox(brand, hash), |at| known.swap_remove(at));
        mailbox.suppressed_at.get_or_insert(now);
        mailbox
            .suppressed_for
            .get_or_insert_with(|| reason.to_owned());
        mailboxes.push(mailbox);
    }
    mailboxes
}

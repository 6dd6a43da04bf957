//! Answering a confirmation request: by the link, by the code, or with "this was not me". Written for a batch.

use std::collections::HashMap;

use subtle::ConstantTimeEq;

use super::sign_up::{empty_mailbox, lock_key};
use super::{App, Work};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, SCHEMA_VERSION};
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::scanner::{self, Opening, Press, Thresholds};
use crate::domain::standing::{
    Attempt, CODE_TRIES, Decision, RequestState, Standings, apply, decide,
};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, MailboxHash};
use crate::store::contacts::{self, ContactRow, StandingOf};
use crate::store::requests::{self, RequestRow};
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

impl App {
    /// Records an answer. When this returns, what it changed is on disk.
    pub async fn answer(&self, answer: Answer) -> Result<Outcome, StoreError> {
        let request = answer.request;
        let outcome = self.confirmations.call(answer).await?;
        metrics::counter!(telemetry::CONFIRMATIONS, "outcome" => outcome.name()).increment(1);
        if matches!(
            outcome,
            Outcome::Confirmed { again: false } | Outcome::Declined
        ) {
            self.live.answered(request);
        }
        Ok(outcome)
    }
}

struct Batch<'a> {
    work: &'a Work,
    thresholds: &'a Thresholds,
    now: Timestamp,
    requests: HashMap<RequestId, RequestRow>,
    touched: Vec<RequestId>,
    contacts: HashMap<ContactId, ContactRow>,
    standings: HashMap<ContactId, Standings>,
    changed: HashMap<(ContactId, crate::domain::brand::Slug), StandingOf>,
    openings: HashMap<RequestId, Vec<Opening>>,
    people: HashMap<String, i64>,
    declined: Vec<(BrandId, MailboxHash)>,
    events: Vec<Event>,
}

/// Records a batch of answers in one transaction; of several answers to one request the first wins and the others are
/// told how it stands.
pub(super) async fn run(
    work: &Work,
    thresholds: &Thresholds,
    calls: Vec<Answer>,
) -> Result<Vec<Outcome>, StoreError> {
    let mut tx = work.store.write().await?;
    let mut batch = Batch::read(work, thresholds, &mut tx, &calls).await?;
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        outcomes.push(batch.decide(call)?);
    }
    batch.write(&mut tx).await?;
    // If the process dies before this commit, nobody was answered and nothing changed; the link works again.
    tx.commit().await?;
    Ok(outcomes)
}

impl<'a> Batch<'a> {
    async fn read(
        work: &'a Work,
        thresholds: &'a Thresholds,
        tx: &mut Conn,
        calls: &[Answer],
    ) -> Result<Self, StoreError> {
        let mut keys: Vec<(BrandId, RequestId)> = calls
            .iter()
            .map(|call| (call.brand, call.request))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        // A request's contact never changes, so it may be read before its row is locked.
        let mut ids: Vec<(BrandId, ContactId)> = requests::list(tx, &keys)
            .await?
            .iter()
            .map(|row| (row.brand_id, row.contact_id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        contacts::lock(tx, &ids).await?;
        let rows = requests::find_to_decide(tx, &keys).await?;
        let now = work.clock.now();
        let standings = contacts::list_standings(tx, &ids).await?;
        let mut contact_rows = HashMap::new();
        if calls.iter().any(|call| matches!(call.act, Act::Decline)) {
            for row in contacts::find_by_ids(tx, &ids).await? {
                contact_rows.insert(row.id, row);
            }
        }
        let pressed: Vec<&Answer> = calls
            .iter()
            .filter(|call| matches!(call.act, Act::Button { .. }))
            .collect();
        let mut opened: HashMap<RequestId, Vec<Opening>> = HashMap::new();
        let mut people = HashMap::new();
        if !pressed.is_empty() {
            for (request, opening) in openings::list(tx, &keys).await? {
                opened.entry(request).or_default().push(opening);
            }
            let mut networks: Vec<String> = pressed
                .iter()
                .map(|call| call.circumstances.neighbourhood())
                .collect();
            networks.sort_unstable();
            networks.dedup();
            let since = now.minus(std::time::Duration::from_secs(60));
            people.extend(openings::count_people(tx, &networks, since).await?);
        }
        Ok(Self {
            work,
            thresholds,
            now,
            requests: rows.into_iter().map(|row| (row.id, row)).collect(),
            touched: Vec::new(),
            contacts: contact_rows,
            standings,
            changed: HashMap::new(),
            openings: opened,
            people,
            declined: Vec::new(),
            events: Vec::with_capacity(calls.len()),
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
                );
                Outcome::Confirmed { again: false }
            }
            Decision::AskCode(signals) => {
                self.record(
                    id,
                    Fact::CodeAsked {
                        signals,
                        circumstances,
                    },
                );
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
                );
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
        let mailbox = self
            .contacts
            .get(&request.contact_id)
            .and_then(|contact| MailboxHash::try_from(contact.mailbox.as_slice()).ok())
            .ok_or(StoreError::Corrupt("contact of a request"))?;
        self.declined.push((call.brand, mailbox));
        self.end(call.request, RequestState::Declined);
        self.record(
            call.request,
            Fact::Declined {
                purposes,
                circumstances: call.circumstances,
            },
        );
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

    fn record(&mut self, id: RequestId, fact: Fact) {
        let Some(row) = self.requests.get(&id) else {
            return;
        };
        let (brand, contact) = (row.brand_id, row.contact_id);
        let standings = self.standings.entry(contact).or_default();
        let before = standings.clone();
        apply(standings, &fact, self.now);
        for (purpose, standing) in standings.iter() {
            if before.get(purpose) != Some(standing) {
                self.changed.insert(
                    (contact, purpose.clone()),
                    (brand, contact, purpose.clone(), *standing),
                );
            }
        }
        self.events.push(Event {
            id: self.work.event_id(self.now),
            schema: SCHEMA_VERSION,
            brand,
            contact,
            request: Some(id),
            at: self.now,
            fact,
        });
    }

    async fn write(mut self, tx: &mut Conn) -> Result<(), StoreError> {
        self.touched.sort_unstable();
        self.touched.dedup();
        let rows: Vec<RequestRow> = self
            .touched
            .iter()
            .filter_map(|id| self.requests.remove(id))
            .collect();
        requests::update(tx, &rows).await?;
        let standings: Vec<StandingOf> = self.changed.into_values().collect();
        contacts::put_standings(tx, &standings).await?;
        events::append(tx, &self.events).await?;
        suppress(tx, self.declined, "declined", self.now).await
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

/// Stops all further mail to these mailboxes of the brand.
async fn suppress(
    tx: &mut Conn,
    mut keys: Vec<(BrandId, MailboxHash)>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    keys.sort_unstable();
    keys.dedup();
    let locks: Vec<i64> = keys
        .iter()
        .map(|key| lock_key(&[key.0.0.as_bytes(), &key.1]))
        .collect();
    budgets::lock(tx, &locks).await?;
    let mut mailboxes = budgets::find_mailboxes(tx, &keys).await?;
    for (brand, hash) in keys {
        if !mailboxes
            .iter()
            .any(|m| m.brand_id == brand && m.hash == hash)
        {
            mailboxes.push(empty_mailbox(brand, hash));
        }
    }
    for mailbox in &mut mailboxes {
        mailbox.suppressed_at.get_or_insert(now);
        mailbox
            .suppressed_for
            .get_or_insert_with(|| reason.to_owned());
    }
    budgets::put_mailboxes(tx, &mailboxes).await
}

//! The people whom the pages are measured on, as the server would have left them: contacts, events, mails that wait or failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::ASKED;
use crate::cli::Ended;
use crate::cli::bench::stand::Stand;
use crate::clock::Random;
use crate::domain::brand::{Brand, Slug};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{
    AskedBy, ClockReading, Event, Fact, Grade, Link, MailFate, SCHEMA_VERSION, ShownBox, SignedUp,
    Source,
};
use crate::domain::form::Form;
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId, EventId, OutboxId, RequestId};
use crate::domain::policy::{POLICY_VERSION, Rule, Ruling, Verdict};
use crate::domain::standing::{Standing, State};
use crate::domain::time::Timestamp;
use crate::ledger::canonical::canonical;
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::outbox::{self, OutboxRow, Retry};
use crate::store::set::{ROWS_AT_MOST, Writes};
use crate::store::{Engine, StoreError};

/// Of so many people one has a story of events; the others are contacts only, so that ten million fit on a disk.
const TOLD: u64 = 10;
/// The time over which the signups lie, and domains that they are of.
const SPAN: Duration = Duration::from_secs(90 * 86_400);
const DOMAINS: u64 = 1_000;
/// Of so many contacts one has a mail that waits; of ten times as many, one that failed.
const WAITS: u64 = 50;
/// So many statements' worth of contacts are written together, while the next ones are thought up.
const TOGETHER: usize = 16;

/// Somebody whom the searches are for.
pub(super) struct Sought {
    pub brand: BrandId,
    pub contact: ContactId,
    pub address: String,
}

/// Where people sign up, and for what.
struct Door {
    brand: Arc<Brand>,
    form: Arc<Form>,
    purpose: Slug,
    asked_by: AskedBy,
}

fn doors(stand: &Stand) -> Vec<Door> {
    let catalog = stand.app.catalog();
    let mut doors = Vec::new();
    for brand in &catalog.brands {
        for form in catalog.forms_of(brand.id) {
            let Some(purpose) = form.declared.purposes.first() else {
                continue;
            };
            doors.push(Door {
                brand: brand.clone(),
                form: form.clone(),
                purpose: purpose.clone(),
                asked_by: AskedBy::from(&brand.declared),
            });
        }
    }
    doors
}

/// Puts so many people into the store, over the last days, one behind the other. Six of ten confirm. Answers with some of them.
pub(super) async fn append(
    stand: &Stand,
    people: u64,
    random: &Random,
) -> Result<Vec<Sought>, Ended> {
    let doors = doors(stand);
    let now = stand.app.clock.now();
    let load = Arc::new(stand.app.store.begin_load().await?);
    let engine = stand.app.store.engine();
    let mut part = Part::default();
    let mut writing: Option<JoinHandle<Result<(), StoreError>>> = None;
    let mut sought = Vec::with_capacity(ASKED);
    let seek_every = (people / ASKED as u64).next_multiple_of(TOLD).max(TOLD);
    for number in 0..people {
        let Some(door) = doors.get(random.below(doors.len() as u64) as usize) else {
            return Err(Ended::Refused("there is no form".to_owned()));
        };
        // Whoever came first is first in every key that begins with the time.
        let ago = SPAN.mul_f64((people - number) as f64 / people as f64);
        let one = Person::at(now.minus(ago), door, random);
        if number % TOLD == 0 {
            one.tell(number / TOLD, random, &mut part.events)?;
        }
        part.contacts.push(one.contact(number, random));
        if number % seek_every == 0 {
            sought.push(Sought {
                brand: door.brand.id,
                contact: one.contact,
                address: one.address(),
            });
        }
        if number % WAITS == 0 {
            let mail = one.mail(random, now);
            if number % (10 * WAITS) == 0 {
                part.failed.push(failed(&mail));
            }
            part.mails.push(mail);
        }
        if part.contacts.len() == TOGETHER * ROWS_AT_MOST || number + 1 == people {
            let all = std::mem::take(&mut part).writes(engine);
            if let Some(before) = writing.take() {
                before.await.unwrap_or(Err(StoreError::Busy))?;
            }
            let load = load.clone();
            writing = Some(tokio::spawn(async move { load.put(all).await }));
        }
    }
    if let Some(last) = writing {
        last.await.unwrap_or(Err(StoreError::Busy))?;
    }
    load.end().await?;
    Ok(sought)
}

/// What is written together.
#[derive(Default)]
struct Part {
    contacts: Vec<Contact>,
    events: Vec<NewEvent>,
    mails: Vec<OutboxRow>,
    failed: Vec<Retry>,
}

impl Part {
    fn writes(self, engine: Engine) -> Vec<Writes> {
        let mut all = Vec::new();
        let mut add = |fill: &dyn Fn(&mut Writes)| {
            let mut writes = Writes::default();
            fill(&mut writes);
            all.push(writes);
        };
        for part in self.contacts.chunks(ROWS_AT_MOST) {
            add(&|writes| contacts::put(writes, part));
        }
        for part in self.events.chunks(ROWS_AT_MOST) {
            add(&|writes| events::append(writes, part));
        }
        for part in self.mails.chunks(ROWS_AT_MOST) {
            add(&|writes| outbox::insert(writes, part));
        }
        for part in self.failed.chunks(ROWS_AT_MOST) {
            add(&|writes| outbox::retry(writes, engine, part));
        }
        all
    }
}

fn failed(mail: &OutboxRow) -> Retry {
    Retry {
        key: mail.key(),
        next_due_at: None,
        tries: 20,
        first_try_at: mail.due_at,
        message_id: format!("{}@example.net", mail.id),
        last_reply: "452 4.2.2 mailbox full".to_owned(),
        tried_at: mail.due_at,
        ambiguous: false,
    }
}

struct Person<'a> {
    door: &'a Door,
    contact: ContactId,
    request: RequestId,
    domain: u64,
    local: u64,
    at: Timestamp,
}

impl<'a> Person<'a> {
    fn at(at: Timestamp, door: &'a Door, random: &Random) -> Self {
        Self {
            door,
            contact: ContactId(random.uuid_v7(at)),
            request: RequestId(random.uuid_v7(at)),
            // A few domains have most people.
            domain: random.below(DOMAINS) * random.below(DOMAINS) / DOMAINS,
            local: random.below(u64::MAX),
            at,
        }
    }

    /// Spread evenly, as hexadecimal digits, so that a few of them are the beginning of many.
    fn address(&self) -> String {
        format!("{:016x}@d{}.example", self.local, self.domain)
    }

    fn contact(&self, number: u64, random: &Random) -> Contact {
        let state = match number / TOLD % 10 {
            0..6 => State::Explicit,
            _ => State::Implicit,
        };
        let standing = Standing::new(state, None, Rule::A1, self.at);
        Contact {
            brand_id: self.door.brand.id,
            id: self.contact,
            address: self.address(),
            address_key: self.address(),
            mailbox: random.bytes::<16>().to_vec(),
            language: "en".to_owned(),
            name: None,
            open_request_id: None,
            standings: std::iter::once((self.door.purpose.clone(), standing)).collect(),
            created_at: self.at,
        }
    }

    /// From signing up to the confirmation, or as far as the person came.
    fn tell(&self, number: u64, random: &Random, events: &mut Vec<NewEvent>) -> Result<(), Ended> {
        let confirms = number % 10 < 6;
        let mut facts = vec![(0, self.signed_up()), (2, self.mail_accepted(random))];
        if confirms || number % 10 < 7 {
            facts.push((60, link_opened()));
        }
        if confirms {
            facts.push((61 + random.below(7_200), self.confirmed()));
        }
        for (after, fact) in facts {
            let at = self.at.plus(Duration::from_secs(after));
            events.push(self.event(at, fact, random)?);
        }
        Ok(())
    }

    fn event(&self, at: Timestamp, fact: Fact, random: &Random) -> Result<NewEvent, Ended> {
        let kind = fact.kind();
        let event = Event {
            id: EventId(random.uuid_v7(at)),
            schema: SCHEMA_VERSION,
            brand: self.door.brand.id,
            contact: self.contact,
            request: Some(self.request),
            at,
            clock: ClockReading::default(),
            circumstances_sha256: None,
            fact,
        };
        Ok(NewEvent {
            brand_id: event.brand,
            contact_id: event.contact,
            kind,
            at,
            body: canonical(&event)?,
            salt: random.bytes(),
            circumstances: None,
            mail: None,
        })
    }

    fn signed_up(&self) -> Fact {
        let Door { form, purpose, .. } = self.door;
        Fact::SignedUp(Box::new(SignedUp {
            address_typed: self.address(),
            address: self.address(),
            name: None,
            purposes: vec![purpose.clone()],
            source: Source::WebsiteForm,
            form: form.declared.slug.clone(),
            form_version: form.current.clone(),
            language: "en".to_owned(),
            page: None,
            boxes: vec![ShownBox {
                purpose: purpose.clone(),
                is_box: false,
                ticked: false,
            }],
            fields: vec!["email".to_owned()],
            ruling: Ruling {
                verdict: Verdict::Accept,
                rule: Rule::A1,
            },
            left: Vec::new(),
            moves_end: true,
            policy_version: POLICY_VERSION.to_owned(),
            confirmation_expires_at: self.at.plus(self.door.brand.confirm_within()),
            key_id: 1,
            asked_by: self.door.asked_by.clone(),
            mail: MailFate::Queued,
            responsible: None,
            kiosk: false,
            entered_at: None,
            clock_said: None,
            passed_on: None,
            circumstances: Circumstances::default(),
        }))
    }

    fn mail_accepted(&self, random: &Random) -> Fact {
        Fact::MailAccepted {
            message_id: format!("{}@example.net", self.request),
            from: "news@example.net".to_owned(),
            reply: "250 2.0.0 Ok: queued".to_owned(),
            mail_sha256: hex(&random.bytes::<32>()),
            template: "confirm".to_owned(),
            template_version: hex(&[0; 8]),
            language: "en".to_owned(),
            tries: 1,
            ambiguous: false,
            notice_for: Vec::new(),
        }
    }

    fn confirmed(&self) -> Fact {
        Fact::Confirmed {
            purposes: vec![self.door.purpose.clone()],
            grade: Grade::LinkButton,
            method: "POST".to_owned(),
            key_id: 1,
            name: None,
            circumstances: Circumstances::default(),
        }
    }

    fn mail(&self, random: &Random, now: Timestamp) -> OutboxRow {
        OutboxRow {
            id: OutboxId(random.uuid_v7(self.at)),
            brand_id: self.door.brand.id,
            contact_id: self.contact,
            request_id: self.request,
            template: "confirm".to_owned(),
            recipient_domain: format!("d{}.example", self.domain),
            due_at: now.plus(Duration::from_secs(3_600 + random.below(86_400))),
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        }
    }
}

fn link_opened() -> Fact {
    Fact::LinkOpened {
        link: Link::Confirm,
        method: "GET".to_owned(),
        same_browser: false,
        circumstances: Circumstances::default(),
    }
}

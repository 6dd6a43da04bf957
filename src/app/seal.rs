//! Sealed evidence: made by an erasure where the brand keeps proof, opened by whoever holds the key, deleted when due.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::App;
use super::acted::Acting;
use super::permit::{Unanswerable, parse_address};
use super::prove::unpack_all;
use super::record::{About, read_all, walk};
use crate::domain::brand::{Brand, KeepProof};
use crate::domain::event::{Event, Fact};
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::operator::Deed;
use crate::domain::seal::{OpeningKey, SealKey, SealProblem};
use crate::domain::time::Timestamp;
use crate::ledger::commitment::Salt;
use crate::store::erased::AddressHash;
use crate::store::events::{StoredEvent, WholeEvent};
use crate::store::locks::Locks;
use crate::store::sealed::{self, SealedPart};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, events, scrub};

/// Events of one part: they are in memory together.
pub(super) const PART: i64 = 500;
/// What a part unpacks to at most. Anybody can seal to a public key, so a sealed text is no reason for trust.
const UNPACKED_AT_MOST: u64 = 1 << 30;
/// Contacts whose term is over that one tidying takes.
const DUE_AT_MOST: i64 = 1_000;
/// Events of an erased contact among which its openings are looked for: the last.
const PAST_AT_MOST: i64 = 100;
const LEVEL: i32 = 9;

const DAMAGED: StoreError = StoreError::Corrupt("sealed evidence");

/// An event as a bundle needs it: its commitment can be computed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvent {
    pub position: i64,
    /// Canonical JSON (RFC 8785).
    pub body: String,
    pub salt: Salt,
    pub circumstances: Option<String>,
    /// The mail as the SMTP server took it.
    pub mail: Option<Vec<u8>>,
}

/// The same as it is sealed, bytes in base64.
#[derive(Serialize, Deserialize)]
struct Written {
    position: i64,
    body: String,
    salt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    circumstances: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mail: Option<String>,
}

/// What an erasure sealed of one contact.
#[derive(Clone, Debug)]
pub struct Opened {
    pub contact: ContactId,
    pub reason: String,
    pub sealed_at: Timestamp,
    pub delete_at: Timestamp,
    /// In the order of the log.
    pub events: Vec<KeptEvent>,
    /// What was recorded of the contact since: the erasure itself, and who opened the seal.
    pub since: Vec<Event>,
}

impl Opened {
    /// All events as a story, oldest first.
    pub fn story(&self) -> Result<Vec<Event>, StoreError> {
        let stored: Vec<StoredEvent> = self
            .events
            .iter()
            .map(|event| StoredEvent {
                position: event.position,
                body: Some(event.body.clone()),
                circumstances: event.circumstances.clone(),
            })
            .collect();
        let mut story = read_all(&stored)?;
        story.extend(self.since.iter().cloned());
        Ok(story)
    }
}

/// Why sealed evidence was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProblem {
    #[error(transparent)]
    Address(#[from] Unanswerable),
    #[error("nothing is sealed of this address")]
    Nothing,
    #[error(
        "the address was erased {0} times; say which, from 1 for the first to {0} for the last"
    )]
    Several(usize),
    #[error(transparent)]
    Seal(#[from] SealProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who opens what is sealed, and why; both stay in the log.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub by: &'a str,
    pub reason: &'a str,
    /// In the pages: whose deed it is. Nobody on the command line.
    pub acting: Option<&'a Acting>,
    pub which: Which,
}

/// Which erasures of an address are opened: it may have been erased more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// The one, or the one with this number, counted from 1.
    One(Option<usize>),
}

impl Which {
    /// Leaves out what is not asked for, of parts that come contact by contact.
    fn choose(self, mut parts: Vec<SealedPart>) -> Result<Vec<SealedPart>, OpenProblem> {
        let Self::One(number) = self else {
            return Ok(parts);
        };
        let mut contacts: Vec<ContactId> = parts.iter().map(|part| part.contact_id).collect();
        contacts.dedup();
        let chosen = match (number, contacts.len()) {
            (_, 0) => return Err(OpenProblem::Nothing),
            (None, 1) => 0,
            (Some(number), count) if (1..=count).contains(&number) => number - 1,
            (_, count) => return Err(OpenProblem::Several(count)),
        };
        parts.retain(|part| Some(&part.contact_id) == contacts.get(chosen));
        Ok(parts)
    }
}

/// What is sealed of one erased contact, as operators see it who do not have the key.
#[derive(Clone, Debug)]
pub struct SealedContact {
    pub contact: ContactId,
    /// Why the brand keeps it.
    pub reason: String,
    pub sealed_at: Timestamp,
    pub delete_at: Timestamp,
    /// Who opened it, oldest first; the last few.
    pub openings: Vec<PastOpening>,
}

/// That a seal was opened.
#[derive(Clone, Debug)]
pub struct PastOpening {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// What is sealed, so that no part passes for another one, or for one with another term.
fn about(part: &SealedPart) -> String {
    format!(
        "{} {} {} {}",
        part.brand_id,
        part.contact_id,
        part.part,
        part.delete_at.micros()
    )
}

/// What an erasure says of what it sealed.
#[derive(Clone, Debug)]
pub(super) struct SealMade {
    /// The end of the term.
    pub until: Timestamp,
    pub sha256: String,
}

/// The SHA-256 over the SHA-256 of each part, in their order.
#[derive(Default)]
pub(super) struct PartsHash(Sha256);

impl PartsHash {
    pub fn add(&mut self, sealed: &[u8]) {
        self.0.update(Sha256::digest(sealed));
    }

    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Whose events are sealed, and by what wish.
pub(super) struct Sealing<'a> {
    pub brand: BrandId,
    pub contact: ContactId,
    pub address: AddressHash,
    pub keep: &'a KeepProof,
    pub now: Timestamp,
}

impl App {
    /// Seals all events of a contact, inside the transaction that empties them.
    pub(super) async fn seal(
        &self,
        tx: &mut Conn,
        sealing: &Sealing<'_>,
    ) -> Result<SealMade, OpenProblem> {
        let key = SealKey::parse(&sealing.keep.public_key)?;
        let delete_at = sealing.now.plus(sealing.keep.kept_for());
        let mut after = 0;
        let mut parts = PartsHash::default();
        for number in 0.. {
            let found = events::list_whole(tx, sealing.brand, sealing.contact, after, PART).await?;
            let Some(last) = found.last() else { break };
            after = last.position;
            let text = write(tx, found).await?;
            let mut part = SealedPart {
                brand_id: sealing.brand,
                contact_id: sealing.contact,
                part: number,
                sealed: Vec::new(),
                reason: sealing.keep.reason.clone(),
                sealed_at: sealing.now,
                delete_at,
            };
            let mut random = self.random.generator();
            part.sealed = key.seal(&mut random, about(&part).as_bytes(), &text)?;
            parts.add(&part.sealed);
            sealed::insert(tx, &sealing.address, &part).await?;
        }
        Ok(SealMade {
            until: delete_at,
            sha256: parts.hex(),
        })
    }

    /// What is sealed of a brand's erased contacts, newest contact first, from behind one.
    pub async fn sealed_of(
        &self,
        brand: BrandId,
        after: (Option<ContactId>, bool),
        limit: i64,
    ) -> Result<Vec<SealedContact>, StoreError> {
        let mut conn = self.store.read().await?;
        let mut all = Vec::new();
        for one in sealed::list_contacts(&mut conn, brand, after, limit).await? {
            let last = events::list_last(&mut conn, brand, one.contact_id, PAST_AT_MOST).await?;
            let openings = read_all(&last)?
                .into_iter()
                .filter_map(|event| match event.fact {
                    Fact::SealOpened { by, reason } => Some(PastOpening {
                        at: event.at,
                        by,
                        reason,
                    }),
                    _ => None,
                });
            all.push(SealedContact {
                contact: one.contact_id,
                reason: one.reason,
                sealed_at: one.sealed_at,
                delete_at: one.delete_at,
                openings: openings.collect(),
            });
        }
        Ok(all)
    }

    /// Opens what is sealed of an address. Who did it and why is on disk before anything is told. One erasure after
    /// another, where there were several.
    pub async fn open_sealed(
        &self,
        brand: &Brand,
        address: &str,
        key: &OpeningKey,
        opening: Opening<'_>,
    ) -> Result<Vec<Opened>, OpenProblem> {
        let address = parse_address(address)?;
        let hash = self.keys.address_hash(brand.id.0, address.key());
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        let parts = sealed::list(held.conn(), brand.id, &hash).await?;
        let parts = opening.which.choose(parts)?;
        let mut all = open_parts(key, &parts)?;
        if all.is_empty() {
            return Err(OpenProblem::Nothing);
        }
        let now = self.clock.now();
        let mut opened = Vec::with_capacity(all.len());
        for one in &mut all {
            let fact = Fact::SealOpened {
                by: opening.by.to_owned(),
                reason: opening.reason.to_owned(),
            };
            opened.push(
                self.work()
                    .record(about_contact(brand.id, one.contact), now, fact)?,
            );
            if let Some(acting) = opening.acting {
                let slug = &brand.declared.slug;
                let on = format!(
                    "contact {} of brand {slug}: {}",
                    one.contact, opening.reason
                );
                opened.push(self.deed(acting, Deed::SealOpened, Some(on))?);
            }
            let whose = (brand.id, one.contact);
            walk(held.conn(), whose, |event| one.since.push(event)).await?;
        }
        let mut writes = Writes::default();
        events::append(&mut writes, &opened);
        held.finish_with(writes).await?;
        Ok(all)
    }

    /// Deletes sealed evidence whose term is over; answers with the number of contacts.
    pub(super) async fn delete_due_seals(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let due = sealed::list_due(&mut conn, now, DUE_AT_MOST).await?;
        drop(conn);
        let mut deleted = 0;
        for (brand, contact) in due {
            let mut held = self.store.hold_to_write(Locks::default()).await?;
            // Another worker may have been faster.
            if sealed::delete(held.conn(), brand, contact, now).await? == 0 {
                continue;
            }
            scrub::mark(held.conn(), self.random.uuid_v7(now)).await?;
            let about = about_contact(brand, contact);
            let mut writes = Writes::default();
            events::append(
                &mut writes,
                &[self.work().record(about, now, Fact::SealDeleted)?],
            );
            held.finish_with(writes).await?;
            deleted += 1;
        }
        Ok(deleted)
    }
}

const fn about_contact(brand: BrandId, contact: ContactId) -> About {
    About {
        brand,
        contact,
        request: None,
    }
}

/// Events as they are sealed: JSON, compressed, the mails unpacked so that nothing else is needed to read them.
async fn write(tx: &mut Conn, found: Vec<WholeEvent>) -> Result<Vec<u8>, StoreError> {
    let packed: Vec<(i64, Vec<u8>)> = found
        .iter()
        .filter_map(|event| Some((event.position, event.mail.clone()?)))
        .collect();
    let mut mails: std::collections::HashMap<i64, Vec<u8>> =
        unpack_all(tx, &packed).await?.into_iter().collect();
    let written: Vec<Written> = found
        .into_iter()
        .filter_map(|event| {
            Some(Written {
                position: event.position,
                body: event.body?,
                salt: STANDARD.encode(event.salt?),
                circumstances: event.circumstances,
                mail: mails
                    .remove(&event.position)
                    .map(|mail| STANDARD.encode(mail)),
            })
        })
        .collect();
    let text = serde_json::to_vec(&written).map_err(|_| DAMAGED)?;
    zstd::bulk::compress(&text, LEVEL).map_err(|_| DAMAGED)
}

/// Opens parts that come contact by contact, in their order.
fn open_parts(key: &OpeningKey, parts: &[SealedPart]) -> Result<Vec<Opened>, OpenProblem> {
    let mut all: Vec<Opened> = Vec::new();
    for part in parts {
        let mut found = read(&key.open(about(part).as_bytes(), &part.sealed)?)?;
        match all.last_mut() {
            Some(last) if last.contact == part.contact_id => last.events.append(&mut found),
            _ => all.push(Opened {
                contact: part.contact_id,
                reason: part.reason.clone(),
                sealed_at: part.sealed_at,
                delete_at: part.delete_at,
                events: found,
                since: Vec::new(),
            }),
        }
    }
    Ok(all)
}

fn read(packed: &[u8]) -> Result<Vec<KeptEvent>, StoreError> {
    let mut text = Vec::new();
    zstd::stream::read::Decoder::new(packed)
        .and_then(|decoder| decoder.take(UNPACKED_AT_MOST).read_to_end(&mut text))
        .map_err(|_| DAMAGED)?;
    let written: Vec<Written> = serde_json::from_slice(&text).map_err(|_| DAMAGED)?;
    let bytes = |text: String| STANDARD.decode(text).map_err(|_| DAMAGED);
    written
        .into_iter()
        .map(|event| {
            Ok(KeptEvent {
                position: event.position,
                body: event.body,
                salt: bytes(event.salt)?.try_into().map_err(|_| DAMAGED)?,
                circumstances: event.circumstances,
                mail: event.mail.map(bytes).transpose()?,
            })
        })
        .collect()
}

//! Writing the results of many tries together.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::result::{Refused, Sent};
use crate::app::permit::parse_address;
use crate::app::record::whose;
use crate::app::{App, Work};
use crate::domain::brand::Slug;
use crate::domain::campaign::notice_arrived;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;
use crate::mail::pack::Dictionary;
use crate::store::events::NewEvent;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxKey, Retry};
use crate::store::requests::Key;
use crate::store::set::Writes;
use crate::store::{StoreError, breaker, campaigns, contacts, events, mails};

/// What is known to be on disk, or may be.
#[derive(Clone, Default)]
pub(super) struct Stored {
    /// The common texts of mails.
    texts: Arc<Mutex<HashSet<i64>>>,
    /// Events whose writing did not end well. It may have been done all the same, where the connection broke behind the commit.
    doubtful: Arc<Mutex<HashSet<Salt>>>,
}

impl Stored {
    fn holds(&self, id: i64) -> bool {
        let known = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&id)
    }

    fn add(&self, ids: impl Iterator<Item = i64>) {
        let mut known = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(ids);
    }

    /// Those of some events whose writing did not end well before.
    fn in_doubt<'a>(&self, sent: &'a [Sent]) -> Vec<&'a NewEvent> {
        let doubtful = self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        if doubtful.is_empty() {
            return Vec::new();
        }
        let events = sent.iter().filter_map(Sent::event).map(AsRef::as_ref);
        let before = events.filter(|event: &&NewEvent| doubtful.contains(&event.salt));
        before.collect()
    }

    /// Takes note of how the writing of some events ended.
    fn ended(&self, salts: &[Salt], is_well: bool) {
        let mut doubtful = self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_well {
            if doubtful.len() > IN_DOUBT_AT_MOST {
                doubtful.clear();
            }
            doubtful.extend(salts);
        } else if !doubtful.is_empty() {
            salts.iter().for_each(|salt| _ = doubtful.remove(salt));
        }
    }
}

/// By which an event that was recorded is known again.
type Salt = [u8; 32];

/// Batches that failed for good leave theirs behind.
const IN_DOUBT_AT_MOST: usize = 65_536;

/// What a batch of results writes.
#[derive(Default)]
struct Results {
    done: Vec<OutboxKey>,
    retries: Vec<Retry>,
    events: Vec<Arc<NewEvent>>,
    texts: HashMap<i64, Arc<Dictionary>>,
    /// When servers took mails of signups; what campaigns send is not what the breaker weighs.
    taken_at: Vec<Timestamp>,
    /// What became of campaigns' mails.
    fates: Vec<(Key, &'static str)>,
    /// Notices of mergers that servers took: of which contact, under which address, when.
    notices: Vec<Notice>,
    /// Mails whose recipients are not there: each changes where its contact stands.
    refused: Vec<Refused>,
}

/// The notice of a merger that a server took.
struct Notice {
    brand: BrandId,
    contact: ContactId,
    address: String,
    purposes: Vec<Slug>,
    at: Timestamp,
}

impl Results {
    fn add(&mut self, sent: Sent) {
        match sent {
            Sent::Accepted {
                key,
                event,
                of,
                weighs,
                dictionary,
            } => {
                self.done.push(key);
                self.taken_at.extend(weighs.then_some(event.at));
                match of {
                    None => {}
                    Some(asked) => {
                        self.fates.push((asked.request, "accepted"));
                        self.notices
                            .extend(asked.notice_to.map(|(address, purposes)| Notice {
                                brand: event.brand_id,
                                contact: event.contact_id,
                                address,
                                purposes,
                                at: event.at,
                            }));
                    }
                }
                self.events.push(event);
                self.texts.extend(dictionary.map(|text| (text.id, text)));
            }
            Sent::NotYet(retry) => self.retries.push(retry),
            Sent::Failed { retry, event, of } => {
                self.fates.extend(of.map(|asked| (asked.request, "failed")));
                self.retries.push(*retry);
                self.events.push(event);
            }
            Sent::Refused(one) => self.refused.push(*one),
            Sent::Dropped(key) => self.done.push(key),
        }
    }
}

impl Sent {
    const fn event(&self) -> Option<&Arc<NewEvent>> {
        match self {
            Self::Accepted { event, .. } | Self::Failed { event, .. } => Some(event),
            Self::NotYet(_) | Self::Refused(_) | Self::Dropped(_) => None,
        }
    }
}

/// Leaves out what an earlier try to write it has written: then all that belongs to it is there.
async fn without_written(
    work: &Work,
    stored: &Stored,
    mut sent: Vec<Sent>,
) -> Result<Vec<Sent>, StoreError> {
    let doubtful = stored.in_doubt(&sent);
    if !doubtful.is_empty() {
        let mut conn = work.store.read().await?;
        let there = events::list_there(&mut conn, &doubtful).await?;
        sent.retain(|one| {
            one.event()
                .is_none_or(|event| !there.contains(&event.salt.to_vec()))
        });
    }
    Ok(sent)
}

/// Writes the results of a batch. If the process dies before this commit, accepted mails are sent again: the one window
/// that SMTP leaves open.
pub(super) async fn write(
    app: &App,
    work: &Work,
    stored: &Stored,
    sent: Vec<Sent>,
) -> Result<Vec<()>, StoreError> {
    let answers = vec![(); sent.len()];
    let sent = without_written(work, stored, sent).await?;
    let salts: Vec<Salt> = sent
        .iter()
        .filter_map(|one| Some(one.event()?.salt))
        .collect();
    let mut results = Results::default();
    sent.into_iter().for_each(|one| results.add(one));
    let texts: Vec<(i64, Vec<u8>)> = results
        .texts
        .into_values()
        .filter(|text| !stored.holds(text.id))
        .map(|text| (text.id, text.bytes.clone()))
        .collect();
    let mut writes = Writes::default();
    mails::put_dictionaries(&mut writes, &texts);
    outbox::remove(&mut writes, work.store.engine(), &results.done);
    outbox::retry(&mut writes, work.store.engine(), &results.retries);
    let chance = results.events.first().map_or(0, |event| event.salt[0]);
    let (told, others): (Vec<_>, Vec<_>) = results.events.into_iter().partition(|event| {
        results
            .notices
            .iter()
            .any(|one| one.contact == event.contact_id)
    });
    // A contact that was erased while its mail was under way stays erased.
    events::append_to_known(&mut writes, work.store.engine(), &others);
    breaker::add(&mut writes, chance, &results.taken_at, &[]);
    campaigns::put_mails(&mut writes, &results.fates, chance);
    let contacts = whose(&others);
    let written = if results.notices.is_empty() {
        work.store.write_of_contacts(&contacts, writes).await
    } else {
        write_with_notices(work, (&results.notices, &contacts), told, writes).await
    };
    stored.ended(&salts, written.is_ok());
    written?;
    stored.add(texts.into_iter().map(|text| text.0));
    // Under the contact's lock, with what follows for it, in a transaction for each. If one is not written, or the process dies before
    // it, its lease runs out and the server refuses it again.
    for one in results.refused {
        let tell = || app.bounced(&one.subject, one.failure.clone(), Some(&one.given_up));
        if let Err(error) = decided(tell).await {
            tracing::error!(%error, "that a mail was refused could not be written");
        }
    }
    Ok(answers)
}

/// What was carried over from an old brand holds once its notice has arrived; so the contacts' standings are written in the
/// same transaction, under their locks.
async fn write_with_notices(
    work: &Work,
    (notices, others): (&[Notice], &[(BrandId, ContactId)]),
    mut told: Vec<Arc<NewEvent>>,
    mut writes: Writes,
) -> Result<(), StoreError> {
    let mut locks = Locks::default();
    for one in notices {
        let key = parse_address(&one.address).map(|address| address.key().to_owned());
        locks.contact(one.brand, &key.unwrap_or_default());
    }
    let mut held = work.store.hold(locks).await?;
    held.keep(others).await?;
    let ids: Vec<_> = notices.iter().map(|one| (one.brand, one.contact)).collect();
    let mut known = contacts::find_all(held.conn(), &ids).await?;
    for contact in &mut known {
        for one in notices.iter().filter(|one| one.contact == contact.id) {
            notice_arrived(&mut contact.standings, &one.purposes, one.at);
        }
    }
    let standings: Vec<_> = known
        .iter()
        .map(|contact| (contact.brand_id, contact.id, &contact.standings))
        .collect();
    contacts::put_standings(&mut writes, &standings);
    // Held by their locks, those that are there stay; the others were erased meanwhile.
    told.retain(|event| known.iter().any(|one| one.id == event.contact_id));
    events::append(&mut writes, &told);
    held.finish(writes).await
}

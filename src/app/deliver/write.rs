//! Writing the results of many tries together.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::result::Sent;
use crate::app::Work;
use crate::domain::time::Timestamp;
use crate::mail::pack::Dictionary;
use crate::store::events::NewEvent;
use crate::store::outbox::{self, OutboxKey, Retry};
use crate::store::set::Writes;
use crate::store::{StoreError, breaker, events, mails};

/// The common texts of mails that are known to be on disk.
#[derive(Clone, Default)]
pub(super) struct Stored(Arc<Mutex<HashSet<i64>>>);

impl Stored {
    fn holds(&self, id: i64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(&id)
    }

    fn add(&self, ids: impl Iterator<Item = i64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(ids);
    }
}

/// What a batch of results writes.
#[derive(Default)]
struct Results {
    done: Vec<OutboxKey>,
    retries: Vec<Retry>,
    events: Vec<Arc<NewEvent>>,
    texts: HashMap<i64, Arc<Dictionary>>,
    /// When servers took mails.
    taken_at: Vec<Timestamp>,
}

impl Results {
    fn add(&mut self, sent: Sent) {
        match sent {
            Sent::Accepted {
                key,
                event,
                dictionary,
            } => {
                self.done.push(key);
                self.taken_at.push(event.at);
                self.events.push(event);
                self.texts.extend(dictionary.map(|text| (text.id, text)));
            }
            Sent::NotYet(retry) => self.retries.push(retry),
            Sent::Failed { retry, event } => {
                self.retries.push(retry);
                self.events.push(event);
            }
            Sent::Dropped(key) => self.done.push(key),
        }
    }
}

/// Writes the results of a batch. If the process dies before this commit, accepted mails are sent again: the one window
/// that SMTP leaves open.
pub(super) async fn write(
    work: &Work,
    stored: &Stored,
    sent: Vec<Sent>,
) -> Result<Vec<()>, StoreError> {
    let answers = vec![(); sent.len()];
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
    // A contact that was erased while its mail was under way stays erased.
    events::append_to_known(&mut writes, work.store.engine(), &results.events);
    let chance = results.events.first().map_or(0, |event| event.salt[0]);
    breaker::add(&mut writes, chance, &results.taken_at, &[]);
    work.store.write_now(writes).await?;
    stored.add(texts.into_iter().map(|text| text.0));
    Ok(answers)
}

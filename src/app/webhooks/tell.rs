//! Telling: the events behind a webhook's position become messages, and these are sent, each until it is taken.
//!
//! The log of events is the outbox. Position and messages are written in one transaction, so a process may die anywhere: before
//! it, the events are read again; after it, the messages wait. A message is marked once it was taken; who dies in between sends
//! it again, with the same id. One process at a time tells a webhook, under a lease that it does not outlive: no request
//! begins that could end after the lease, so the messages of a contact arrive in their order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::{Tried, told};
use crate::app::App;
use crate::app::announce::Wanted;
use crate::app::sequence::SequenceProblem;
use crate::domain::ids::{ContactId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{IN_TROUBLE, TRIED_FOR, pause_of_message, pause_of_receiver};
use crate::store::set::Writes;
use crate::store::webhooks::{self, MessageRow, WebhookRow};
use crate::store::{Conn, StoreError, leases, log};

/// At least, and so many times the limit of one request: a lease is renewed once half of it is over, and the other half is
/// longer than what one more request may need.
const LEASE: Duration = Duration::from_secs(120);
const LEASE_IN_LIMITS: u32 = 5;
/// Messages that may wait; further events stay where they are until there is room.
const WAITING_AT_MOST: i64 = 1_000;
/// Events that become messages in one transaction.
const TOGETHER: usize = 200;
/// Messages of one round, and how many contacts' at once.
const ROUND: i64 = 64;
const CONTACTS_AT_ONCE: usize = 4;
/// Rounds after another, so that a long backlog does not keep the process from stopping.
const ROUNDS: usize = 64;

impl App {
    /// Tells every webhook what it has not been told yet; answers with how many messages were taken. It waits for the slowest:
    /// a server uses `tell_in_background`.
    pub async fn tell_webhooks(&self) -> Result<usize, SequenceProblem> {
        let due = self.webhooks_to_tell().await?;
        let told = join_all(due.into_iter().map(|id| self.tell(id))).await;
        let mut taken = 0;
        for one in told {
            taken += one?;
        }
        Ok(taken)
    }

    /// The same, each on a task of its own: one that stalls keeps no other waiting.
    pub async fn tell_in_background(self: &Arc<Self>) -> Result<(), SequenceProblem> {
        for id in self.webhooks_to_tell().await? {
            let app = self.clone();
            tokio::spawn(async move {
                if let Err(problem) = app.tell(id).await {
                    tracing::warn!(webhook = %id, %problem, "a webhook could not be told");
                }
            });
        }
        Ok(())
    }

    /// Those that there is something for, and that this process is not telling already.
    async fn webhooks_to_tell(&self) -> Result<Vec<WebhookId>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let active = webhooks::list_active(&mut conn).await?;
        if active.is_empty() {
            return Ok(Vec::new());
        }
        let end = log::head(&mut conn)
            .await?
            .map_or(0, |head| head.last_position);
        let now = self.clock.now();
        let mut due = Vec::new();
        for row in active {
            let in_trouble = row.failures >= IN_TROUBLE;
            if (in_trouble && row.next_try_at > now) || self.is_busy(row.id) {
                continue;
            }
            let has_news = row.position < end;
            if has_news || !due_of(&mut conn, &row, now).await?.is_empty() {
                due.push(row.id);
            }
        }
        drop(conn);
        // An older copy of the database would tell again, and late, what was told long ago.
        if !due.is_empty() && self.sending_held().await?.is_some() {
            return Ok(Vec::new());
        }
        Ok(due)
    }

    fn is_busy(&self, id: WebhookId) -> bool {
        let busy = self.telling.busy.lock();
        busy.unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// Tells one webhook, until there is nothing to tell or the receiver is in trouble.
    async fn tell(&self, id: WebhookId) -> Result<usize, SequenceProblem> {
        let Some(_busy) = Busy::begin(self, id) else {
            return Ok(0);
        };
        let mut taken = 0;
        for _ in 0..ROUNDS {
            let Some(lease) = self.lease_on(id).await? else {
                return Ok(taken);
            };
            let row = webhooks::find(&mut self.store.read().await?, id).await?;
            let Some(row) = row.filter(|row| row.state == "active") else {
                return Ok(taken);
            };
            let more = self.read_on(&row).await?;
            let (sent, of_them) = self.round(row, lease).await?;
            taken += of_them;
            if sent == 0 && !more {
                return Ok(taken);
            }
        }
        Ok(taken)
    }

    /// The instant until which this process may tell the webhook; none where another does.
    async fn lease_on(&self, id: WebhookId) -> Result<Option<Timestamp>, SequenceProblem> {
        let now = self.clock.now();
        let length = LEASE.max(self.telling.within * LEASE_IN_LIMITS);
        let known = {
            let leases = self.telling.leases.lock();
            let leases = leases.unwrap_or_else(PoisonError::into_inner);
            leases.get(&id).copied().map(Timestamp::from_micros)
        };
        if let Some(until) = known.filter(|until| until.since(now) > length / 2) {
            return Ok(Some(until));
        }
        let until = now.plus(length);
        let name = format!("webhook:{id}");
        if !leases::take(&self.store, &name, self.telling.holder, now, until).await? {
            return Ok(None);
        }
        let leases = self.telling.leases.lock();
        let mut leases = leases.unwrap_or_else(PoisonError::into_inner);
        leases.insert(id, until.micros());
        Ok(Some(until))
    }

    /// Makes messages of the events behind the position; whether there may be more of them.
    async fn read_on(&self, row: &WebhookRow) -> Result<bool, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let waiting = webhooks::count_waiting(&mut conn, row.id, WAITING_AT_MOST).await?;
        drop(conn);
        if waiting >= WAITING_AT_MOST {
            return Ok(false);
        }
        let wanted = Wanted {
            brand: row.brand_id,
            kinds: told(row.clone(), waiting).kinds,
        };
        let page = self.announcements(row.position, TOGETHER, &wanted).await?;
        if page.up_to == row.position {
            return Ok(false);
        }
        let now = self.clock.now();
        let messages: Vec<MessageRow> = page
            .announcements
            .iter()
            .map(|placed| MessageRow {
                webhook_id: row.id,
                position: placed.position,
                brand_id: placed.brand,
                contact_id: placed.announcement.data.contact,
                kind: placed.announcement.kind.to_owned(),
                state: "waiting".to_owned(),
                due_at: now,
                tries: 0,
                first_try_at: None,
                last_try_at: None,
                status: None,
                reply: None,
            })
            .collect();
        let mut tx = self.store.write().await?;
        if !webhooks::advance(&mut tx, row.id, row.position, page.up_to).await? {
            return Ok(false);
        }
        webhooks::add_messages(&mut tx, &messages).await?;
        // If the process dies before this commit, the same events are read again; after it their messages wait.
        tx.commit().await?;
        Ok(page.goes_on)
    }

    /// Sends what is due, once: contacts beside each other, the messages of one contact one after another. Answers with how many
    /// were tried and how many were taken.
    async fn round(
        &self,
        row: WebhookRow,
        lease: Timestamp,
    ) -> Result<(usize, usize), SequenceProblem> {
        let now = self.clock.now();
        let in_trouble = row.failures >= IN_TROUBLE;
        if in_trouble && row.next_try_at > now {
            return Ok((0, 0));
        }
        let mut conn = self.store.read().await?;
        let due = due_of(&mut conn, &row, now).await?;
        drop(conn);
        if due.is_empty() {
            return Ok((0, 0));
        }
        let failed = AtomicI64::new(row.failures);
        let groups = stream::iter(by_contact(due))
            .map(|group| self.send_group(&row, group, lease, &failed))
            .buffer_unordered(CONTACTS_AT_ONCE)
            .collect::<Vec<_>>();
        let mut tried: Vec<(MessageRow, Option<Tried>)> = Vec::new();
        for group in groups.await {
            tried.extend(group?);
        }
        tried.sort_by_key(|one| one.0.last_try_at);
        let taken = tried
            .iter()
            .filter(|one| one.0.state == "delivered")
            .count();
        self.write_round(row, &tried, taken > 0).await?;
        Ok((tried.len(), taken))
    }

    /// One contact's messages, in their order, until one is not taken.
    async fn send_group(
        &self,
        row: &WebhookRow,
        group: Vec<MessageRow>,
        lease: Timestamp,
        failed: &AtomicI64,
    ) -> Result<Vec<(MessageRow, Option<Tried>)>, SequenceProblem> {
        let mut done = Vec::with_capacity(group.len());
        // Twice the limit: waiting for a turn, or for the name's server, is not within it.
        let needed = self.telling.within * 2;
        for mut message in group {
            let now = self.clock.now();
            let was_in_trouble = row.failures >= IN_TROUBLE;
            if lease.since(now) <= needed
                || (!was_in_trouble && failed.load(Ordering::SeqCst) >= IN_TROUBLE)
            {
                break;
            }
            let Some((id, body)) = self.told_at(message.position).await? else {
                message.state = "dropped".to_owned();
                message.last_try_at = Some(now);
                done.push((message, None));
                continue;
            };
            let tried = self.send_message(row, &id, body).await;
            let is_taken = tried.is_taken();
            if is_taken {
                failed.store(0, Ordering::SeqCst);
            } else {
                failed.fetch_add(1, Ordering::SeqCst);
            }
            let chance = self.random.below(1_001);
            note(&mut message, &tried, self.clock.now(), chance);
            done.push((message, Some(tried)));
            if !is_taken {
                break;
            }
        }
        Ok(done)
    }

    /// The id and the body of what is told of the event at a position; none if an erasure emptied it.
    async fn told_at(&self, position: i64) -> Result<Option<(String, String)>, SequenceProblem> {
        let mut conn = self.store.read().await?;
        let events = log::list_events(&mut conn, position - 1, position, 1).await?;
        let placed = self.announced(&mut conn, &events).await?;
        Ok(placed.into_iter().next().map(|placed| {
            let body = serde_json::to_string(&placed.announcement).unwrap_or_default();
            (placed.announcement.id.to_string(), body)
        }))
    }

    async fn write_round(
        &self,
        mut row: WebhookRow,
        tried: &[(MessageRow, Option<Tried>)],
        some_taken: bool,
    ) -> Result<(), SequenceProblem> {
        let now = self.clock.now();
        let was_in_trouble = row.failures >= IN_TROUBLE;
        for (_, tried) in tried {
            if let Some(tried) = tried {
                judge(&mut row, tried, now);
            }
        }
        if row.failures > 0 {
            let pause = pause_of_receiver(row.failures, self.random.below(1_001));
            row.next_try_at = now.plus(pause);
        }
        let mut writes = Writes::default();
        let mut messages: Vec<MessageRow> = tried.iter().map(|one| one.0.clone()).collect();
        if row.failures >= IN_TROUBLE {
            // The receiver takes nothing at all, so it is not the message that is given up: the receiver will be paused.
            for message in messages.iter_mut().filter(|one| one.state == "failed") {
                message.state = "waiting".to_owned();
                message.due_at = now;
            }
        }
        webhooks::put_messages(&mut writes, &messages);
        webhooks::put_health(&mut writes, &row);
        self.store.write_now(writes).await?;
        if was_in_trouble && some_taken {
            // What waited for hours because the receiver was down need not wait on.
            let mut tx = self.store.write().await?;
            webhooks::make_due(&mut tx, row.id, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What may be sent at this moment: of a receiver in trouble, one message.
async fn due_of(
    conn: &mut Conn,
    row: &WebhookRow,
    now: Timestamp,
) -> Result<Vec<MessageRow>, StoreError> {
    if row.failures >= IN_TROUBLE {
        webhooks::list_probe(conn, row.id).await
    } else {
        webhooks::list_due(conn, row.id, now, ROUND).await
    }
}

/// What a try makes of its message.
fn note(message: &mut MessageRow, tried: &Tried, now: Timestamp, chance: u64) {
    message.tries += 1;
    message.last_try_at = Some(now);
    message.status = tried.status.map(i64::from);
    message.reply = Some(tried.reply.clone());
    let first = *message.first_try_at.get_or_insert(now);
    if tried.is_taken() {
        message.state = "delivered".to_owned();
        return;
    }
    let end = first.plus(TRIED_FOR);
    if now >= end {
        message.state = "failed".to_owned();
        return;
    }
    // The last try is made when the time is over, not hours before.
    message.due_at = now.plus(pause_of_message(message.tries, chance)).min(end);
}

/// What a try makes of its receiver.
fn judge(row: &mut WebhookRow, tried: &Tried, now: Timestamp) {
    if tried.is_taken() {
        row.failures = 0;
        row.failing_since = None;
        return;
    }
    row.failures += 1;
    let since = *row.failing_since.get_or_insert(now);
    let why = if tried.is_gone() {
        "the receiver answered that it is gone (410)".to_owned()
    } else if now.since(since) >= TRIED_FOR {
        format!("it has failed since {}", since.to_the_minute())
    } else {
        return;
    };
    row.state = "paused".to_owned();
    row.why = Some(why);
}

/// Messages by contact, each contact's in their order.
fn by_contact(due: Vec<MessageRow>) -> Vec<Vec<MessageRow>> {
    let mut places: HashMap<ContactId, usize> = HashMap::new();
    let mut groups: Vec<Vec<MessageRow>> = Vec::new();
    for message in due {
        let at = *places.entry(message.contact_id).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(message);
    }
    groups
}

/// Marks a webhook as being told, for as long as it lives.
struct Busy<'a> {
    app: &'a App,
    id: WebhookId,
}

impl<'a> Busy<'a> {
    fn begin(app: &'a App, id: WebhookId) -> Option<Self> {
        let busy = app.telling.busy.lock();
        let is_new = busy.unwrap_or_else(PoisonError::into_inner).insert(id);
        is_new.then_some(Self { app, id })
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let busy = self.app.telling.busy.lock();
        busy.unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

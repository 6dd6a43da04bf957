//! Clockwork around requests: a reminder where the form has one, the end of those that nobody answered, and later the end of
//! what is kept of people who never did. Safe with several workers: whoever comes second finds nothing left to do.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::App;
use super::erase::{EraseProblem, Wish, requests_of};
use super::rates::{INSTALLATION, Rates, of_form, refused};
use super::record::{About, read_all, read_body};
use super::sign_up::{REMIND, empty_mailbox};
use crate::domain::budget::Occasion;
use crate::domain::event::{ErasedBy, Event, Fact, MailFate, Through};
use crate::domain::ids::{BrandId, ContactId, OutboxId, RequestId};
use crate::domain::standing::{RequestState, State, never_confirmed};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, Mailbox, MailboxHash};
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, Asked, Key, RequestRow};
use crate::store::set::{ROWS_AT_MOST, Writes};
use crate::store::{Conn, StoreError, scrub, settings};

/// Requests in one transaction.
const TOGETHER: i64 = 200;
/// Contacts that are removed in one round; each needs a transaction of its own.
const PURGED_AT_ONCE: i64 = 200;
/// Events whose circumstances are removed in one transaction, and transactions in one round.
const EVENTS_TOGETHER: i64 = 2_000;
const ROUNDS: usize = 50;
/// How far circumstances have been removed: a position.
const REMOVED_TO: &str = "circumstances_removed_to";
/// How long a reminder waits whose mailbox had its mails for today, or whose first mail is not out yet.
const TOMORROW: Duration = Duration::from_secs(86_400);
const SOON: Duration = Duration::from_secs(3_600);

/// What became of requests that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub expired: u64,
    pub reminded: u64,
}

/// What one transaction writes.
struct Round {
    requests: Vec<RequestRow>,
    unconfirmed: Vec<(BrandId, ContactId)>,
    events: Vec<NewEvent>,
    mails: Vec<OutboxRow>,
    mailboxes: HashMap<(BrandId, MailboxHash), Mailbox>,
    taken: HashSet<(BrandId, MailboxHash)>,
    rates: Rates,
    looked: Looked,
}

impl Round {
    fn at(rates: Rates, mailboxes: Vec<Mailbox>) -> Self {
        let mailboxes = mailboxes.into_iter();
        Self {
            mailboxes: mailboxes
                .map(|one| ((one.brand_id, one.hash), one))
                .collect(),
            rates,
            requests: Vec::new(),
            unconfirmed: Vec::new(),
            events: Vec::new(),
            mails: Vec::new(),
            taken: HashSet::new(),
            looked: Looked::default(),
        }
    }
}

impl App {
    /// Ends requests whose time is over, and reminds those whose reminder is due.
    pub async fn expire(&self) -> Result<Looked, StoreError> {
        let mut all = Looked::default();
        loop {
            let mut conn = self.store.read().await?;
            let due = requests::list_due(&mut conn, self.clock.now(), TOGETHER).await?;
            drop(conn);
            if due.is_empty() {
                break;
            }
            let Some(looked) = decided(|| self.look_at(&due)).await? else {
                break;
            };
            all.expired += looked.expired;
            all.reminded += looked.reminded;
        }
        if all.reminded > 0 {
            self.live.mail_queued();
        }
        Ok(all)
    }

    /// None where there was nothing to do any more.
    async fn look_at(&self, due: &[Key]) -> Result<Option<Looked>, StoreError> {
        let mut conn = self.store.read().await?;
        let owners = requests::list_owners(&mut conn, due).await?;
        drop(conn);
        let mut locks = Locks::default();
        let mut boxes = Vec::with_capacity(owners.len());
        for owner in &owners {
            let hash = hash_of(&owner.mailbox)?;
            locks.contact(owner.brand_id, &owner.address_key);
            locks.mailbox(owner.brand_id, &hash);
            boxes.push((owner.brand_id, hash));
        }
        boxes.sort_unstable();
        boxes.dedup();
        let mut held = self.store.hold(locks).await?;
        let asked = requests::list_with_contacts(held.conn(), due).await?;
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let due: Vec<Asked> = asked
            .into_iter()
            .filter(|one| one.request.state == RequestState::Open.as_str())
            .filter(|one| one.request.look_at <= now)
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let stories = stories(held.conn(), &due, now).await?;
        let mailboxes = budgets::find_mailboxes(held.conn(), &boxes).await?;
        let mut keys: Vec<String> = due.iter().map(|one| of_form(one.request.form_id)).collect();
        keys.push(INSTALLATION.to_owned());
        keys.sort_unstable();
        keys.dedup();
        let rates = Rates::read(held.conn(), &keys, now).await?;
        let mut round = Round::at(rates, mailboxes);
        for one in due {
            if now >= one.request.expires_at {
                self.end(&mut round, one, now)?;
            } else {
                let story = stories.get(&one.contact.id).map_or(&[][..], Vec::as_slice);
                self.remind(&mut round, one, story, now)?;
            }
        }
        let looked = round.looked;
        // If the process dies before this commit, nothing was done, and the next round does it.
        held.finish(round.writes(now)).await?;
        Ok(Some(looked))
    }

    /// Nobody answered. A request without a mail ends without a word: there was nothing to answer.
    fn end(&self, round: &mut Round, one: Asked, now: Timestamp) -> Result<(), StoreError> {
        let Asked {
            mut request,
            contact,
        } = one;
        if request.mailed != 0 {
            let event = self.work().record(about(&request), now, Fact::Expired)?;
            round.events.push(event);
        }
        request.state = RequestState::Expired.as_str().to_owned();
        request.ended_at = Some(now);
        if never_confirmed(&contact.standings) {
            round.unconfirmed.push((contact.brand_id, contact.id));
        }
        round.looked.expired += 1;
        round.requests.push(request);
        Ok(())
    }

    /// Reminds once, if the form still says so and the first mail has arrived; from then on only the end is due.
    fn remind(
        &self,
        round: &mut Round,
        one: Asked,
        story: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Asked {
            mut request,
            contact,
        } = one;
        request.look_at = request.expires_at;
        let catalog = self.catalog();
        let form = catalog.form_by_id(request.form_id);
        let wanted = form.is_some_and(|form| form.declared.remind_after_days.is_some());
        let explicit = |slug| {
            let standing = contact.standings.get(slug);
            standing.is_some_and(|standing| standing.state == State::Explicit)
        };
        if wanted
            && !was(story, request.id, is_reminder)
            && !request.purposes().iter().all(explicit)
        {
            let key = (contact.brand_id, hash_of(&contact.mailbox)?);
            let known = round.mailboxes.entry(key);
            let mailbox = known.or_insert_with(|| empty_mailbox(key.0, key.1));
            let limits = &self.config.limits;
            if mailbox.suppressed_at.is_some() {
                // Nothing is sent there any more.
            } else if !was(story, request.id, is_accepted) {
                request.look_at = now.plus(SOON).min(request.expires_at);
            } else if !mailbox
                .window
                .take(Occasion::Resend, request.form_id, now, limits)
            {
                refused("mailbox");
                request.look_at = now.plus(TOMORROW).min(request.expires_at);
            } else {
                let by_form = round
                    .rates
                    .reserve(of_form(request.form_id), limits.per_form_an_hour);
                let by_all = round
                    .rates
                    .reserve(INSTALLATION.to_owned(), limits.per_installation_an_hour);
                let due_at = by_form.max(by_all);
                round.taken.insert(key);
                let fact = Fact::Reminded {
                    mail: MailFate::Queued,
                };
                round
                    .events
                    .push(self.work().record(about(&request), now, fact)?);
                round.mails.push(self.reminder(&request, &contact, due_at));
                request.last_mail_at = now;
                round.looked.reminded += 1;
            }
        }
        round.requests.push(request);
        Ok(())
    }

    fn reminder(&self, request: &RequestRow, contact: &Contact, due_at: Timestamp) -> OutboxRow {
        let domain = contact.address.rsplit('@').next().unwrap_or_default();
        OutboxRow {
            id: OutboxId(self.random.uuid_v7(self.clock.now())),
            brand_id: contact.brand_id,
            contact_id: contact.id,
            request_id: request.id,
            template: REMIND.to_owned(),
            recipient_domain: domain.to_owned(),
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        }
    }

    /// Removes contacts that never confirmed, once their term is over, with all that is known of them. An event that says so
    /// stays, and the numbers that do not tell of anybody. Answers with how many.
    pub async fn purge_unconfirmed(&self) -> Result<u64, StoreError> {
        let Some(term) = self.config.retention.unconfirmed_for else {
            return Ok(0);
        };
        let by = self.clock.now().minus(term);
        let mut conn = self.store.read().await?;
        let due = contacts::list_unconfirmed(&mut conn, by, PURGED_AT_ONCE).await?;
        drop(conn);
        let wish = Wish {
            by: ErasedBy::Term,
            through: Through::Clockwork,
        };
        let mut purged = 0;
        for contact in due {
            let Some(brand) = self.catalog().brand(contact.brand_id).cloned() else {
                continue;
            };
            match self.erase(&brand, &contact.address, wish).await {
                Ok(_) => purged += 1,
                // It has something to answer again, or has answered; its next request's end marks it anew.
                Err(EraseProblem::Kept) => {
                    let mut writes = Writes::default();
                    let one = [(contact.brand_id, contact.id)];
                    contacts::put_unconfirmed(&mut writes, &one, None);
                    self.store.write_now(writes).await?;
                }
                // Another worker was faster.
                Err(EraseProblem::Unknown) => {}
                Err(EraseProblem::Store(problem)) => return Err(problem),
                Err(problem) => {
                    tracing::warn!(%problem, "a contact that never confirmed could not be removed");
                    break;
                }
            }
        }
        if purged > 0 {
            self.store.scrub().await?;
        }
        Ok(purged)
    }

    /// Removes network addresses and browsers from events whose term for them is over. The events name them by their hash and
    /// stay as they are. Answers with the number of events.
    pub async fn remove_circumstances(&self) -> Result<u64, StoreError> {
        let Some(term) = self.config.retention.circumstances_for else {
            return Ok(0);
        };
        let before = self.clock.now().minus(term);
        let mut removed = 0;
        for _ in 0..ROUNDS {
            match self.remove_some(before).await? {
                Some(some) => removed += some,
                None => break,
            }
        }
        if removed > 0 {
            self.store.scrub().await?;
        }
        Ok(removed)
    }

    async fn remove_some(&self, before: Timestamp) -> Result<Option<u64>, StoreError> {
        // Look before taking the write lock: mostly there is nothing to do.
        let mut conn = self.store.read().await?;
        let after = removed_to(&mut conn).await?;
        let page = events::list_times(&mut conn, after, EVENTS_TOGETHER).await?;
        drop(conn);
        let older = page.iter().take_while(|one| one.1 < before);
        let Some((up_to, _)) = older.last().copied() else {
            return Ok(None);
        };
        let mut tx = self.store.write().await?;
        let removed = events::remove_circumstances(&mut tx, after, up_to).await?;
        settings::put(&mut tx, REMOVED_TO, &up_to.to_string()).await?;
        if removed > 0 {
            scrub::mark(&mut tx, self.random.uuid_v7(self.clock.now())).await?;
        }
        tx.commit().await?;
        Ok(Some(removed))
    }
}

async fn removed_to(conn: &mut Conn) -> Result<i64, StoreError> {
    let found = settings::find(conn, REMOVED_TO).await?;
    Ok(found.and_then(|text| text.parse().ok()).unwrap_or(0))
}

impl Round {
    fn writes(self, now: Timestamp) -> Writes {
        let taken: Vec<Mailbox> = self
            .mailboxes
            .into_iter()
            .filter(|(key, _)| self.taken.contains(key))
            .map(|(_, mailbox)| mailbox)
            .collect();
        let mut unconfirmed = self.unconfirmed;
        unconfirmed.sort_unstable_by_key(|one| one.1.0);
        unconfirmed.dedup();
        let mut writes = Writes::default();
        requests::update(&mut writes, &self.requests);
        contacts::put_unconfirmed(&mut writes, &unconfirmed, Some(now));
        events::append(&mut writes, &self.events);
        outbox::insert(&mut writes, &self.mails);
        budgets::put_mailboxes(&mut writes, &taken);
        budgets::add_rates(&mut writes, &self.rates.moved(), now);
        writes
    }
}

/// The events of those who may be reminded.
async fn stories(
    conn: &mut Conn,
    due: &[Asked],
    now: Timestamp,
) -> Result<HashMap<ContactId, Vec<Event>>, StoreError> {
    let mut contacts: Vec<_> = due
        .iter()
        .filter(|one| now < one.request.expires_at)
        .map(|one| (one.contact.brand_id, one.contact.id))
        .collect();
    contacts.sort_unstable_by_key(|one| one.1.0);
    contacts.dedup();
    let mut stories: HashMap<ContactId, Vec<Event>> = HashMap::new();
    for part in contacts.chunks(ROWS_AT_MOST) {
        for (_, contact, body) in events::list_bodies(conn, part).await? {
            let event = read_body(body.as_deref())?;
            stories.entry(contact).or_default().extend(event);
        }
    }
    Ok(stories)
}

fn was(story: &[Event], request: RequestId, what: fn(&Fact) -> bool) -> bool {
    let mut of_request = story.iter().filter(|one| one.request == Some(request));
    of_request.any(|event| what(&event.fact))
}

const fn is_reminder(fact: &Fact) -> bool {
    matches!(fact, Fact::Reminded { .. })
}

const fn is_accepted(fact: &Fact) -> bool {
    matches!(fact, Fact::MailAccepted { .. })
}

fn about(request: &RequestRow) -> About {
    About {
        brand: request.brand_id,
        contact: request.contact_id,
        request: Some(request.id),
    }
}

fn hash_of(mailbox: &[u8]) -> Result<MailboxHash, StoreError> {
    MailboxHash::try_from(mailbox).map_err(|_| StoreError::Corrupt("mailbox of a contact"))
}

/// Whether a contact, held by its lock, is one that never did anything but sign up, or somebody in its name: then nothing of it
/// is worth keeping. Whom an import or a campaign named is not for the clock to remove.
pub(super) async fn is_unconfirmed(tx: &mut Conn, contact: &Contact) -> Result<bool, StoreError> {
    if !never_confirmed(&contact.standings) {
        return Ok(false);
    }
    for part in requests_of(tx, contact).await?.chunks(ROWS_AT_MOST) {
        let found = requests::list(tx, part).await?;
        if found
            .iter()
            .any(|request| request.state == RequestState::Open.as_str())
        {
            return Ok(false);
        }
    }
    let mut after = 0;
    loop {
        let page = events::list_after(tx, contact.brand_id, contact.id, after, 1_000).await?;
        let Some(last) = page.last() else {
            return Ok(true);
        };
        after = last.position;
        if !read_all(&page)?
            .iter()
            .all(|event| gives_nothing(&event.fact))
        {
            return Ok(false);
        }
    }
}

fn gives_nothing(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::SignedUp(_)
            | Fact::MailRequested { .. }
            | Fact::MailFailed { .. }
            | Fact::LinkOpened { .. }
            | Fact::CodeAsked { .. }
            | Fact::CodeWrong { .. }
            | Fact::AddressChanged { .. }
            | Fact::Replaced
            | Fact::Expired
            | Fact::Reminded { .. }
            | Fact::Bounced(_)
    ) || matches!(fact, Fact::MailAccepted { .. } if !fact.is_merger_notice())
}

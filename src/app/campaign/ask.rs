//! Asking: the next people of a campaign, as many as its pace allows.

use std::collections::{HashMap, HashSet};

use super::judge::Judged;
use super::pace::Pace;
use crate::app::App;
use crate::app::record::About;
use crate::app::sign_up::empty_mailbox;
use crate::domain::brand::Brand;
use crate::domain::budget::Occasion;
use crate::domain::campaign::{Invited, Place, Plan, REMINDER, Situation, Why, place};
use crate::domain::event::{AskedBy, Fact, MailFate};
use crate::domain::form::{Form, VersionHash};
use crate::domain::ids::{ContactId, OutboxId, RequestId};
use crate::domain::policy::{Judgement, Zone};
use crate::domain::standing::{RequestState, apply};
use crate::domain::time::Timestamp;
use crate::store::budgets::{self, MailboxHash};
use crate::store::campaigns::{self, CampaignRow, RecipientRow};
use crate::store::contacts::{self, Contact};
use crate::store::events::{self, NewEvent};
use crate::store::held::{Held, decided};
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests::{self, RequestRow};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, erased};

/// People who are asked in one transaction.
const TOGETHER: i64 = 100;
/// Transactions before the other campaigns have their turn.
const ROUNDS: usize = 20;
/// How long somebody waits whose mailbox had its mails for today, or who has another request to answer.
const TOMORROW: std::time::Duration = std::time::Duration::from_secs(86_400);

/// What one transaction of asking writes.
#[derive(Default)]
pub(super) struct Asking {
    pub recipients: Vec<RecipientRow>,
    contacts: Vec<Contact>,
    requests: Vec<RequestRow>,
    pub events: Vec<NewEvent>,
    mails: Vec<OutboxRow>,
    mailboxes: Vec<budgets::Mailbox>,
}

impl Asking {
    pub fn writes(self) -> Writes {
        let mut writes = Writes::default();
        contacts::put(&mut writes, &self.contacts);
        requests::insert(&mut writes, &self.requests);
        events::append(&mut writes, &self.events);
        outbox::insert(&mut writes, &self.mails);
        budgets::put_mailboxes(&mut writes, &self.mailboxes);
        campaigns::put(&mut writes, &self.recipients);
        writes
    }
}

/// A campaign in the moment of asking.
pub(super) struct Moment<'a> {
    pub app: &'a App,
    pub brand: &'a Brand,
    pub form: &'a Form,
    pub campaign: &'a CampaignRow,
    pub plan: &'a Plan,
    pub now: Timestamp,
}

impl App {
    /// Asks whoever is next, until the pace says to wait or others want their turn.
    pub(super) async fn ask_due(
        &self,
        brand: &Brand,
        campaign: &CampaignRow,
        plan: &Plan,
    ) -> Result<usize, StoreError> {
        let mut all = 0;
        for _ in 0..ROUNDS {
            match decided(|| self.ask_some(brand, campaign, plan)).await? {
                Some(asked) => all += asked,
                None => break,
            }
        }
        Ok(all)
    }

    /// Who was asked by any campaign before, also where all that was known of them has been removed since.
    pub(super) async fn asked_before(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        found: impl IntoIterator<Item = &Contact>,
    ) -> Result<HashSet<ContactId>, StoreError> {
        let hash = |one: &Contact| self.keys.address_hash(brand.id.0, &one.address_key);
        let known: Vec<_> = found.into_iter().map(|one| (one.id, hash(one))).collect();
        let ids: Vec<ContactId> = known.iter().map(|one| one.0).collect();
        let ever = Timestamp::from_micros(0);
        let asked = campaigns::asked_among(conn, brand.id, &ids, ever).await?;
        let mut asked: HashSet<ContactId> = asked.into_iter().collect();
        let hashes: Vec<_> = known.iter().map(|one| one.1).collect();
        let removed = erased::list_asked(conn, brand.id, &hashes).await?;
        let again = known.into_iter().filter(|one| removed.contains(&one.1));
        asked.extend(again.map(|one| one.0));
        Ok(asked)
    }

    /// When the hours of a campaign begin again; none where they have begun.
    fn opens_at(&self, brand: &Brand, plan: &Plan) -> Option<Timestamp> {
        let zone = Zone::of(&brand.declared.time_zone);
        plan.opens_at(&zone, self.clock.now())
    }

    /// Holds a campaign with the contacts and mailboxes of some recipients; none where there are none, or it does not run.
    pub(super) async fn hold_recipients<'a>(
        &self,
        of: &Brand,
        campaign: &CampaignRow,
        plan: &'a Plan,
        due: &[RecipientRow],
    ) -> Result<Option<(Held, Pace<'a>)>, StoreError> {
        if due.is_empty() {
            return Ok(None);
        }
        let brand = campaign.brand_id;
        let ids: Vec<_> = due.iter().map(|one| (brand, one.contact_id)).collect();
        let mut conn = self.store.read().await?;
        let known = contacts::find_all(&mut conn, &ids).await?;
        drop(conn);
        let mut locks = Locks::default();
        locks.campaign(brand, campaign.id);
        for contact in &known {
            locks.contact(brand, &contact.address_key);
            if let Ok(hash) = contact.mailbox_hash() {
                locks.mailbox(brand, &hash);
            }
        }
        let mut held = self.store.hold(locks).await?;
        let fresh = campaigns::find_by_id(held.conn(), brand, campaign.id).await?;
        let Some(row) = fresh.filter(|row| row.state == "running") else {
            return Ok(None);
        };
        let pace = self.pace(held.conn(), of, plan, row).await?;
        Ok(Some((held, pace)))
    }

    /// None where nobody is due, or it is not the time to ask.
    async fn ask_some(
        &self,
        brand: &Brand,
        campaign: &CampaignRow,
        plan: &Plan,
    ) -> Result<Option<usize>, StoreError> {
        let Some(form) = self.form_of(brand, &plan.form) else {
            return Ok(None);
        };
        if self.opens_at(brand, plan).is_some() {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let now = self.clock.now();
        let due = campaigns::list_due(&mut conn, campaign, "waiting", now, TOGETHER).await?;
        drop(conn);
        let held = self.hold_recipients(brand, campaign, plan, &due).await?;
        let Some((mut held, mut pace)) = held else {
            return Ok(None);
        };
        let moment = Moment {
            app: self,
            brand,
            form: &form,
            campaign,
            plan,
            // The clock is read under the locks, so that times within one contact never run backwards.
            now: self.clock.now(),
        };
        let asking = moment.decide(held.conn(), &mut pace, &due).await?;
        let asked = asking.events.len();
        let moved = !asking.recipients.is_empty();
        let mut writes = asking.writes();
        campaigns::put_progress(&mut writes, &pace.row);
        // If the process dies before this commit, nobody of them was asked; after it all were, and their mails wait.
        held.finish(writes).await?;
        Ok(moved.then_some(asked))
    }
}

impl Moment<'_> {
    async fn decide(
        &self,
        conn: &mut Conn,
        pace: &mut Pace<'_>,
        due: &[RecipientRow],
    ) -> Result<Asking, StoreError> {
        let ids: Vec<ContactId> = due.iter().map(|one| one.contact_id).collect();
        let mut recipients: HashMap<ContactId, RecipientRow> =
            campaigns::list_of(conn, self.campaign, &ids)
                .await?
                .into_iter()
                .filter(|one| one.state == "waiting" && one.due_at <= self.now)
                .map(|one| (one.contact_id, one))
                .collect();
        let ids: Vec<_> = ids.into_iter().map(|id| (self.brand.id, id)).collect();
        let found = contacts::find_all(conn, &ids).await?;
        let there: Vec<ContactId> = found.iter().map(|one| one.id).collect();
        let open = self.open_requests(conn, &found).await?;
        let asked_before = self.app.asked_before(conn, self.brand, &found).await?;
        let what = (self.brand, self.plan);
        let situations = self
            .app
            .situations(conn, what, Some(self.campaign), &found, self.now)
            .await?;
        let judged = self
            .app
            .judge_contacts(conn, self.brand, self.plan, found, self.now)
            .await?;
        let mut asking = Asking::default();
        for one in judged {
            let Some(recipient) = recipients.remove(&one.contact.id) else {
                continue;
            };
            let open = open.get(&one.contact.id).copied();
            let before = asked_before.contains(&one.contact.id);
            let situation = situations.of(one.contact.id);
            let known = (situation, open, before);
            if !self.take(pace, &mut asking, one, recipient, known)? {
                break;
            }
        }
        let erased = recipients
            .into_values()
            .filter(|one| !there.contains(&one.contact_id));
        asking.recipients.extend(erased.map(|one| RecipientRow {
            state: "left_out".to_owned(),
            why: Some("erased".to_owned()),
            ..one
        }));
        Ok(asking)
    }

    /// The end of the open request of each contact that has one.
    async fn open_requests(
        &self,
        conn: &mut Conn,
        found: &[Contact],
    ) -> Result<HashMap<ContactId, Timestamp>, StoreError> {
        let keys: Vec<_> = found
            .iter()
            .filter_map(|one| Some((self.brand.id, one.open_request_id?)))
            .collect();
        let open = requests::list(conn, &keys).await?;
        Ok(open
            .into_iter()
            .filter(|request| request.state == RequestState::Open.as_str())
            .filter(|request| request.expires_at > self.now)
            .map(|request| (request.contact_id, request.expires_at))
            .collect())
    }

    /// Decides about one of them; false where the pace says to wait.
    fn take(
        &self,
        pace: &mut Pace<'_>,
        asking: &mut Asking,
        one: Judged,
        mut recipient: RecipientRow,
        (situation, open_until, asked_before): (Situation, Option<Timestamp>, bool),
    ) -> Result<bool, StoreError> {
        let standing = one.contact.standings.get(&self.plan.purpose);
        let released = recipient.released == 1;
        recipient.why = None;
        let left_out = match place(self.plan, standing, one.verdicts(), situation) {
            Place::LeftOut(why) => Some(why.as_str()),
            Place::Paused(until) => {
                recipient.why = Some(Why::Paused.as_str().to_owned());
                recipient.due_at = until;
                asking.recipients.push(recipient);
                return Ok(true);
            }
            // Nobody but a person asks these, and once at most.
            Place::Held if asked_before => Some("invited_before"),
            Place::Held if !released => {
                recipient.state = "held".to_owned();
                recipient.why = Some(one.judgement.rule.id().to_owned());
                asking.recipients.push(recipient);
                return Ok(true);
            }
            Place::Held | Place::Waiting => None,
        };
        if let Some(why) = left_out {
            recipient.state = "left_out".to_owned();
            recipient.why = Some(why.to_owned());
            asking.recipients.push(recipient);
            return Ok(true);
        }
        if let Some(until) = open_until {
            recipient.due_at = until;
            asking.recipients.push(recipient);
            return Ok(true);
        }
        if pace.may_mail(self.now).is_err() {
            return Ok(false);
        }
        let hash = one.contact.mailbox_hash()?;
        let limits = &self.app.config.limits;
        let mut mailbox = self.mailbox(asking, hash, one.mailbox.clone());
        let fits = mailbox
            .window
            .take(Occasion::Signup, self.form.id, self.now, limits);
        asking.mailboxes.push(mailbox);
        if !fits {
            recipient.due_at = self.now.plus(TOMORROW);
            asking.recipients.push(recipient);
            return Ok(true);
        }
        pace.count(self.now);
        let judgement = one.named.unwrap_or(one.judgement);
        self.ask(asking, one.contact, judgement, recipient)?;
        Ok(true)
    }

    fn ask(
        &self,
        asking: &mut Asking,
        mut contact: Contact,
        judgement: Judgement,
        mut recipient: RecipientRow,
    ) -> Result<(), StoreError> {
        let request = self.request(&contact);
        recipient.source = judgement.source.map(|source| source.as_str().to_owned());
        let invited = Invited {
            campaign: self.campaign.id,
            campaign_kind: self.plan.kind,
            reminder: false,
            released: recipient.released == 1,
            due: self.plan.due,
            ends_unanswered_at: self.ends_unanswered_at(request.expires_at),
            address: contact.address.clone(),
            purposes: vec![self.plan.purpose.clone()],
            form: self.plan.form.clone(),
            form_version: self.form.current.clone(),
            language: contact.language.clone(),
            judgement,
            old_brand: self.plan.old_brand.clone(),
            confirmation_expires_at: request.expires_at,
            key_id: self.app.keys.current_id(),
            asked_by: AskedBy::from(&self.brand.declared),
            mail: MailFate::Queued,
        };
        recipient.state = "asked".to_owned();
        recipient.why = None;
        recipient.request_id = Some(request.id);
        recipient.asked_at = Some(self.now);
        let remind_at = self.plan.remind_after_days.map(|days| {
            let days = u64::from(days) * 86_400;
            self.now.plus(std::time::Duration::from_secs(days))
        });
        recipient.due_at = remind_at.unwrap_or(request.expires_at);
        contact.open_request_id = Some(request.id);
        let fact = Fact::Invited(Box::new(invited));
        apply(&mut contact.standings, &fact, self.now);
        asking.events.push(self.record(&contact, request.id, fact)?);
        self.queue(asking, &contact, request.id, self.plan.kind.as_str());
        asking.requests.push(request);
        asking.contacts.push(contact);
        asking.recipients.push(recipient);
        Ok(())
    }

    /// Takes a reminder from the hours, the pace and the mailbox's budget; or says when to look again.
    pub fn turn_to_remind(
        &self,
        pace: &mut Pace<'_>,
        asking: &mut Asking,
        one: &Judged,
    ) -> Result<(), Timestamp> {
        if let Some(from) = self.app.opens_at(self.brand, self.plan) {
            return Err(from);
        }
        if let Err(from) = pace.may_mail(self.now) {
            return Err(pace.turn(self.now, from));
        }
        let hash = one.contact.mailbox_hash();
        let hash = hash.map_err(|_| self.now.plus(TOMORROW))?;
        let mut mailbox = self.mailbox(asking, hash, one.mailbox.clone());
        let limits = &self.app.config.limits;
        let fits = mailbox
            .window
            .take(Occasion::Resend, self.form.id, self.now, limits);
        asking.mailboxes.push(mailbox);
        if !fits {
            return Err(self.now.plus(TOMORROW));
        }
        pace.count(self.now);
        Ok(())
    }

    /// When explicit consent ends without an answer: never while the link still works.
    fn ends_unanswered_at(&self, expires_at: Timestamp) -> Option<Timestamp> {
        let declared = self.plan.lapse_unanswered_at;
        let declared = declared.filter(|_| self.plan.due.is_some());
        declared.map(|at| at.max(expires_at))
    }

    /// A mailbox as those who were asked before it in this transaction left it.
    fn mailbox(
        &self,
        asking: &mut Asking,
        hash: MailboxHash,
        known: Option<budgets::Mailbox>,
    ) -> budgets::Mailbox {
        let earlier = asking
            .mailboxes
            .iter()
            .position(|mailbox| mailbox.hash == hash);
        earlier
            .map(|at| asking.mailboxes.swap_remove(at))
            .or(known)
            .unwrap_or_else(|| empty_mailbox(self.brand.id, hash))
    }

    /// The one reminder: the same request, and so the same link.
    pub fn remind(
        &self,
        asking: &mut Asking,
        contact: &Contact,
        judgement: Judgement,
        request: &RequestRow,
    ) -> Result<(), StoreError> {
        let invited = Invited {
            campaign: self.campaign.id,
            campaign_kind: self.plan.kind,
            reminder: true,
            released: false,
            due: self.plan.due,
            ends_unanswered_at: self.ends_unanswered_at(request.expires_at),
            address: contact.address.clone(),
            purposes: request.purposes(),
            form: self.plan.form.clone(),
            form_version: VersionHash::stored(request.form_version.clone()),
            language: request.language.clone(),
            judgement,
            old_brand: self.plan.old_brand.clone(),
            confirmation_expires_at: request.expires_at,
            key_id: u8::try_from(request.key_id).unwrap_or(0),
            asked_by: AskedBy::from(&self.brand.declared),
            mail: MailFate::Queued,
        };
        let fact = Fact::Invited(Box::new(invited));
        asking.events.push(self.record(contact, request.id, fact)?);
        self.queue(asking, contact, request.id, REMINDER);
        Ok(())
    }

    fn request(&self, contact: &Contact) -> RequestRow {
        let expires = self.now.plus(self.plan.answer_within());
        RequestRow {
            brand_id: self.brand.id,
            id: RequestId(self.app.random.uuid_v7(self.now)),
            contact_id: contact.id,
            form_id: self.form.id,
            form_version: self.form.current.as_str().to_owned(),
            purposes: self.plan.purpose.to_string(),
            language: contact.language.clone(),
            page_host: None,
            key_id: i64::from(self.app.keys.current_id()),
            state: RequestState::Open.as_str().to_owned(),
            mailed: 1,
            last_mail_at: self.now,
            follows_id: None,
            code_tries: 0,
            other_tries: 0,
            openings: 0,
            issued_at: self.now,
            // Tokens carry whole seconds.
            expires_at: Timestamp::from_micros(expires.unix_seconds() * 1_000_000),
            ended_at: None,
            campaign_id: Some(self.campaign.id),
            entered_at: None,
            look_at: Timestamp::from_micros(expires.unix_seconds() * 1_000_000),
            corrections: 0,
        }
    }

    fn record(
        &self,
        contact: &Contact,
        request: RequestId,
        fact: Fact,
    ) -> Result<NewEvent, StoreError> {
        let about = About {
            brand: contact.brand_id,
            contact: contact.id,
            request: Some(request),
        };
        self.app.work().record(about, self.now, fact)
    }

    fn queue(&self, asking: &mut Asking, contact: &Contact, request: RequestId, template: &str) {
        let domain = contact.address.rsplit('@').next().unwrap_or_default();
        asking.mails.push(OutboxRow {
            id: OutboxId(self.app.random.uuid_v7(self.now)),
            brand_id: contact.brand_id,
            contact_id: contact.id,
            request_id: request,
            template: template.to_owned(),
            recipient_domain: domain.to_owned(),
            due_at: self.now,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        });
    }
}

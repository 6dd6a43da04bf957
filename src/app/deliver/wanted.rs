//! What a claimed mail needs to be composed, and which mails nobody wants any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Delivery;
use crate::app::campaign::{again, mail_failed};
use crate::app::catalog::Catalog;
use crate::app::record::{self, whose};
use crate::app::sign_up::{CONFIRM, PREFERENCES, REMIND};
use crate::domain::campaign::{Kind, Plan, REMINDER};
use crate::domain::ids::{CampaignId, ContactId, RequestId};
use crate::domain::policy::{Source, Zone};
use crate::domain::time::Timestamp;
use crate::mail::compose::Ask;
use crate::store::campaigns::{self, OfRequest};
use crate::store::events::{self, NewEvent};
use crate::store::outbox::{self, OutboxKey, OutboxRow};
use crate::store::recipients::{self, Reached, Recipient};
use crate::store::set::Writes;
use crate::store::{StoreError, breaker, requests};

/// A claimed mail with all that it takes to compose it.
pub(super) struct Job {
    pub mail: OutboxRow,
    pub to: Arc<Recipient>,
    /// How a campaign asks; none where the person signed up.
    pub ask: Option<Box<Ask>>,
    /// The campaign that asks, and how many of its mails may leave in an hour.
    pub pace: Option<(CampaignId, u32)>,
}

impl Job {
    /// The second mail of a signup that nobody answered.
    pub(super) fn is_reminder(&self) -> bool {
        self.mail.template == REMIND
    }

    /// The link to the preferences: it belongs to no request.
    pub(super) fn is_preferences(&self) -> bool {
        self.mail.template == PREFERENCES
    }
}

/// What is to be done with a claimed mail.
enum Wish {
    Send(Box<Job>),
    /// Its campaign is paused, the person is, or it is not the campaign's hour: not before then.
    Later(OutboxKey, Timestamp),
    /// Nobody wants it any more.
    Drop(OutboxKey),
    /// Nobody is asked by it, for this reason.
    TakeBack(Box<OutboxRow>, &'static str),
    /// It cannot leave before this instant, and then its request's time is over: the person is asked anew.
    AskAnew(Box<OutboxRow>, Timestamp),
}

const CANCELLED: &str = "its campaign was cancelled before it left";
const NO_STANDING: &str =
    "it had not left when nothing was known of the person any more that lets the brand ask";

/// How long a mail of a paused campaign is left alone.
const PAUSE: Duration = Duration::from_secs(300);

/// What the claimed mails are about.
struct About {
    catalog: Arc<Catalog>,
    /// Contacts that asked for a link to their preferences.
    reached: HashMap<ContactId, Reached>,
    recipients: HashMap<RequestId, Arc<Recipient>>,
    campaigns: HashMap<RequestId, OfRequest>,
    /// The breaker is open.
    held: bool,
    /// How long a link works that was asked for. The mail is kept as evidence, and the link with it.
    link_for: Duration,
}

impl About {
    fn wish(&self, mail: OutboxRow, now: Timestamp) -> Result<Wish, StoreError> {
        if mail.template == PREFERENCES {
            return Ok(match self.reached.get(&mail.contact_id) {
                Some(contact) => {
                    let until = now.plus(self.link_for);
                    let to =
                        Recipient::without_request(mail.request_id, contact.clone(), now, until);
                    Wish::Send(Box::new(Job {
                        mail,
                        to: Arc::new(to),
                        ask: None,
                        pace: None,
                    }))
                }
                None => Wish::Drop(mail.key()),
            });
        }
        let campaign = self.campaigns.get(&mail.request_id);
        let known = [CONFIRM, REMIND].contains(&mail.template.as_str()) || campaign.is_some();
        // What no server can have got asks nobody, and a reminder is no first mail.
        let unsent = mail.ambiguous == 0 && Kind::parse(&mail.template).is_some();
        let to = self.recipients.get(&mail.request_id).filter(|_| known);
        let is_over = to.is_none_or(|to| now >= to.expires_at);
        if let Some(campaign) = campaign.filter(|_| is_over && unsent) {
            return Ok(match campaign.state.as_str() {
                "cancelled" => Wish::TakeBack(Box::new(mail), CANCELLED),
                _ => Wish::AskAnew(Box::new(mail), now),
            });
        }
        let Some(to) = to.filter(|_| !is_over).cloned() else {
            return Ok(Wish::Drop(mail.key()));
        };
        let later = |mail: OutboxRow, from: Timestamp| {
            if unsent && from >= to.expires_at {
                Wish::AskAnew(Box::new(mail), from)
            } else {
                Wish::Later(mail.key(), from)
            }
        };
        let (ask, pace) = match campaign {
            None => (None, None),
            Some(campaign) => match campaign.state.as_str() {
                "cancelled" => return Ok(Wish::TakeBack(Box::new(mail), CANCELLED)),
                "paused" | "stopped" => return Ok(Wish::Later(mail.key(), now.plus(PAUSE))),
                _ => {
                    let Ok(plan) = serde_json::from_str::<Plan>(&campaign.plan) else {
                        return Ok(Wish::Drop(mail.key()));
                    };
                    let standings = campaign.standings()?;
                    // The import was taken back in the moment in which its people were asked.
                    if !standings.contains_key(&plan.purpose) {
                        return Ok(Wish::TakeBack(Box::new(mail), NO_STANDING));
                    }
                    let paused = standings
                        .values()
                        .filter_map(|one| one.paused_at(now))
                        .max();
                    if let Some(until) = paused {
                        return Ok(later(mail, until));
                    }
                    // The hours hold for when people get it: whatever kept a mail back until the night keeps it until the morning.
                    if let Some(from) = self.opens_at(&plan, &mail, now) {
                        return Ok(later(mail, from));
                    }
                    let pace = (campaign.campaign_id, plan.an_hour);
                    let ask = ask_of(plan, campaign, &mail.template, &to);
                    (Some(Box::new(ask)), Some(pace))
                }
            },
        };
        Ok(Wish::Send(Box::new(Job {
            mail,
            to,
            ask,
            pace,
        })))
    }

    /// When the hours of a mail's campaign begin again, in its brand's time zone.
    fn opens_at(&self, plan: &Plan, mail: &OutboxRow, now: Timestamp) -> Option<Timestamp> {
        let brand = self.catalog.brand(mail.brand_id)?;
        plan.opens_at(&Zone::of(&brand.declared.time_zone), now)
    }
}

fn ask_of(plan: Plan, campaign: &OfRequest, template: &str, to: &Recipient) -> Ask {
    Ask {
        kind: plan.kind,
        again: again(&plan, to.expires_at),
        reminder: template == REMINDER,
        old_brand: plan.old_brand,
        note: plan.note,
        source: campaign.source.as_deref().and_then(Source::parse),
    }
}

impl Delivery {
    /// Reads what the claimed mails need, takes out what nobody wants any more and puts back what the breaker or a rate holds.
    pub(super) async fn prepare(&self, mails: Vec<OutboxRow>) -> Result<Vec<Job>, StoreError> {
        let now = self.app.clock.now();
        let about = self.read_about(&mails).await?;
        let mut unwanted = Vec::new();
        let mut jobs = Vec::with_capacity(mails.len());
        let mut later = Vec::new();
        let mut taken_back = Vec::new();
        let mut anew = Vec::new();
        for mail in mails {
            match about.wish(mail, now)? {
                Wish::Send(job) => jobs.push(*job),
                Wish::Later(key, from) => later.push((key, from)),
                Wish::Drop(key) => unwanted.push(key),
                Wish::TakeBack(mail, why) => {
                    unwanted.push(mail.key());
                    taken_back.push((*mail, why));
                }
                Wish::AskAnew(mail, from) => anew.push((*mail, from)),
            }
        }
        // Whoever just signed up waits for the mail; a campaign can wait. Whose turn came first goes first.
        jobs.sort_by_key(|job| (job.pace.is_some(), job.mail.key()));
        for (mail, from) in anew {
            self.app.ask_anew(&mail, from).await?;
            self.under_way.remove(&[mail.key()]);
        }
        if !(unwanted.is_empty() && later.is_empty()) {
            let mut writes = Writes::default();
            outbox::remove(&mut writes, self.app.store.engine(), &unwanted);
            outbox::release(&mut writes, self.app.store.engine(), &later);
            let events = self.take_back(&mut writes, taken_back, now)?;
            let contacts = whose(&events);
            self.app.store.write_of_contacts(&contacts, writes).await?;
            self.under_way.remove(&unwanted);
            self.under_way.remove(later.iter().map(|mail| &mail.0));
        }
        if about.held {
            // Who asks for a link signs nobody up, and it goes to people who are known.
            let (go, stay): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::is_preferences);
            self.put_by(&stay).await?;
            return self.hold_back(go, now).await;
        }
        self.hold_back(jobs, now).await
    }

    /// Takes back what a campaign asked that was cancelled, or whose people are known no more, in mails that no server can have
    /// got: nobody was asked by them, and whoever asks these people next need not wait for an answer.
    fn take_back(
        &self,
        writes: &mut Writes,
        taken_back: Vec<(OutboxRow, &'static str)>,
        now: Timestamp,
    ) -> Result<Vec<NewEvent>, StoreError> {
        let mut requests = Vec::new();
        let mut events = Vec::new();
        for (mail, why) in taken_back {
            let fact = mail_failed(&mail, why);
            let about = record::About {
                brand: mail.brand_id,
                contact: mail.contact_id,
                request: Some(mail.request_id),
            };
            events.push(self.work.record(about, now, fact)?);
            if mail.ambiguous == 0 && mail.template != REMINDER {
                requests.push((mail.brand_id, mail.request_id));
            }
        }
        campaigns::cancel_asked(writes, &requests);
        requests::end_unsent(writes, &requests, now);
        events::append_to_known(writes, self.app.store.engine(), &events);
        Ok(events)
    }

    async fn read_about(&self, mails: &[OutboxRow]) -> Result<About, StoreError> {
        let mut conn = self.app.store.read().await?;
        let keys: Vec<_> = mails.iter().map(|m| (m.brand_id, m.request_id)).collect();
        let recipients = recipients::list(&mut conn, &keys)
            .await?
            .into_iter()
            .map(|to| (to.request_id, Arc::new(to)))
            .collect();
        // Most mails are of signups, and nothing more is read for them.
        let asked: Vec<_> = mails
            .iter()
            .filter(|mail| Kind::parse(&mail.template).is_some() || mail.template == REMINDER)
            .map(|mail| (mail.brand_id, mail.request_id))
            .collect();
        let campaigns = campaigns::list_of_requests(&mut conn, &asked)
            .await?
            .into_iter()
            .map(|one| (one.request_id, one))
            .collect();
        let lost: Vec<_> = mails
            .iter()
            .filter(|mail| mail.template == PREFERENCES)
            .map(|mail| (mail.brand_id, mail.contact_id))
            .collect();
        let reached = recipients::list_contacts(&mut conn, &lost)
            .await?
            .into_iter()
            .map(|one| (one.contact_id, one))
            .collect();
        let held = breaker::is_open(&mut conn).await?;
        Ok(About {
            catalog: self.app.catalog(),
            reached,
            recipients,
            campaigns,
            held,
            link_for: self.app.config.links.mailed,
        })
    }
}

//! What follows: one reminder, the end of consent that nobody confirmed, stopping for failures, and the campaign's own end.

use std::collections::{HashMap, HashSet};

use super::ask::{Asking, Moment};
use crate::app::App;
use crate::app::record::About;
use crate::app::sources::Sources;
use crate::domain::brand::Brand;
use crate::domain::campaign::{Fates, Kind, Place, Plan, Situation, Verdicts, Why, place};
use crate::domain::event::Fact;
use crate::domain::ids::ContactId;
use crate::domain::policy::{AddressFacts, Claim, Outreach, Verdict, Zone, judge};
use crate::domain::standing::{RequestState, Standing, State, apply};
use crate::store::campaigns::{self, CampaignRow, RecipientRow};
use crate::store::contacts;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::requests::{self, RequestRow};
use crate::store::{Conn, StoreError, campaign_fates};

/// Recipients that are looked at together.
const TOGETHER: i64 = 200;

/// How long a reminder waits whose first mail no server has taken yet.
const AN_HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

impl App {
    pub(super) async fn follow_up(
        &self,
        brand: &Brand,
        campaign: &CampaignRow,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        if self.stop_for_failures(campaign, plan).await? {
            return Ok(());
        }
        while decided(|| self.look_at_some(brand, campaign, plan)).await? {}
        let mut conn = self.store.read().await?;
        let over = campaigns::is_over(&mut conn, campaign).await?;
        drop(conn);
        if over {
            self.end_campaign(campaign).await?;
        }
        Ok(())
    }

    /// Ends a campaign that has nobody left to ask or to wait for. Whoever is held stays held: a release sets it going again,
    /// under the same lock.
    async fn end_campaign(&self, campaign: &CampaignRow) -> Result<(), StoreError> {
        let mut locks = Locks::default();
        locks.campaign(campaign.brand_id, campaign.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let conn = held.conn();
        let fresh = campaigns::find_by_id(conn, campaign.brand_id, campaign.id).await?;
        let over = campaigns::is_over(conn, campaign).await?;
        if let Some(row) = fresh.filter(|row| over && row.state == "running") {
            let ended_at = Some(self.clock.now());
            campaigns::skip_paused(conn, &row).await?;
            campaigns::move_on(conn, &row, "done", row.why.as_deref(), ended_at).await?;
        }
        held.finish().await
    }

    /// Stops a campaign too many of whose mails fail or come back, or too many of whose people complain: its list is not what its
    /// operator thinks.
    async fn stop_for_failures(
        &self,
        campaign: &CampaignRow,
        plan: &Plan,
    ) -> Result<bool, StoreError> {
        let mut conn = self.store.read().await?;
        let fates = campaign_fates::count(&mut conn, campaign).await?;
        drop(conn);
        let seen = Fates::seen(campaign.why.as_deref());
        let Some(why) = fates.stop(plan, seen) else {
            return Ok(false);
        };
        let mut tx = self.store.write().await?;
        let stopped = campaigns::move_on(&mut tx, campaign, "stopped", Some(&why), None).await?;
        tx.commit().await?;
        tracing::warn!(campaign = %campaign.id, %why, "a campaign stopped by itself");
        Ok(stopped)
    }

    /// Looks at recipients that were asked and are due: for a reminder, or because their time is over. False if there is none.
    async fn look_at_some(
        &self,
        brand: &Brand,
        campaign: &CampaignRow,
        plan: &Plan,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let due = campaigns::list_due(&mut conn, campaign, "asked", now, TOGETHER).await?;
        drop(conn);
        let Some(form) = self.form_of(brand, &plan.form) else {
            return Ok(false);
        };
        let held = self.hold_recipients(brand, campaign, plan, &due).await?;
        let Some((mut held, mut pace)) = held else {
            return Ok(false);
        };
        let conn = held.conn();
        let ids: Vec<_> = due.iter().map(|one| (brand.id, one.contact_id)).collect();
        let moment = Moment {
            app: self,
            brand,
            form: &form,
            campaign,
            plan,
            now: self.clock.now(),
        };
        let contacts: Vec<ContactId> = due.iter().map(|one| one.contact_id).collect();
        let mut recipients: HashMap<ContactId, RecipientRow> =
            campaigns::list_of(conn, campaign, &contacts)
                .await?
                .into_iter()
                .filter(|one| one.state == "asked" && one.due_at <= moment.now)
                .map(|one| (one.contact_id, one))
                .collect();
        let keys: Vec<_> = recipients
            .values()
            .filter_map(|one| Some((brand.id, one.request_id?)))
            .collect();
        let mut asked: HashMap<ContactId, RequestRow> = requests::list(conn, &keys)
            .await?
            .into_iter()
            .map(|request| (request.contact_id, request))
            .collect();
        let found = contacts::find_all(conn, &ids).await?;
        let situations = self
            .situations(conn, (brand, plan), Some(campaign), &found, moment.now)
            .await?;
        let judged = self
            .judge_contacts(conn, brand, plan, found, moment.now)
            .await?;
        let anew = if plan.lapse_unanswered_at.is_some() && plan.due.is_none() {
            self.acted_since(conn, brand, plan, &recipients).await?
        } else {
            HashSet::new()
        };
        let mut asking = Asking::default();
        let mut ended = Vec::new();
        for one in judged {
            let (Some(mut recipient), Some(request)) = (
                recipients.remove(&one.contact.id),
                asked.remove(&one.contact.id),
            ) else {
                continue;
            };
            let lapses_at = plan
                .lapse_unanswered_at
                .map_or(request.expires_at, |at| at.max(request.expires_at));
            let state = request.state()?;
            if state == RequestState::Bounced {
                recipient.state = "unanswered".to_owned();
            } else if !matches!(state, RequestState::Open | RequestState::Expired) {
                recipient.state = "answered".to_owned();
            } else if moment.now >= lapses_at {
                recipient.state = "unanswered".to_owned();
                let arrived = recipient.mail.as_deref() == Some("accepted")
                    && recipient.returned_at.is_none();
                let standing = one.contact.standings.get(&plan.purpose);
                let same = !anew.contains(&one.contact.id);
                let ends = ends_unanswered(plan, standing, same, situations.of(one.contact.id));
                if plan.lapse_unanswered_at.is_some() && arrived && ends {
                    let mut standings = one.contact.standings.clone();
                    let fact = Fact::Lapsed {
                        purposes: vec![plan.purpose.clone()],
                        until: lapses_at,
                        campaign: Some(campaign.id),
                        explicit: plan.due.is_some(),
                    };
                    apply(&mut standings, &fact, moment.now);
                    let about = About {
                        brand: brand.id,
                        contact: one.contact.id,
                        request: Some(request.id),
                    };
                    let event = self.work().record(about, moment.now, fact)?;
                    asking.events.push(event);
                    ended.push((brand.id, one.contact.id, standings));
                }
            } else {
                recipient.due_at = lapses_at;
                let standing = one.contact.standings.get(&plan.purpose);
                let may = recipient.released == 0
                    && recipient.reminded_at.is_none()
                    && plan.remind_after_days.is_some()
                    && matches!(recipient.mail.as_deref(), None | Some("accepted"))
                    && (plan.due.is_some() || one.judgement.outreach == Outreach::Auto)
                    && moment.now < request.expires_at
                    && reminds(
                        plan,
                        standing,
                        one.verdicts(),
                        situations.of(one.contact.id),
                    );
                let paused = standing.and_then(|standing| standing.paused_at(moment.now));
                let turn = may.then(|| match paused {
                    Some(until) => Err(until),
                    None if recipient.mail.is_none() => Err(moment.now.plus(AN_HOUR)),
                    None => moment.turn_to_remind(&mut pace, &mut asking, &one),
                });
                match turn {
                    None => {}
                    Some(Err(later)) => recipient.due_at = later.min(lapses_at),
                    Some(Ok(())) => {
                        recipient.reminded_at = Some(moment.now);
                        moment.remind(&mut asking, &one.contact, one.judgement, &request)?;
                    }
                }
            }
            asking.recipients.push(recipient);
        }
        let changed: Vec<_> = ended
            .iter()
            .map(|(brand, contact, standings)| (*brand, *contact, standings))
            .collect();
        // A recipient without its request or its contact cannot come to an end by itself.
        let stuck = recipients.into_values().map(|one| RecipientRow {
            state: "unanswered".to_owned(),
            ..one
        });
        asking.recipients.extend(stuck);
        let more = !asking.recipients.is_empty();
        let mut writes = asking.writes();
        contacts::put_standings(&mut writes, &changed);
        campaigns::put_progress(&mut writes, &pace.row);
        held.finish(writes).await?;
        Ok(more)
    }
}

impl App {
    /// Whose consent rests on an act of the day on which they were asked or later: that was not what the campaign asked about, and
    /// it ends at its own time.
    async fn acted_since(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        plan: &Plan,
        recipients: &HashMap<ContactId, RecipientRow>,
    ) -> Result<HashSet<ContactId>, StoreError> {
        let zone = Zone::of(&brand.declared.time_zone);
        let ids: Vec<_> = recipients.keys().map(|id| (brand.id, *id)).collect();
        let sources = self.sources_of(conn, &plan.purpose, &ids).await?;
        let terms = self.terms(brand);
        let acted = |(id, sources): (ContactId, Sources)| {
            let asked_at = recipients.get(&id)?.asked_at?;
            let accepted = |claim: &Claim| {
                let alone = judge(
                    std::slice::from_ref(claim),
                    AddressFacts::default(),
                    &terms,
                    self.clock.now(),
                );
                claim.acted_since(asked_at, &zone) && alone.verdict == Verdict::Accept
            };
            sources.claims.iter().any(accepted).then_some(id)
        };
        Ok(sources.into_iter().filter_map(acted).collect())
    }
}

/// A merger's notice that has arrived leaves nothing due, and its people may be reminded all the same. Whoever paused is, after
/// the pause.
fn reminds(
    plan: &Plan,
    standing: Option<&Standing>,
    verdicts: Verdicts<'_>,
    situation: Situation,
) -> bool {
    match place(plan, standing, verdicts, situation) {
        Place::Waiting | Place::Paused(_) => true,
        Place::LeftOut(Why::NoMerger) => plan.kind == Kind::MergerNotice,
        Place::Held | Place::LeftOut(_) => false,
    }
}

/// Whether what a person had ends with the time to answer: implicit consent that rests on no later act; and where people were
/// asked by time, explicit consent that is still as old as it was. Whoever paused meanwhile has acted, and keeps it.
fn ends_unanswered(
    plan: &Plan,
    standing: Option<&Standing>,
    same: bool,
    situation: Situation,
) -> bool {
    let Some(standing) = standing else {
        return false;
    };
    match plan.due {
        None => standing.state == State::Implicit && same,
        Some(_) => {
            standing.state == State::Explicit
                && situation.is_over
                && standing.paused_at(situation.now).is_none()
        }
    }
}

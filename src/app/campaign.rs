//! Campaigns: asking people whom the policy lets be asked, at a pace, until they have answered or their time is over.
//!
//! A campaign first enrols its contacts, then asks them. Each person is judged again in the moment of asking, under the locks
//! of contact and mailbox; request, event, mail and the recipient's place are written in one transaction. So whoever dies in
//! between, nobody is asked twice, and nobody is left out.

mod anew;
mod ask;
pub(super) mod due;
mod enrol;
mod follow;
mod judge;
mod outcome;
mod pace;
mod preview;
mod show;
mod worded;

use uuid::Uuid;

use super::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::Plan;
use crate::domain::form::Form;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::reconfirm::Reconfirm;
use crate::domain::time::Timestamp;
use crate::mail::compose::Again;
use crate::store::campaigns::{self, CampaignRow, RecipientRow};
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, contacts};

pub(super) use anew::mail_failed;
pub use enrol::Groups;
pub use outcome::Told;
pub use preview::NoPreview;
pub use show::{People, Person, place};
pub use worded::{Worded, WordedProblem};

use super::permit::parse_address;

/// Campaigns that are in memory together.
const AT_WORK: i64 = 500;

/// Why a campaign is paused that goes on with enrolling when it is resumed.
const WHILE_ENROLLING: &str = "paused while its people were being enrolled";

/// A campaign that somebody wants.
#[derive(Clone, Debug)]
pub struct NewCampaign {
    pub name: String,
    pub plan: Plan,
}

/// Why a campaign does not begin, or does not do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub enum CampaignProblem {
    #[error("the campaign is not right:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
    Plan(Vec<String>),
    #[error("the brand has a campaign \"{0}\" already; give this one a name of its own")]
    Taken(String),
    #[error("the brand has no campaign \"{0}\"; `countersign campaign status` shows them")]
    Unknown(String),
    #[error("the campaign \"{name}\" is {state}; it cannot be {wanted}")]
    State {
        name: String,
        state: String,
        wanted: &'static str,
    },
    #[error(
        "the campaign \"{campaign}\" does not hold {count} of these addresses for release, for example line {line}"
    )]
    NotHeld {
        campaign: String,
        count: usize,
        line: usize,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// What is wrong with a plan, beside the plan's own rules: its purpose and its form have to be the brand's.
    pub fn check_plan(&self, brand: &Brand, new: &NewCampaign) -> Result<(), CampaignProblem> {
        let mut problems = new.plan.problems(self.clock.now());
        let length = new.name.chars().count();
        if !(1..=100).contains(&length) || new.name.chars().any(char::is_control) {
            problems
                .push("its name has 1 to 100 characters, and none that cannot be seen".to_owned());
        }
        let (purpose, slug) = (&new.plan.purpose, &new.plan.form);
        if brand.purpose(purpose).is_none() {
            problems.push(format!("the brand has no purpose \"{purpose}\""));
        }
        match self.form_of(brand, slug) {
            None => problems.push(format!("the brand has no form \"{slug}\"")),
            Some(form) if !offers(&form, purpose) => {
                problems.push(format!("the form \"{slug}\" does not offer \"{purpose}\""));
            }
            Some(_) => {}
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CampaignProblem::Plan(problems))
        }
    }

    fn form_of(&self, brand: &Brand, slug: &Slug) -> Option<std::sync::Arc<Form>> {
        let catalog = self.catalog();
        let form = catalog.form(slug.as_str())?;
        (form.brand == brand.id).then(|| form.clone())
    }

    /// Begins a campaign. It enrols its contacts next, and then asks them, in the worker.
    pub async fn begin_campaign(
        &self,
        brand: &Brand,
        new: NewCampaign,
    ) -> Result<CampaignRow, CampaignProblem> {
        self.check_plan(brand, &new)?;
        self.check_import(brand, &new.plan).await?;
        let now = self.clock.now();
        let plan = serde_json::to_string(&new.plan)
            .map_err(|_| StoreError::Corrupt("a plan that cannot be written"))?;
        let row = CampaignRow {
            brand_id: brand.id,
            id: CampaignId(self.random.uuid_v7(now)),
            name: new.name,
            plan,
            state: "enrolling".to_owned(),
            why: None,
            enrolled_to: None,
            enrolled_from: None,
            arrival: 0,
            day: 0,
            asked_on_day: 0,
            day_began_at: None,
            left_before: 0,
            started_at: now,
            ended_at: None,
        };
        let mut tx = self.store.write().await?;
        campaigns::insert(&mut tx, &row).await?;
        let found = campaigns::find(&mut tx, brand.id, &row.name).await?;
        tx.commit().await?;
        match found {
            Some(found) if found.id == row.id => Ok(found),
            _ => Err(CampaignProblem::Taken(row.name)),
        }
    }

    /// The campaigns of a brand with their numbers, behind one of them, or from the first; the newest come first if `down`.
    pub async fn campaigns_in_order(
        &self,
        brand: &Brand,
        (after, down): (Option<CampaignId>, bool),
        limit: usize,
    ) -> Result<Vec<Told>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = if down {
            let before = after.unwrap_or(CampaignId(Uuid::max()));
            self.campaigns_before(brand, before, limit).await?
        } else {
            let after = after.unwrap_or(CampaignId(Uuid::nil()));
            let mut conn = self.store.read().await?;
            campaigns::list_after(&mut conn, brand.id, after, limit).await?
        };
        self.tell_campaigns(rows).await
    }

    /// Those that are older than one, newest first.
    pub async fn campaigns_before(
        &self,
        brand: &Brand,
        before: CampaignId,
        limit: i64,
    ) -> Result<Vec<CampaignRow>, StoreError> {
        let mut conn = self.store.read().await?;
        campaigns::list_before(&mut conn, brand.id, before, limit).await
    }

    pub async fn campaign(
        &self,
        brand: &Brand,
        name: &str,
    ) -> Result<CampaignRow, CampaignProblem> {
        let mut conn = self.store.read().await?;
        let found = campaigns::find(&mut conn, brand.id, name).await?;
        found.ok_or_else(|| CampaignProblem::Unknown(name.to_owned()))
    }

    /// Nobody is enrolled or asked, and no mail that waits leaves, until it is resumed.
    pub async fn pause_campaign(&self, brand: &Brand, name: &str) -> Result<(), CampaignProblem> {
        self.move_campaign(brand, name, &["enrolling", "running"], "paused")
            .await
    }

    /// Goes on with a campaign that was paused, or that stopped by itself; with enrolling, where that had not come to its end.
    pub async fn resume_campaign(&self, brand: &Brand, name: &str) -> Result<(), CampaignProblem> {
        self.move_campaign(brand, name, &["paused", "stopped"], "running")
            .await
    }

    /// Ends a campaign for good: nobody else is asked, and mails that wait do not leave. Whoever was asked can still answer.
    pub async fn cancel_campaign(&self, brand: &Brand, name: &str) -> Result<(), CampaignProblem> {
        let open = ["enrolling", "running", "paused", "stopped"];
        self.move_campaign(brand, name, &open, "cancelled").await
    }

    async fn move_campaign(
        &self,
        brand: &Brand,
        name: &str,
        from: &[&str],
        to: &'static str,
    ) -> Result<(), CampaignProblem> {
        let known = self.campaign(brand, name).await?;
        let mut locks = Locks::default();
        locks.campaign(brand.id, known.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let row = campaigns::find_by_id(tx, brand.id, known.id)
            .await?
            .ok_or(StoreError::Corrupt("a campaign that is gone"))?;
        if !from.contains(&row.state.as_str()) {
            return Err(CampaignProblem::State {
                name: row.name,
                state: row.state,
                wanted: to,
            });
        }
        let ended = (to == "cancelled").then(|| self.clock.now());
        // Why it stopped stays with it: resumed, it does not stop for that again.
        let why = row.why.as_deref();
        let (to_state, why) = match (row.state.as_str(), to) {
            ("enrolling", "paused") => (to, Some(WHILE_ENROLLING)),
            ("paused", "running") if why == Some(WHILE_ENROLLING) => ("enrolling", None),
            _ => (to, why),
        };
        campaigns::move_on(tx, &row, to_state, why, ended).await?;
        if to == "cancelled" {
            campaigns::cancel(tx, &row).await?;
        }
        held.finish().await?;
        Ok(())
    }

    /// Lets the server write to people who are held because only a person may ask them: all of these, or none. A campaign that
    /// was done goes on.
    pub async fn release_recipients(
        &self,
        brand: &Brand,
        name: &str,
        addresses: &[String],
    ) -> Result<usize, CampaignProblem> {
        let row = self.campaign(brand, name).await?;
        if row.state == "cancelled" {
            return Err(CampaignProblem::State {
                name: row.name,
                state: row.state,
                wanted: "released",
            });
        }
        let mut released = 0;
        let mut places: Vec<RecipientRow> = Vec::with_capacity(addresses.len());
        let mut missing: Vec<usize> = Vec::new();
        let mut conn = self.store.read().await?;
        for (at, address) in addresses.iter().enumerate() {
            let key = parse_address(address).map(|address| address.key().to_owned());
            let contact = match &key {
                Ok(key) => contacts::find(&mut conn, brand.id, key).await?,
                Err(_) => None,
            };
            let ids: Vec<ContactId> = contact.iter().map(|contact| contact.id).collect();
            let held = campaigns::list_of(&mut conn, &row, &ids).await?;
            match held.into_iter().find(|one| one.state == "held") {
                Some(one) => places.push(one),
                None => missing.push(at + 1),
            }
        }
        drop(conn);
        if let Some(line) = missing.first() {
            return Err(CampaignProblem::NotHeld {
                campaign: row.name,
                count: missing.len(),
                line: *line,
            });
        }
        let now = self.clock.now();
        for part in places.chunks_mut(500) {
            let mut locks = Locks::default();
            locks.campaign(brand.id, row.id);
            let mut held = self.store.hold_to_write(locks).await?;
            let ids: Vec<ContactId> = part.iter().map(|one| one.contact_id).collect();
            let mut still = campaigns::list_of(held.conn(), &row, &ids).await?;
            still.retain(|one| one.state == "held");
            for one in &mut still {
                one.state = "waiting".to_owned();
                one.released = 1;
                one.due_at = now;
            }
            let mut writes = Writes::default();
            campaigns::put(&mut writes, &still);
            released += still.len();
            let fresh = campaigns::find_by_id(held.conn(), brand.id, row.id).await?;
            if let Some(done) = fresh.filter(|row| row.state == "done") {
                campaigns::move_on(held.conn(), &done, "running", done.why.as_deref(), None)
                    .await?;
            }
            held.finish_with(writes).await?;
        }
        Ok(released)
    }

    /// Does what is due in all campaigns: once a few seconds, in the worker. Safe with several workers. Answers with how many
    /// people were asked.
    pub async fn campaigns_due(&self) -> Result<usize, StoreError> {
        let mut asked = 0;
        let mut after = CampaignId(uuid::Uuid::nil());
        loop {
            let mut conn = self.store.read().await?;
            let at_work = campaigns::list_at_work(&mut conn, after, AT_WORK).await?;
            drop(conn);
            let Some(last) = at_work.last() else {
                break;
            };
            after = last.id;
            for row in at_work {
                asked += self.campaign_due(row).await?;
            }
        }
        if asked > 0 {
            self.live.mail_queued();
        }
        self.put_counts_together().await?;
        Ok(asked)
    }

    /// Does what is due in one campaign.
    async fn campaign_due(&self, row: CampaignRow) -> Result<usize, StoreError> {
        let plan = read_plan(&row)?;
        let Some(brand) = self.catalog().brand(row.brand_id).cloned() else {
            return Ok(0);
        };
        if row.state == "enrolling" {
            self.enrol(&brand, row, &plan).await?;
            return Ok(0);
        }
        // Reminders first: their links come to an end, and whoever was not asked yet can wait.
        self.follow_up(&brand, &row, &plan).await?;
        self.ask_due(&brand, &row, &plan).await
    }
}

fn offers(form: &Form, purpose: &Slug) -> bool {
    form.content(&form.current)
        .is_some_and(|content| content.purposes.iter().any(|one| one.slug == *purpose))
}

pub(super) fn read_plan(row: &CampaignRow) -> Result<Plan, StoreError> {
    serde_json::from_str(&row.plan).map_err(|_| StoreError::Corrupt("a campaign's plan"))
}

/// After which time the brand asks again, for a campaign that asks by time; or what to do where it has no such terms.
pub fn due_of(brand: &Brand) -> Result<Reconfirm, String> {
    brand.declared.reconfirm.ok_or_else(|| {
        format!(
            "the brand \"{slug}\" does not say after which time it asks again; declare [brand.reconfirm] with after_years or \
             unused_months (countersign apply), or set it on its page",
            slug = brand.declared.slug
        )
    })
}

/// What a mail says of people who are asked by time: whether no answer ends their consent, and when. Never while the mail's link
/// still works.
pub(super) fn again(plan: &Plan, expires_at: Timestamp) -> Option<Again> {
    plan.due.map(|_| Again {
        ends_at: plan.lapse_unanswered_at.map(|at| at.max(expires_at)),
    })
}

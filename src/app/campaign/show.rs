//! Campaigns as pages show them.

use uuid::Uuid;

use super::{CampaignProblem, Told};
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::ids::{BrandId, CampaignId, ContactId};
use crate::domain::time::Timestamp;
use crate::store::campaigns::{self, CampaignRow, Outcome};
use crate::store::{StoreError, contacts};

/// What became of somebody.
#[derive(Clone, Debug)]
pub struct Person {
    pub contact: ContactId,
    pub address: String,
    pub known_since: Timestamp,
    /// When somebody who waits is asked, or when the time of somebody who was asked is over.
    pub due_at: Timestamp,
    pub state: String,
    pub why: Option<String>,
    pub mail: Option<String>,
    pub answer: Option<String>,
    pub asked_at: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
}

impl Person {
    fn of(outcome: Outcome) -> Self {
        Self {
            contact: outcome.contact_id,
            address: outcome.address,
            known_since: outcome.known_since,
            due_at: outcome.due_at,
            state: outcome.state,
            why: outcome.why,
            mail: outcome.mail,
            answer: outcome.answer,
            asked_at: outcome.asked_at,
            reminded_at: outcome.reminded_at,
        }
    }
}

/// Some people of a campaign, and behind which key the next ones stand.
#[derive(Clone, Debug, Default)]
pub struct People {
    pub people: Vec<Person>,
    pub next: Option<String>,
}

/// A place among the people of one state: when they are due, and who of those. It names nobody.
pub fn place(text: &str) -> Option<(Timestamp, ContactId)> {
    let (due, contact) = text.split_once('.')?;
    let contact = ContactId(Uuid::parse_str(contact).ok()?);
    Some((Timestamp::from_micros(due.parse().ok()?), contact))
}

impl App {
    /// A campaign with its numbers.
    pub async fn tell_campaign_of(
        &self,
        brand: BrandId,
        id: CampaignId,
    ) -> Result<Option<Told>, StoreError> {
        match self.campaign_row(brand, id).await? {
            Some(row) => Ok(Some(self.tell_campaign(row).await?)),
            None => Ok(None),
        }
    }

    async fn campaign_row(
        &self,
        brand: BrandId,
        id: CampaignId,
    ) -> Result<Option<CampaignRow>, StoreError> {
        let mut conn = self.store.read().await?;
        campaigns::find_by_id(&mut conn, brand, id).await
    }

    /// What became of a campaign's people, behind a key; of one state where it is named.
    pub async fn campaign_people(
        &self,
        brand: BrandId,
        id: CampaignId,
        state: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<People, StoreError> {
        let mut found = self
            .people_in_order(brand, id, state, (after, false), limit + 1)
            .await?;
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more).map(|last| last.0.clone());
        Ok(People {
            people: found.into_iter().map(|one| one.1).collect(),
            next,
        })
    }

    /// The same, each with its key: of everybody in the order in which the brand came to know them, of one state in the order
    /// in which they are due; the other way round if `down`.
    pub async fn people_in_order(
        &self,
        brand: BrandId,
        id: CampaignId,
        state: Option<&str>,
        (after, down): (Option<&str>, bool),
        limit: usize,
    ) -> Result<Vec<(String, Person)>, StoreError> {
        let Some(row) = self.campaign_row(brand, id).await? else {
            return Ok(Vec::new());
        };
        let mut conn = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = match state {
            None => {
                let after = after.and_then(|after| Uuid::parse_str(after).ok());
                let after = (after.map(ContactId), down);
                campaigns::list_outcomes(&mut conn, &row, after, limit).await?
            }
            Some(state) => {
                let after = (after.and_then(place), down);
                campaigns::list_outcomes_in(&mut conn, &row, state, after, limit).await?
            }
        };
        let key = |one: &Outcome| match state {
            None => one.contact_id.to_string(),
            Some(_) => format!("{}.{}", one.due_at.micros(), one.contact_id),
        };
        let keyed = found.into_iter().map(|one| (key(&one), Person::of(one)));
        Ok(keyed.collect())
    }

    /// Lets the server write to these people, who are held: all of them, or none.
    pub async fn release_people(
        &self,
        brand: &Brand,
        name: &str,
        people: &[ContactId],
    ) -> Result<usize, CampaignProblem> {
        let ids: Vec<_> = people.iter().map(|id| (brand.id, *id)).collect();
        let mut conn = self.store.read().await?;
        let found = contacts::find_all(&mut conn, &ids).await?;
        drop(conn);
        if found.len() < people.len() {
            return Err(CampaignProblem::NotHeld {
                campaign: name.to_owned(),
                count: people.len() - found.len(),
                line: 1,
            });
        }
        let addresses: Vec<String> = found.into_iter().map(|contact| contact.address).collect();
        self.release_recipients(brand, name, &addresses).await
    }
}

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
fn place(text: &str) -> Option<(Timestamp, ContactId)> {
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
        let Some(row) = self.campaign_row(brand, id).await? else {
            return Ok(People::default());
        };
        let mut conn = self.store.read().await?;
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let (mut found, keys) = match state {
            None => {
                let after = after.and_then(|after| Uuid::parse_str(after).ok());
                let found =
                    campaigns::list_outcomes(&mut conn, &row, after.map(ContactId), more).await?;
                let keys: Vec<String> =
                    found.iter().map(|one| one.contact_id.to_string()).collect();
                (found, keys)
            }
            Some(state) => {
                let nil = ContactId(Uuid::nil());
                let after = after
                    .and_then(place)
                    .unwrap_or((Timestamp::from_micros(i64::MIN), nil));
                let found =
                    campaigns::list_outcomes_in(&mut conn, &row, state, after, more).await?;
                let key =
                    |due: &Timestamp, one: &Outcome| format!("{}.{}", due.micros(), one.contact_id);
                let keys = found.iter().map(|(due, one)| key(due, one)).collect();
                (found.into_iter().map(|one| one.1).collect(), keys)
            }
        };
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = is_more
            .then(|| keys.get(limit.saturating_sub(1)).cloned())
            .flatten();
        Ok(People {
            people: found.into_iter().map(Person::of).collect(),
            next,
        })
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

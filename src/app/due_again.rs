//! Who is due to be asked again by time, as the overview tells: counted now and then by a worker, never while somebody looks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::App;
use super::campaign::due::over;
use super::campaign::read_plan;
use super::judge::suppressed_among;
use crate::domain::brand::{Brand, Slug};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::reconfirm::Reconfirm;
use crate::domain::standing::explicit_from;
use crate::domain::time::Timestamp;
use crate::store::contacts::Contact;
use crate::store::{StoreError, campaigns, contacts, settings};

const KEPT: &str = "due_again";
/// How long the figures hold; they are counted anew at once where a brand's terms change.
const COUNTED_FOR: Duration = Duration::from_secs(6 * 3_600);
/// Contacts that are looked at together.
const PAGE: i64 = 500;
/// That so many are due says enough: nobody counts on.
pub const COUNTED_UP_TO: u64 = 1_000;

/// How many contacts of a purpose are due; `COUNTED_UP_TO` stands for that many or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueAgain {
    pub brand: BrandId,
    pub purpose: Slug,
    pub contacts: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    counted_at: Option<Timestamp>,
    terms: Vec<(BrandId, Reconfirm)>,
    due: Vec<DueAgain>,
}

impl App {
    fn terms_of_brands(&self) -> Vec<(BrandId, Reconfirm)> {
        let catalog = self.catalog();
        let terms = catalog.brands.iter();
        let mut terms: Vec<_> = terms
            .filter_map(|brand| Some((brand.id, brand.declared.reconfirm?)))
            .collect();
        terms.sort_unstable_by_key(|one| one.0);
        terms
    }

    async fn due_kept(&self) -> Result<Kept, StoreError> {
        let mut conn = self.store.read().await?;
        let kept = settings::find(&mut conn, KEPT).await?;
        let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
        Ok(kept.unwrap_or_default())
    }

    /// Counts who is due, where the figures are old: a worker asks for this once a minute.
    pub async fn keep_due(&self) -> Result<(), StoreError> {
        let (now, terms) = (self.clock.now(), self.terms_of_brands());
        let kept = self.due_kept().await?;
        let is_fresh = |at: Timestamp| now.since(at) < COUNTED_FOR;
        if kept.terms == terms && (terms.is_empty() || kept.counted_at.is_some_and(is_fresh)) {
            return Ok(());
        }
        let mut due = Vec::new();
        for (brand, terms) in &terms {
            let Some(brand) = self.catalog().brand(*brand).cloned() else {
                continue;
            };
            for purpose in &brand.declared.purposes {
                let contacts = self.count_due(&brand, &purpose.slug, terms, now).await?;
                due.push(DueAgain {
                    brand: brand.id,
                    purpose: purpose.slug.clone(),
                    contacts,
                });
            }
        }
        due.retain(|one| one.contacts > 0);
        let kept = Kept {
            counted_at: Some(now),
            terms,
            due,
        };
        let text = serde_json::to_string(&kept).map_err(|_| StoreError::Corrupt(KEPT))?;
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, KEPT, &text).await?;
        tx.commit().await
    }

    /// A page at a time, by the index of those who confirmed longest ago.
    async fn count_due(
        &self,
        brand: &Brand,
        purpose: &Slug,
        terms: &Reconfirm,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let nobody = ContactId(uuid::Uuid::nil());
        let mut after = (Timestamp::from_micros(i64::MIN), nobody);
        let by = terms.confirmed_by(now);
        let mut count = 0;
        while count < COUNTED_UP_TO {
            let mut conn = self.store.read().await?;
            let mut page = contacts::list_explicit(&mut conn, brand.id, by, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = (explicit_from(&last.standings).unwrap_or(after.0), last.id);
            let what = (brand, purpose, terms);
            let found = over(&mut conn, what, &page, now).await?;
            page.retain(|one| {
                let standing = one.standings.get(purpose);
                let may = standing.is_some_and(|one| {
                    one.paused_at(now).is_none() && one.undeliverable_since.is_none()
                });
                may && found.contains(&one.id)
            });
            let mailboxes: Vec<_> = page.iter().flat_map(Contact::mailbox_hash).collect();
            let suppressed = suppressed_among(&mut conn, brand.id, &mailboxes).await?;
            page.retain(|one| {
                one.mailbox_hash()
                    .is_ok_and(|hash| !suppressed.contains_key(&hash))
            });
            let lately = self.lately(&mut conn, what, None, &page, now).await?;
            count += (page.len() - lately.len()) as u64;
        }
        Ok(count.min(COUNTED_UP_TO))
    }

    /// Who is due and by no campaign under way asked, as it was counted last: brand, purpose and number.
    pub(super) async fn due_again(&self) -> Result<Vec<DueAgain>, StoreError> {
        let mut due = self.due_kept().await?.due;
        let mut conn = self.store.read().await?;
        let mut asking: Vec<(BrandId, Slug)> = Vec::new();
        let mut brands: Vec<BrandId> = due.iter().map(|one| one.brand).collect();
        brands.dedup();
        for brand in brands {
            for row in campaigns::list_under_way(&mut conn, brand).await? {
                let plan = read_plan(&row)?;
                if plan.due.is_some() {
                    asking.push((brand, plan.purpose));
                }
            }
        }
        due.retain(|one| {
            let mut all = asking.iter();
            !all.any(|(brand, purpose)| *brand == one.brand && *purpose == one.purpose)
        });
        Ok(due)
    }
}

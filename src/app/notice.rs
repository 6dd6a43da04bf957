//! Telling the operator by mail that implicit consent is about to end. Safe with several workers: a notice is written once for a
//! brand and a day, whoever comes first, and one worker at a time sends it.

use std::time::Duration;

use super::App;
use super::lapse::NOTICE;
use crate::domain::brand::Brand;
use crate::domain::time::Timestamp;
use crate::store::notices::{self, NoticeRow};
use crate::store::{StoreError, contacts};

const DAY: Duration = Duration::from_secs(86_400);
/// Where nothing new comes up, the operator is told again after so many days.
const AGAIN_AFTER: i64 = 7;

impl App {
    /// Writes the notices that are due today, for delivery to send; answers with their number. Nothing where the settings name
    /// nobody to tell.
    pub async fn tell_of_lapsing(&self) -> Result<u64, StoreError> {
        if self.config.notice_email.is_none() {
            return Ok(0);
        }
        let mut told = 0;
        for brand in &self.catalog().brands {
            if let Some(row) = self.notice_due(brand).await? {
                let mut tx = self.store.write().await?;
                told += u64::from(notices::insert(&mut tx, &row).await?);
                tx.commit().await?;
            }
        }
        Ok(told)
    }

    /// Today's notice of a brand, where there is something to say that was not said within the week.
    async fn notice_due(&self, brand: &Brand) -> Result<Option<NoticeRow>, StoreError> {
        let now = self.clock.now();
        let (today, until) = (day_of(now), now.plus(NOTICE));
        let mut conn = self.store.read().await?;
        let last = notices::find_last(&mut conn, brand.id).await?;
        if last.as_ref().is_some_and(|last| last.day >= today) {
            return Ok(None);
        }
        let (contacts, first) = contacts::count_lapsing_of(&mut conn, brand.id, now, until).await?;
        let Some(first_until) = first else {
            return Ok(None);
        };
        if let Some(last) = last.filter(|last| today < last.day + AGAIN_AFTER) {
            let from = last.looked_until.max(now);
            let new = contacts::count_lapsing_of(&mut conn, brand.id, from, until).await?;
            if new.0 == 0 {
                return Ok(None);
            }
        }
        Ok(Some(NoticeRow {
            brand_id: brand.id,
            day: today,
            contacts,
            first_until,
            looked_until: until,
            state: "due".to_owned(),
            due_at: now,
            tries: 0,
        }))
    }
}

fn day_of(now: Timestamp) -> i64 {
    now.unix_seconds()
        .div_euclid(i64::try_from(DAY.as_secs()).unwrap_or(86_400))
}

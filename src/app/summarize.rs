//! Figures for the operators' pages, kept as sums by day. Nothing is counted when a page is looked at, and nothing of it is
//! done while somebody signs up: a worker walks behind the log and adds what each event tells.
//!
//! It goes no further than the newest signed checkpoint, behind which nothing can be committed late. Where it is stands in the
//! transaction that holds what it added, so a death leaves both or neither, and of two workers one finds the place taken.
//! An event that was emptied before it was walked is not counted.

mod fold;

use std::time::Duration;

use self::fold::Fold;
use super::App;
use crate::domain::figures::{Dimension, day_of};
use crate::domain::ids::BrandId;
use crate::store::set::ROWS_AT_MOST;
use crate::store::summaries::{self, Span};
use crate::store::{StoreError, log};

/// Events of one transaction.
const TOGETHER: i64 = 1_000;
/// Requests that are forgotten in one transaction.
const FORGOTTEN_TOGETHER: u64 = 2_000;
/// Domains that few people have are named for so long.
pub const SMALL_NAMED_FOR: Duration = Duration::from_secs(31 * 86_400);

impl App {
    /// Adds what was logged since the last time; answers with the number of events walked.
    pub async fn summarize(&self) -> Result<u64, StoreError> {
        let mut walked = 0;
        loop {
            match self.summarize_part().await? {
                0 => return Ok(walked),
                part => walked += part,
            }
        }
    }

    /// One transaction of it; 0 where everything is walked, or another worker was faster.
    async fn summarize_part(&self) -> Result<u64, StoreError> {
        let mut conn = self.store.read().await?;
        let cursor = summaries::cursor(&mut conn).await?;
        let up_to = log::head(&mut conn)
            .await?
            .map_or(0, |head| head.last_position);
        if cursor.position >= up_to {
            return Ok(0);
        }
        let events = summaries::list_events(&mut conn, cursor.position, up_to, TOGETHER).await?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Ok(0);
        };
        let mut fold = Fold::new(cursor.folded_day);
        let told = fold::read(&events);
        fold.know(summaries::list_under_way(&mut conn, &fold::requests(&told)).await?);
        let places = fold.places(&told);
        fold.name(summaries::list_names(&mut conn, &places).await?);
        drop(conn);
        for one in &told {
            fold.count(one);
        }
        let (figures, under_way) = fold.finish();
        let added = summaries::advance(&self.store, cursor, last, &figures, &under_way).await?;
        Ok(if added { events.len() as u64 } else { 0 })
    }

    /// Forgets requests that are over, and names domains that few people have no longer.
    pub(super) async fn tidy_summaries(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut removed = 0;
        loop {
            let some =
                summaries::forget(&self.store, now, FORGOTTEN_TOGETHER.cast_signed()).await?;
            removed += some;
            if some < FORGOTTEN_TOGETHER {
                break;
            }
        }
        let catalog = self.catalog();
        let brands: Vec<BrandId> = catalog.brands.iter().map(|brand| brand.id).collect();
        let until = day_of(now.minus(SMALL_NAMED_FOR));
        let mut conn = self.store.read().await?;
        let folded = summaries::cursor(&mut conn).await?.folded_day;
        let mut first = None;
        for part in brands.chunks(ROWS_AT_MOST) {
            for dimension in [Dimension::Domain, Dimension::Mail] {
                let span = Span {
                    brands: part,
                    dimension,
                    first: folded,
                    last: until - 1,
                };
                let day = summaries::first_day(&mut conn, span).await?;
                first = first.into_iter().chain(day).min();
            }
        }
        drop(conn);
        let Some(first) = first else {
            summaries::folded_to(&self.store, until).await?;
            return Ok(removed);
        };
        summaries::folded_to(&self.store, first).await?;
        for day in first..until {
            if !summaries::fold_small(&self.store, day, &brands).await? {
                break;
            }
        }
        Ok(removed)
    }
}

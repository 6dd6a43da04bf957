//! How many people of a campaign are where. Kept by triggers (migration 0017) in the transaction of what is counted, since states,
//! mails and answers are written in a dozen places; a list reads a few dozen rows for each campaign, however many people it has.
//!
//! On PostgreSQL every statement that changes something adds rows of its own instead of changing a shared one: processes that
//! count side by side neither wait for each other nor lose anything. `put_together` keeps these few; the sum is true all the time.

use super::set::{ROWS_AT_MOST, Rows};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, CampaignId};

/// People of a campaign of whom one thing is true: a state, `left_out:REASON`, `mail:FATE` or `answer:STATE`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountRow {
    pub campaign_id: CampaignId,
    pub what: String,
    pub people: i64,
}

/// Rows that are put together in one transaction.
const TOGETHER: i64 = 20_000;

const LIST: &str = "select c.campaign_id, c.what, cast(sum(c.people) as bigint) as people from r join campaign_count c \
     on c.brand_id = r.brand_id and c.campaign_id = r.campaign_id group by c.campaign_id, c.what";
/// Another process leaves alone what this one has taken; all add in the same order.
const PUT_TOGETHER: &str = "with parts as (delete from campaign_count where (brand_id, campaign_id, what, part) in \
     (select brand_id, campaign_id, what, part from campaign_count where part <> 0 order by part limit $1 for update skip locked) \
     returning brand_id, campaign_id, what, people) \
     insert into campaign_count (brand_id, campaign_id, what, part, people) \
     select brand_id, campaign_id, what, 0, cast(sum(people) as bigint) from parts \
     group by brand_id, campaign_id, what order by brand_id, campaign_id, what \
     on conflict (brand_id, campaign_id, what, part) do update set people = campaign_count.people + excluded.people";

/// The numbers of a brand's campaigns, in no order.
pub async fn list(
    conn: &mut Conn,
    brand: BrandId,
    campaigns: &[CampaignId],
) -> Result<Vec<CountRow>, StoreError> {
    let mut all = Vec::new();
    for part in campaigns.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .uuid("campaign_id", |id| id.0);
        all.extend(conn.read_set::<_, CountRow>(LIST, rows).await?);
    }
    Ok(all)
}

/// Puts the rows of PostgreSQL's processes together: the oldest 20,000. SQLite has one writer, which adds to the sum itself.
pub async fn put_together(tx: &mut Conn) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(PUT_TOGETHER).bind(TOGETHER).execute(driver).await?; });
    Ok(())
}

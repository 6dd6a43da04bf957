//! What came back of a campaign's mails after a server had taken them, who complained, and how many all of these are: each person
//! counts once.

use uuid::Uuid;

use super::campaigns::{CampaignRow, PARTS};
use super::requests::Key;
use super::set::{Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::campaign::Fates;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::domain::time::Timestamp;

/// What was accepted may come back. For the time being it is not lost: only one that never had a fate has failed.
const PUT_RETURNED: &str = "update campaign_recipient set returned_at = coalesce(returned_at, r.at), \
     mail = case when r.for_good = 1 then 'failed' else coalesce(mail, 'failed') end from r \
     where campaign_recipient.brand_id = r.brand_id and campaign_recipient.request_id = r.request_id";
/// In front of `PUT_RETURNED`: each person once, whether a server refused the mail or reported that it came back.
const TALLY_RETURNED: &str = "insert into campaign_tally (brand_id, campaign_id, part, accepted, failed, returned) \
     select p.brand_id, p.campaign_id, r.part, 0, case when p.mail is null then 1 else 0 end, \
     case when p.mail is null then 0 else 1 end from r join campaign_recipient p on p.brand_id = r.brand_id \
     and p.request_id = r.request_id where p.mail is null or p.mail = 'accepted' and p.returned_at is null \
     on conflict (brand_id, campaign_id, part) do update \
     set failed = campaign_tally.failed + excluded.failed, returned = campaign_tally.returned + excluded.returned";
/// Of a complaint that names no mail, those count that wait for the person's answer. `p` is the recipient.
macro_rules! complained {
    ($recipient:literal) => {
        concat!(
            $recipient,
            ".brand_id = r.brand_id and ",
            $recipient,
            ".contact_id = r.contact_id and ",
            $recipient,
            ".complained_at is null and ",
            $recipient,
            ".request_id is not null and ",
            $recipient,
            ".state <> 'cancelled' and (",
            $recipient,
            ".request_id = r.request_id or r.request_id is null and ",
            $recipient,
            ".state = 'asked' and ",
            $recipient,
            ".mail = 'accepted' and exists (select 1 from request q where q.brand_id = ",
            $recipient,
            ".brand_id and q.id = ",
            $recipient,
            ".request_id and q.state in ('open', 'expired')))"
        )
    };
}
const PUT_COMPLAINED: &str = concat!(
    "update campaign_recipient set complained_at = r.at from r where ",
    complained!("campaign_recipient")
);
/// In front of `PUT_COMPLAINED`.
const TALLY_COMPLAINED: &str = concat!(
    "insert into campaign_tally (brand_id, campaign_id, part, accepted, failed, complained) \
     select p.brand_id, p.campaign_id, r.part, 0, 0, 1 from r join campaign_recipient p on ",
    complained!("p"),
    " order by p.brand_id, p.campaign_id on conflict (brand_id, campaign_id, part) do update \
     set complained = campaign_tally.complained + excluded.complained"
);
const COUNT_FATES: &str = "select cast(coalesce(sum(accepted + failed), 0) as bigint) as mails, \
     cast(coalesce(sum(failed + returned), 0) as bigint) as failed, \
     cast(coalesce(sum(complained), 0) as bigint) as complained \
     from campaign_tally where brand_id = $1 and campaign_id = $2";

/// The mail of a campaign's request was refused, or came back; `for_good`: it did not arrive.
pub fn put_returned(writes: &mut Writes, request: Key, for_good: bool, at: Timestamp) {
    let one = [request];
    let rows = || {
        Rows::of(&one)
            .uuid("brand_id", |key| key.0.0)
            .uuid("request_id", |key| key.1.0)
            .int("part", |key| part_of(key.1.0))
            .int("for_good", |_| i64::from(for_good))
            .int("at", |_| at.micros())
    };
    writes.add(TALLY_RETURNED, rows());
    writes.add(PUT_RETURNED, rows());
}

/// Somebody complained: about the mail of a request, or about one that nobody knows. In front of whatever ends the requests.
pub fn put_complained(
    writes: &mut Writes,
    (brand, contact): (BrandId, ContactId),
    request: Option<RequestId>,
    at: Timestamp,
) {
    let one = [(brand, contact, request)];
    let rows = || {
        Rows::of(&one)
            .uuid("brand_id", |one| one.0.0)
            .uuid("contact_id", |one| one.1.0)
            .uuid_or_null("request_id", |one| one.2.map(|id| id.0))
            .int("part", |one| part_of(one.1.0))
            .int("at", |_| at.micros())
    };
    writes.add(TALLY_COMPLAINED, rows());
    writes.add(PUT_COMPLAINED, rows());
}

/// What became of the people whom a campaign asked. Who was erased since stays counted.
pub async fn count(conn: &mut Conn, campaign: &CampaignRow) -> Result<Fates, StoreError> {
    let (mails, failed, complained): (i64, i64, i64) = on!(conn, driver => sqlx::query_as(COUNT_FATES)
        .bind(campaign.brand_id)
        .bind(campaign.id)
        .fetch_one(driver)
        .await?);
    Ok(Fates {
        mails,
        failed,
        complained,
    })
}

fn part_of(id: Uuid) -> i64 {
    i64::from(id.as_bytes()[15] % PARTS)
}

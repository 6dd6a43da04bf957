//! All that is known of whoever signs up, read for a whole batch at once.

use super::budgets::{Mailbox, MailboxHash, read_window};
use super::contacts::Contact;
use super::erased::AddressHash;
use super::joined::Joined;
use super::left::{self, Left};
use super::requests::RequestRow;
use super::set::Rows;
use super::{Conn, StoreError};
use crate::domain::ids::{BrandId, CampaignId, FormId, RequestId};
use crate::domain::time::Timestamp;

/// Whom a signup names, and the rates that it draws on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Who {
    pub brand_id: BrandId,
    pub address_key: String,
    pub address_hash: AddressHash,
    pub mailbox: MailboxHash,
    pub network: String,
    pub form: String,
}

/// What the store knows of it.
#[derive(Debug)]
pub struct Known {
    pub contact: Option<Contact>,
    /// The request of the contact whose mail is the newest.
    pub open: Option<RequestRow>,
    pub mailbox: Option<Mailbox>,
    /// When the address was last erased.
    pub erased_at: Option<Timestamp>,
    /// What it left, as lists told.
    pub left: Vec<Left>,
    pub network_arrival: Option<i64>,
    pub form_arrival: Option<i64>,
    pub installation_arrival: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    #[sqlx(flatten)]
    joined: Joined,
    request_id: Option<RequestId>,
    form_id: Option<FormId>,
    form_version: Option<String>,
    purposes: Option<String>,
    request_language: Option<String>,
    page_host: Option<String>,
    key_id: Option<i64>,
    state: Option<String>,
    mailed: Option<i64>,
    last_mail_at: Option<Timestamp>,
    follows_id: Option<RequestId>,
    code_tries: Option<i64>,
    other_tries: Option<i64>,
    openings: Option<i64>,
    issued_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    campaign_id: Option<CampaignId>,
    entered_at: Option<Timestamp>,
    look_at: Option<Timestamp>,
    corrections: Option<i64>,
    recent: Option<String>,
    suppressed_at: Option<Timestamp>,
    suppressed_for: Option<String>,
    erased_at: Option<Timestamp>,
    left_joined: Option<String>,
    network_arrival: Option<i64>,
    form_arrival: Option<i64>,
    installation_arrival: Option<i64>,
}

/// The key of the rate that all signups share.
pub const INSTALLATION: &str = "installation";

const FIND: &str = "select r.number, c.id, c.address, c.language, c.name, c.open_request_id, c.standings, c.created_at, \
     q.id as request_id, q.form_id, q.form_version, q.purposes, q.language as request_language, q.page_host, q.key_id, \
     q.state, q.mailed, q.last_mail_at, q.follows_id, q.code_tries, q.other_tries, q.openings, q.issued_at, q.expires_at, q.ended_at, \
     q.campaign_id, q.entered_at, q.look_at, q.corrections, \
     m.recent, m.suppressed_at, m.suppressed_for, e.erased_at, \
     (select group_concat(l.purpose || ' ' || l.left_at, ',') from left_elsewhere l \
     where l.brand_id = r.brand_id and l.hash = r.address_hash) as left_joined, \
     n.arrival as network_arrival, f.arrival as form_arrival, i.arrival as installation_arrival \
     from r \
     left join contact c on c.brand_id = r.brand_id and c.address_key = r.address_key \
     left join request q on q.brand_id = c.brand_id and q.id = c.open_request_id \
     left join mailbox m on m.brand_id = r.brand_id and m.hash = r.mailbox \
     left join erased_address e on e.brand_id = r.brand_id and e.hash = r.address_hash \
     left join rate n on n.key = r.network \
     left join rate f on f.key = r.form \
     left join rate i on i.key = 'installation' \
     where r.number is not null";
/// Two texts for the reason that `budgets.rs` gives.
const FIND_POSTGRES: &str = "select r.number, c.id, c.address, c.language, c.name, c.open_request_id, c.standings, c.created_at, \
     q.id as request_id, q.form_id, q.form_version, q.purposes, q.language as request_language, q.page_host, q.key_id, \
     q.state, q.mailed, q.last_mail_at, q.follows_id, q.code_tries, q.other_tries, q.openings, q.issued_at, q.expires_at, q.ended_at, \
     q.campaign_id, q.entered_at, q.look_at, q.corrections, \
     m.recent, m.suppressed_at, m.suppressed_for, e.erased_at, l.left_joined, \
     n.arrival as network_arrival, f.arrival as form_arrival, \
     (select arrival from rate where key = 'installation') as installation_arrival \
     from r \
     left join lateral (select * from contact t where t.brand_id = r.brand_id and t.address_key = r.address_key offset 0) c on true \
     left join lateral (select * from request t where t.brand_id = c.brand_id and t.id = c.open_request_id offset 0) q on true \
     left join lateral (select * from mailbox t where t.brand_id = r.brand_id and t.hash = r.mailbox offset 0) m on true \
     left join lateral (select * from erased_address t where t.brand_id = r.brand_id and t.hash = r.address_hash offset 0) e on true \
     left join lateral (select string_agg(t.purpose || ' ' || t.left_at, ',') as left_joined from left_elsewhere t \
     where t.brand_id = r.brand_id and t.hash = r.address_hash) l on true \
     left join lateral (select * from rate t where t.key = r.network offset 0) n on true \
     left join lateral (select * from rate t where t.key = r.form offset 0) f on true";

/// What is known of each, in their order. The caller holds the locks of all of them.
pub async fn find_known(tx: &mut Conn, all: &[Who]) -> Result<Vec<Known>, StoreError> {
    let numbered: Vec<(i64, &Who)> = (0..).zip(all).collect();
    let rows = Rows::of(&numbered)
        .int("number", |who| who.0)
        .uuid("brand_id", |who| who.1.brand_id.0)
        .text("address_key", |who| who.1.address_key.clone())
        .blob("address_hash", |who| who.1.address_hash.to_vec())
        .blob("mailbox", |who| who.1.mailbox.to_vec())
        .text("network", |who| who.1.network.clone())
        .text("form", |who| who.1.form.clone());
    let mut found: Vec<Row> = tx.read_set(tx.text(FIND, FIND_POSTGRES), rows).await?;
    found.sort_unstable_by_key(|row| row.number);
    if found.len() != all.len() {
        return Err(StoreError::Corrupt("a signup's contact stands there twice"));
    }
    found
        .into_iter()
        .zip(all)
        .map(|(row, who)| row.read(who))
        .collect()
}

impl Row {
    fn read(self, who: &Who) -> Result<Known, StoreError> {
        Ok(Known {
            erased_at: self.erased_at,
            left: match self.left_joined.as_deref() {
                None => Vec::new(),
                Some(text) => left::read_joined(text)?,
            },
            network_arrival: self.network_arrival,
            form_arrival: self.form_arrival,
            installation_arrival: self.installation_arrival,
            mailbox: self.mailbox(who)?,
            open: self.open(who),
            contact: self
                .joined
                .contact(who.brand_id, (&who.address_key, &who.mailbox))?,
        })
    }

    fn mailbox(&self, who: &Who) -> Result<Option<Mailbox>, StoreError> {
        let Some(recent) = &self.recent else {
            return Ok(None);
        };
        Ok(Some(Mailbox {
            brand_id: who.brand_id,
            hash: who.mailbox,
            window: read_window(recent)?,
            suppressed_at: self.suppressed_at,
            suppressed_for: self.suppressed_for.clone(),
        }))
    }

    fn open(&self, who: &Who) -> Option<RequestRow> {
        Some(RequestRow {
            brand_id: who.brand_id,
            id: self.request_id?,
            contact_id: self.joined.id?,
            form_id: self.form_id?,
            form_version: self.form_version.clone()?,
            purposes: self.purposes.clone()?,
            language: self.request_language.clone()?,
            page_host: self.page_host.clone(),
            key_id: self.key_id?,
            state: self.state.clone()?,
            mailed: self.mailed?,
            last_mail_at: self.last_mail_at?,
            follows_id: self.follows_id,
            code_tries: self.code_tries?,
            other_tries: self.other_tries?,
            openings: self.openings?,
            issued_at: self.issued_at?,
            expires_at: self.expires_at?,
            ended_at: self.ended_at,
            campaign_id: self.campaign_id,
            entered_at: self.entered_at,
            look_at: self.look_at?,
            corrections: self.corrections?,
        })
    }
}

//! What is known of those whom a list names. Most of a list is strangers, of whom there is nothing to read: only whoever is
//! known comes over from the database, and only what an import asks for.

use std::collections::HashMap;

use super::budgets::MailboxHash;
use super::contacts::Contact;
use super::erased::AddressHash;
use super::joined::Joined;
use super::left::{self, Left};
use super::set::Rows;
use super::{Conn, StoreError};
use crate::domain::ids::BrandId;
use crate::domain::time::Timestamp;

/// Whom a row of a list names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    pub brand_id: BrandId,
    pub address_key: String,
    pub address_hash: AddressHash,
    pub mailbox: MailboxHash,
}

/// What the store knows of it; nothing of a stranger.
#[derive(Debug, Default)]
pub struct Known {
    pub contact: Option<Contact>,
    /// Nothing may be mailed to its mailbox.
    pub suppressed: bool,
    /// The address was erased.
    pub erased: bool,
    /// What it left, as lists told.
    pub left: Vec<Left>,
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    #[sqlx(flatten)]
    joined: Joined,
    suppressed_at: Option<Timestamp>,
    erased_at: Option<Timestamp>,
    left_joined: Option<String>,
}

const FIND: &str = "select r.number, c.id, c.address, c.language, c.name, c.open_request_id, c.standings, c.created_at, \
     m.suppressed_at, e.erased_at, \
     (select group_concat(l.purpose || ' ' || l.left_at, ',') from left_elsewhere l \
     where l.brand_id = r.brand_id and l.hash = r.address_hash) as left_joined \
     from r \
     left join contact c on c.brand_id = r.brand_id and c.address_key = r.address_key \
     left join mailbox m on m.brand_id = r.brand_id and m.hash = r.mailbox \
     left join erased_address e on e.brand_id = r.brand_id and e.hash = r.address_hash \
     where r.number is not null and (c.id is not null or m.suppressed_at is not null or e.erased_at is not null \
     or exists (select 1 from left_elsewhere l where l.brand_id = r.brand_id and l.hash = r.address_hash))";
/// Two texts for the reason that `budgets.rs` gives.
const FIND_POSTGRES: &str = "select r.number, c.id, c.address, c.language, c.name, c.open_request_id, c.standings, c.created_at, \
     m.suppressed_at, e.erased_at, l.left_joined \
     from r \
     left join lateral (select * from contact t where t.brand_id = r.brand_id and t.address_key = r.address_key offset 0) c on true \
     left join lateral (select * from mailbox t where t.brand_id = r.brand_id and t.hash = r.mailbox offset 0) m on true \
     left join lateral (select * from erased_address t where t.brand_id = r.brand_id and t.hash = r.address_hash offset 0) e on true \
     left join lateral (select string_agg(t.purpose || ' ' || t.left_at, ',') as left_joined from left_elsewhere t \
     where t.brand_id = r.brand_id and t.hash = r.address_hash) l on true \
     where c.id is not null or m.suppressed_at is not null or e.erased_at is not null or l.left_joined is not null";

/// What is known of each, in their order. The caller holds the locks of all of them.
pub async fn find(tx: &mut Conn, all: &[Named]) -> Result<Vec<Known>, StoreError> {
    let numbered: Vec<(i64, &Named)> = (0..).zip(all).collect();
    let rows = Rows::of(&numbered)
        .int("number", |who| who.0)
        .uuid("brand_id", |who| who.1.brand_id.0)
        .text("address_key", |who| who.1.address_key.clone())
        .blob("address_hash", |who| who.1.address_hash.to_vec())
        .blob("mailbox", |who| who.1.mailbox.to_vec());
    let found: Vec<Row> = tx.read_set(tx.text(FIND, FIND_POSTGRES), rows).await?;
    let count = found.len();
    let mut found: HashMap<i64, Row> = found.into_iter().map(|row| (row.number, row)).collect();
    if found.len() != count {
        return Err(StoreError::Corrupt("a row's contact stands there twice"));
    }
    let read = |(number, who): &(i64, &Named)| match found.remove(number) {
        None => Ok(Known::default()),
        Some(row) => row.read(who),
    };
    numbered.iter().map(read).collect()
}

impl Row {
    fn read(self, who: &Named) -> Result<Known, StoreError> {
        Ok(Known {
            suppressed: self.suppressed_at.is_some(),
            erased: self.erased_at.is_some(),
            left: match self.left_joined.as_deref() {
                None => Vec::new(),
                Some(text) => left::read_joined(text)?,
            },
            contact: self
                .joined
                .contact(who.brand_id, (&who.address_key, &who.mailbox))?,
        })
    }
}

//! The common texts that sent mails are compressed against.

use super::set::{Rows, Writes};
use super::{Conn, StoreError, on};

/// The beginning of the SHA-256 of its bytes, so that the same text never stands there twice.
pub type DictionaryId = i64;

const PUT: &str = "insert into mail_dictionary (id, bytes) select id, bytes from r where id is not null \
     on conflict (id) do nothing";
const FIND: &str = "select bytes from mail_dictionary where id = $1";

pub fn put_dictionaries(writes: &mut Writes, dictionaries: &[(DictionaryId, Vec<u8>)]) {
    let rows = Rows::of(dictionaries)
        .int("id", |one| one.0)
        .blob("bytes", |one| one.1.clone());
    writes.add(PUT, rows);
}

pub async fn find_dictionary(
    conn: &mut Conn,
    id: DictionaryId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<(Vec<u8>,)> =
        on!(conn, driver => sqlx::query_as(FIND).bind(id).fetch_optional(driver).await?);
    Ok(found.map(|row| row.0))
}

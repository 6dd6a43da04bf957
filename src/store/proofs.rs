//! Files of proof, each once for a brand, by their hashes; and who refers to them. Whoever refers to a file, and whoever removes
//! files that nobody refers to, holds the brand's lock of proofs (`Locks::proofs`).

use uuid::Uuid;

use super::set::{ROWS_AT_MOST, Rows, Writes};
use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId, ImportId};
use crate::domain::time::Timestamp;

/// SHA-256 of a file's content.
pub type FileHash = [u8; 32];

/// Files that are kept for one brand at most.
pub const FILES_AT_MOST: i64 = 100_000;

/// A file as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRow {
    pub brand_id: BrandId,
    pub sha256: FileHash,
    pub content: Vec<u8>,
    pub kept_at: Timestamp,
}

/// An import, or a contact by one of its rows, that rests on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub brand_id: BrandId,
    pub sha256: FileHash,
    pub import_id: ImportId,
    /// None: the whole import refers to it.
    pub contact_id: Option<ContactId>,
}

const PUT: &str = "insert into proof_file (brand_id, sha256, bytes, content, kept_at) \
     select brand_id, sha256, bytes, content, kept_at from r where brand_id is not null \
     on conflict (brand_id, sha256) do nothing";
const REFER: &str = "insert into proof_reference (brand_id, sha256, import_id, contact_id) \
     select brand_id, sha256, import_id, contact_id from r where brand_id is not null \
     on conflict (brand_id, sha256, import_id, contact_id) do nothing";
const LIST_KEPT: &str = "select f.sha256 from r cross join proof_file f \
     where f.brand_id = r.brand_id and f.sha256 = r.sha256";
const COUNT: &str = "select count(*) from proof_file where brand_id = $1";
const FIND: &str = "select content from proof_file where brand_id = $1 and sha256 = $2";
const LIST_OF: &str =
    "select distinct sha256 from proof_reference where brand_id = $1 and contact_id = $2";
const DELETE_OF: &str = "delete from proof_reference where brand_id = $1 and contact_id = $2";
const DELETE_UNUSED: &str = "delete from proof_file where brand_id = $1 and sha256 = $2 and not exists \
     (select 1 from proof_reference p where p.brand_id = proof_file.brand_id and p.sha256 = proof_file.sha256)";

const NEXT_FILE: &str = "select brand_id, sha256, content from proof_file \
     where (brand_id, sha256) > ($1, $2) order by brand_id, sha256 limit 1";
const LIST_GONE: &str = "select distinct p.brand_id, p.sha256 from proof_reference p where not exists \
     (select 1 from proof_file f where f.brand_id = p.brand_id and f.sha256 = p.sha256) limit $1";

/// A file as it is read again, whatever stands there.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeptFile {
    pub brand_id: BrandId,
    pub sha256: Vec<u8>,
    pub content: Vec<u8>,
}

/// The file behind another, in the order of brands and hashes.
pub async fn next_file(
    conn: &mut Conn,
    after: (BrandId, &[u8]),
) -> Result<Option<KeptFile>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(NEXT_FILE)
        .bind(after.0)
        .bind(after.1)
        .fetch_optional(driver)
        .await?))
}

/// Files that somebody refers to and that are not there.
pub async fn list_gone(conn: &mut Conn, limit: i64) -> Result<Vec<(BrandId, Vec<u8>)>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST_GONE)
        .bind(limit)
        .fetch_all(driver)
        .await?))
}

/// Keeps files that are not kept yet.
pub fn put(writes: &mut Writes, files: &[ProofRow]) {
    for part in files.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |file| file.brand_id.0)
            .blob("sha256", |file| file.sha256.to_vec())
            .int("bytes", |file| {
                i64::try_from(file.content.len()).unwrap_or(i64::MAX)
            })
            .blob("content", |file| file.content.clone())
            .int("kept_at", |file| file.kept_at.micros());
        writes.add(PUT, rows);
    }
}

pub fn refer(writes: &mut Writes, references: &[Reference]) {
    for part in references.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |one| one.brand_id.0)
            .blob("sha256", |one| one.sha256.to_vec())
            .uuid("import_id", |one| one.import_id.0)
            .uuid("contact_id", |one| {
                one.contact_id.map_or(Uuid::nil(), |id| id.0)
            });
        writes.add(REFER, rows);
    }
}

/// Those of these files that are kept.
pub async fn list_kept(
    conn: &mut Conn,
    brand: BrandId,
    files: &[FileHash],
) -> Result<Vec<FileHash>, StoreError> {
    let mut kept = Vec::new();
    for part in files.chunks(ROWS_AT_MOST) {
        let rows = Rows::of(part)
            .uuid("brand_id", |_| brand.0)
            .blob("sha256", |hash| hash.to_vec());
        let found: Vec<(Vec<u8>,)> = conn.read_set(LIST_KEPT, rows).await?;
        for (hash,) in found {
            kept.push(read_hash(hash)?);
        }
    }
    Ok(kept)
}

fn read_hash(hash: Vec<u8>) -> Result<FileHash, StoreError> {
    hash.try_into()
        .map_err(|_| StoreError::Corrupt("the hash of a file of proof"))
}

/// How many files are kept for a brand.
pub async fn count(conn: &mut Conn, brand: BrandId) -> Result<i64, StoreError> {
    let (count,): (i64,) =
        on!(conn, driver => sqlx::query_as(COUNT).bind(brand).fetch_one(driver).await?);
    Ok(count)
}

/// A file's content.
pub async fn find(
    conn: &mut Conn,
    brand: BrandId,
    sha256: &FileHash,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<(Vec<u8>,)> = on!(conn, driver => sqlx::query_as(FIND)
        .bind(brand)
        .bind(&sha256[..])
        .fetch_optional(driver)
        .await?);
    Ok(found.map(|one| one.0))
}

/// Takes an erased contact's references away, and the files that nobody refers to any more; answers with their number.
pub async fn delete_of(
    tx: &mut Conn,
    brand: BrandId,
    contact: ContactId,
) -> Result<u64, StoreError> {
    let files: Vec<(Vec<u8>,)> = on!(tx, driver => sqlx::query_as(LIST_OF)
        .bind(brand)
        .bind(contact)
        .fetch_all(driver)
        .await?);
    if files.is_empty() {
        return Ok(0);
    }
    on!(tx, driver => { sqlx::query(DELETE_OF).bind(brand).bind(contact).execute(driver).await?; });
    let mut deleted = 0;
    for (sha256,) in files {
        deleted += on!(tx, driver => sqlx::query(DELETE_UNUSED)
            .bind(brand)
            .bind(&sha256)
            .execute(driver)
            .await?
            .rows_affected());
    }
    Ok(deleted)
}

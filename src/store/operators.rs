//! Operators: who they are, what they may do, how they prove it.

use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, OperatorId};
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OperatorRow {
    pub id: OperatorId,
    pub name: String,
    pub password_hash: String,
    pub role: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// A JSON list of brand ids; empty for all.
    pub brands: String,
    pub totp_number: Option<Vec<u8>>,
    pub totp_key_id: Option<i64>,
    pub totp_step: i64,
}

impl OperatorRow {
    pub fn read(&self) -> Result<Operator, StoreError> {
        Ok(Operator {
            id: self.id,
            name: self.name.clone(),
            role: Role::parse(&self.role).ok_or(StoreError::Corrupt("operator"))?,
            brands: serde_json::from_str(&self.brands)
                .map_err(|_| StoreError::Corrupt("operator"))?,
        })
    }

    /// The key id and the number that the secret of the one-time codes comes from; none where they are not set up.
    pub fn totp(&self) -> Option<(u8, [u8; 16])> {
        let key_id = u8::try_from(self.totp_key_id?).ok()?;
        let number = self.totp_number.as_deref()?.try_into().ok()?;
        Some((key_id, number))
    }
}

macro_rules! columns {
    () => {
        "o.id, o.name, o.password_hash, o.role, o.created_at, o.disabled_at, o.brands, o.totp_number, o.totp_key_id, o.totp_step"
    };
}
pub(super) use columns;

const INSERT: &str = "insert into operator (id, name, password_hash, role, created_at, brands) \
     values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing";
const FIND: &str = concat!("select ", columns!(), " from operator o where o.name = $1");
const FIND_BY_ID: &str = concat!("select ", columns!(), " from operator o where o.id = $1");
const LIST: &str = concat!(
    "select ",
    columns!(),
    " from operator o order by o.name limit 1000"
);
const SET_PASSWORD: &str = "update operator set password_hash = $2 where name = $1";
const DISABLE: &str =
    "update operator set disabled_at = $2 where name = $1 and disabled_at is null";
const CHANGE: &str = "update operator set role = $2, brands = $3 where id = $1";
const COUNT_OWNERS: &str =
    "select count(*) from operator where role = 'owner' and brands = '[]' and disabled_at is null";
const SET_TOTP: &str =
    "update operator set totp_number = $2, totp_key_id = $3, totp_step = $4 where id = $1";
const TAKE_STEP: &str = "update operator set totp_step = $2 where id = $1 and totp_step < $2";
const FORGET_CODES: &str = "delete from recovery_code where operator_id = $1";
const ADD_CODE: &str = "insert into recovery_code (operator_id, hash) values ($1, $2)";
const USE_CODE: &str = "delete from recovery_code where operator_id = $1 and hash = $2";
const COUNT_CODES: &str = "select count(*) from recovery_code where operator_id = $1";

/// Adds an operator; false if the name is taken.
pub async fn insert(tx: &mut Conn, operator: &OperatorRow) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(INSERT)
        .bind(operator.id)
        .bind(&operator.name)
        .bind(&operator.password_hash)
        .bind(&operator.role)
        .bind(operator.created_at)
        .bind(&operator.brands)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND).bind(name).fetch_optional(driver).await?))
}

pub async fn find_by_id(
    conn: &mut Conn,
    id: OperatorId,
) -> Result<Option<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_BY_ID).bind(id).fetch_optional(driver).await?))
}

/// All operators by name; the first 1,000.
pub async fn list(conn: &mut Conn) -> Result<Vec<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST).fetch_all(driver).await?))
}

/// Changes a password; false if there is no such operator.
pub async fn set_password(tx: &mut Conn, name: &str, hash: &str) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(SET_PASSWORD)
        .bind(name)
        .bind(hash)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Disables an operator; false if there is no such operator in use.
pub async fn disable(tx: &mut Conn, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(DISABLE)
        .bind(name)
        .bind(now)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Changes what an operator may do.
pub async fn change(
    tx: &mut Conn,
    id: OperatorId,
    role: Role,
    brands: &[BrandId],
) -> Result<(), StoreError> {
    let brands = serde_json::to_string(brands).unwrap_or_default();
    on!(tx, driver => {
        sqlx::query(CHANGE).bind(id).bind(role.as_str()).bind(&brands).execute(driver).await?;
    });
    Ok(())
}

/// How many are owners of everything and not disabled.
pub async fn count_owners(conn: &mut Conn) -> Result<i64, StoreError> {
    let (count,): (i64,) =
        on!(conn, driver => sqlx::query_as(COUNT_OWNERS).fetch_one(driver).await?);
    Ok(count)
}

/// Sets up one-time codes, or takes them away; `step` is that of the code which proved that they work.
pub async fn set_totp(
    tx: &mut Conn,
    id: OperatorId,
    totp: Option<(u8, [u8; 16])>,
    step: i64,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(SET_TOTP)
            .bind(id)
            .bind(totp.map(|totp| totp.1.to_vec()))
            .bind(totp.map(|totp| i64::from(totp.0)))
            .bind(step)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Marks a code's step as used; false if it, or a later one, was used before.
pub async fn take_step(tx: &mut Conn, id: OperatorId, step: i64) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(TAKE_STEP)
        .bind(id)
        .bind(step)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Puts new recovery codes, as their SHA-256, in the place of all that there were.
pub async fn put_recovery_codes(
    tx: &mut Conn,
    id: OperatorId,
    hashes: &[[u8; 32]],
) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(FORGET_CODES).bind(id).execute(driver).await?; });
    for hash in hashes {
        on!(tx, driver => {
            sqlx::query(ADD_CODE).bind(id).bind(&hash[..]).execute(driver).await?;
        });
    }
    Ok(())
}

/// Uses up a recovery code; false if there is none such.
pub async fn use_recovery_code(
    tx: &mut Conn,
    id: OperatorId,
    hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(USE_CODE)
        .bind(id)
        .bind(&hash[..])
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

pub async fn count_recovery_codes(conn: &mut Conn, id: OperatorId) -> Result<i64, StoreError> {
    let (count,): (i64,) =
        on!(conn, driver => sqlx::query_as(COUNT_CODES).bind(id).fetch_one(driver).await?);
    Ok(count)
}

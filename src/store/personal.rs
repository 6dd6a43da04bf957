//! What the tables hold of one contact beside itself, its events and its requests: for a copy of the person's data.

use super::{Conn, StoreError, on};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::time::Timestamp;

/// A mail that was not sent yet, or could not be.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Unsent {
    pub template: String,
    pub state: String,
    pub due_at: Timestamp,
    pub tries: i64,
    pub first_try_at: Option<Timestamp>,
    pub message_id: Option<String>,
    pub last_reply: Option<String>,
}

/// A campaign that asked the contact, or will.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InCampaign {
    pub name: String,
    pub state: String,
    pub why: Option<String>,
    pub source: Option<String>,
    pub mail: Option<String>,
    pub asked_at: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
}

/// A file of proof that the contact's rows refer to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProofOf {
    pub sha256: Vec<u8>,
    pub bytes: i64,
    pub kept_at: Timestamp,
    pub import: String,
}

/// What another program was told of the contact.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToldTo {
    pub url: String,
    pub kind: String,
    pub state: String,
    pub last_try_at: Option<Timestamp>,
}

const UNSENT: &str = "select template, state, due_at, tries, first_try_at, message_id, last_reply from outbox \
     where brand_id = $1 and contact_id = $2 order by due_at, id limit $3";
const CAMPAIGNS: &str = "select c.name, p.state, p.why, p.source, p.mail, p.asked_at, p.reminded_at from campaign_recipient p \
     join campaign c on c.brand_id = p.brand_id and c.id = p.campaign_id \
     where p.brand_id = $1 and p.contact_id = $2 order by p.campaign_id limit $3";
const PROOFS: &str = "select f.sha256, f.bytes, f.kept_at, i.name as import from proof_reference p \
     join proof_file f on f.brand_id = p.brand_id and f.sha256 = p.sha256 \
     join import i on i.brand_id = p.brand_id and i.id = p.import_id \
     where p.brand_id = $1 and p.contact_id = $2 order by f.kept_at, f.sha256 limit $3";
const TOLD: &str = "select w.url, m.type as kind, m.state, m.last_try_at from webhook_message m \
     join webhook w on w.id = m.webhook_id \
     where m.brand_id = $1 and m.contact_id = $2 order by m.position, w.id limit $3";

/// Rows of each kind at most.
const ROWS: i64 = 10_000;

macro_rules! listed {
    ($(#[$doc:meta])* $name:ident, $sql:ident, $row:ty) => {
        $(#[$doc])*
        pub async fn $name(
            conn: &mut Conn,
            brand: BrandId,
            contact: ContactId,
        ) -> Result<Vec<$row>, StoreError> {
            Ok(on!(conn, driver => sqlx::query_as($sql)
                .bind(brand)
                .bind(contact)
                .bind(ROWS)
                .fetch_all(driver)
                .await?))
        }
    };
}

listed! {
    /// The contact's mails that wait or failed; the first 10,000.
    list_unsent, UNSENT, Unsent
}
listed! {
    /// The campaigns that have the contact; the first 10,000.
    list_campaigns, CAMPAIGNS, InCampaign
}
listed! {
    /// The files of proof that are kept for the contact by itself; the first 10,000.
    list_proofs, PROOFS, ProofOf
}
listed! {
    /// What webhooks told of the contact, as long as it is kept; the first 10,000.
    list_told, TOLD, ToldTo
}

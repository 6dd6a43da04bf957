//! A type of its own for every id, so that a request's id never passes for a contact's.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A brand: the one who asks. Nothing is shared between two brands.
    BrandId,
    FormId,
    /// One address of one brand.
    ContactId,
    /// One confirmation request: what one link and one code stand for.
    RequestId,
    EventId,
    OutboxId,
    /// One import: a file that was read once.
    ImportId,
    CampaignId,
    OperatorId,
    /// A key that a program brings.
    ApiKeyId,
    WebhookId,
}

/// When an id was made, to the millisecond: version 7 begins with its time. None of an id of another version.
pub fn made_at(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
    Some(Timestamp::from_micros(micros + i64::from(nanos / 1_000)))
}

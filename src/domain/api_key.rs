//! Keys for programs: what one may do, for whom, and until when.

use super::ids::{ApiKeyId, BrandId};
use super::time::Timestamp;

/// What every key begins with, so that one which got lost can be told from other secrets.
pub const PREFIX: &str = "csk_";

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// One thing that a key may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$doc])* $name),+ }

        impl Scope {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

scopes! {
    /// Start a double opt-in.
    SignupsWrite = "signups:write",
    /// Withdraw somebody who said so elsewhere.
    WithdrawalsWrite = "withdrawals:write",
    /// Report when people last used what they agreed to.
    UseWrite = "use:write",
    /// Ask whether addresses may be mailed.
    PermissionsRead = "permissions:read",
    /// Read contacts, their standings and their events.
    ContactsRead = "contacts:read",
    /// Write notes into a contact's story, and add proof to what an import claimed of it.
    ContactsWrite = "contacts:write",
    /// Get the links by which people leave and choose, for mails that the program sends: whoever has them acts for the person.
    LinksRead = "links:read",
    /// Take out a contact's evidence bundle.
    EvidenceRead = "evidence:read",
    /// Read the feed of events.
    EventsRead = "events:read",
    /// Erase contacts.
    ContactsErase = "contacts:erase",
    /// Read what is declared: brands, purposes, forms.
    CatalogRead = "catalog:read",
    /// Declare brands, purposes and forms.
    CatalogWrite = "catalog:write",
    /// See imports and how far they are.
    ImportsRead = "imports:read",
    /// Bring lists, try them, take them in and back, and fetch their reports.
    ImportsWrite = "imports:write",
    /// See campaigns and how far they are.
    CampaignsRead = "campaigns:read",
    /// Count, start, pause and cancel campaigns, and release requests.
    CampaignsWrite = "campaigns:write",
    /// Ask which addresses get no mail any more.
    SuppressionsRead = "suppressions:read",
    /// Keep the brand from a mailbox, and let it write again.
    SuppressionsWrite = "suppressions:write",
    /// See which contacts are held for a claim.
    HoldsRead = "holds:read",
    /// Hold contacts for a claim, and lift that.
    HoldsWrite = "holds:write",
    /// See mails that wait, are held or failed, with what servers replied.
    OutboxRead = "outbox:read",
    /// Have failed mails tried again, and let held ones go.
    OutboxWrite = "outbox:write",
    /// Read how signups go: numbers of nobody.
    FiguresRead = "figures:read",
    /// Read the consent policy, and have it explain a case.
    PolicyRead = "policy:read",
    /// See how the log of evidence stands: checkpoints, timestamps, audits.
    LogRead = "log:read",
    /// Have the log checked and timestamped.
    LogWrite = "log:write",
    /// See webhooks and their deliveries.
    WebhooksRead = "webhooks:read",
    /// Add, change, test and remove webhooks.
    WebhooksWrite = "webhooks:write",
}

impl Scope {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
    }
}

/// A key as it is known; the secret itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// The only brand that it sees; none for all.
    pub brand: Option<BrandId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The last day on which it was used, counted since 1970.
    pub used_day: Option<i64>,
}

impl ApiKey {
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    pub fn sees(&self, brand: BrandId) -> bool {
        self.brand.is_none_or(|only| only == brand)
    }

    /// Neither revoked nor over.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// The day of an instant, counted since 1970 in UTC.
pub const fn day_of(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_back_from_its_name() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        assert_eq!(Scope::parse("everything"), None);
    }
}

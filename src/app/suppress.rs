//! Mailboxes that a brand does not write to, and letting it write again.

use super::App;
use super::permit::{Unanswerable, parse_address};
use super::record::About;
use crate::domain::brand::Brand;
use crate::domain::event::Fact;
use crate::domain::standing::apply;
use crate::domain::time::Timestamp;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, budgets, contacts, events};

/// Since when nothing is sent to a mailbox, and why: `declined`, `complained` or `bounced`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    pub since: Timestamp,
    pub reason: String,
}

impl App {
    /// Whether the brand keeps from writing to the mailbox of an address.
    pub async fn suppressed(
        &self,
        brand: &Brand,
        address: &str,
    ) -> Result<Option<Suppressed>, Unanswerable> {
        let address = parse_address(address)?;
        let hash = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        let mut conn = self.store.read().await?;
        let found = budgets::find_mailboxes(&mut conn, &[(brand.id, hash)]).await?;
        Ok(found
            .into_iter()
            .next()
            .and_then(|mailbox| suppression(&mailbox)))
    }

    /// Lets the brand write to the mailbox again, as it may then: what was withdrawn or declined stays so until the person
    /// confirms anew. Answers with what was lifted; none where nothing was. When this returns it is on disk.
    pub async fn lift_suppression(
        &self,
        brand: &Brand,
        address: &str,
        reason: &str,
    ) -> Result<Option<Suppressed>, Unanswerable> {
        let address = parse_address(address)?;
        let mailbox = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        let lifted = decided(|| self.try_lift(brand, address.key(), mailbox, reason)).await?;
        Ok(lifted)
    }

    async fn try_lift(
        &self,
        brand: &Brand,
        address_key: &str,
        hash: budgets::MailboxHash,
        reason: &str,
    ) -> Result<Option<Suppressed>, StoreError> {
        let mut locks = Locks::default();
        locks.contact(brand.id, address_key);
        locks.mailbox(brand.id, &hash);
        let mut held = self.store.hold(locks).await?;
        let found = budgets::find_mailboxes(held.conn(), &[(brand.id, hash)]).await?;
        let Some((mut mailbox, was)) = found.into_iter().find_map(|mailbox| {
            let was = suppression(&mailbox)?;
            Some((mailbox, was))
        }) else {
            return Ok(None);
        };
        let contact = contacts::find(held.conn(), brand.id, address_key).await?;
        mailbox.suppressed_at = None;
        mailbox.suppressed_for = None;
        let mut writes = Writes::default();
        budgets::put_mailboxes(&mut writes, &[mailbox]);
        if let Some(mut contact) = contact {
            let now = self.clock.now();
            let fact = Fact::SuppressionLifted {
                was: was.reason.clone(),
                reason: reason.to_owned(),
            };
            apply(&mut contact.standings, &fact, now);
            let about = About {
                brand: brand.id,
                contact: contact.id,
                request: None,
            };
            let event = self.work().record(about, now, fact)?;
            let standing = (contact.brand_id, contact.id, &contact.standings);
            contacts::put_standings(&mut writes, &[standing]);
            events::append(&mut writes, &[event]);
        }
        held.finish(writes).await?;
        Ok(Some(was))
    }
}

fn suppression(mailbox: &budgets::Mailbox) -> Option<Suppressed> {
    Some(Suppressed {
        since: mailbox.suppressed_at?,
        reason: mailbox.suppressed_for.clone().unwrap_or_default(),
    })
}

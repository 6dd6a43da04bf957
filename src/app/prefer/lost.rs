//! A fresh link to the preferences, by mail, for people who have lost theirs. Nothing in the answer, nor in what is written,
//! tells whether the address is known.

use uuid::Uuid;

use crate::app::App;
use crate::app::sign_up::{NOTHING, PREFERENCES, empty_mailbox, rate_key};
use crate::domain::brand::Brand;
use crate::domain::budget::{Occasion, Rate};
use crate::domain::circumstances::Circumstances;
use crate::domain::email_address::{AddressProblem, AddressRules, EmailAddress};
use crate::domain::ids::{ContactId, FormId, OutboxId, RequestId};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::set::Writes;
use crate::store::{StoreError, budgets, contacts};

/// Why no link was asked for: only ever about what was typed.
#[derive(Debug)]
pub enum NotAsked {
    Address(AddressProblem),
    Store(StoreError),
}

/// What stands for "no form" in a mailbox's budget.
const NO_FORM: FormId = FormId(Uuid::nil());

impl App {
    /// Sends the link, if the address is known, may be written to, and mailbox and network have not used up their mails.
    pub async fn send_preferences(
        &self,
        brand: &Brand,
        typed: &str,
        circumstances: &Circumstances,
    ) -> Result<(), NotAsked> {
        let rules = AddressRules {
            any_domain: self.config.any_domain,
        };
        let address = EmailAddress::parse(typed, &rules).map_err(NotAsked::Address)?;
        let network = rate_key("network", &circumstances.network());
        let asked = decided(|| self.try_send_preferences(brand, &address, &network)).await;
        asked.map_err(NotAsked::Store)?;
        self.live.mail_queued();
        Ok(())
    }

    async fn try_send_preferences(
        &self,
        brand: &Brand,
        address: &EmailAddress,
        network: &str,
    ) -> Result<(), StoreError> {
        let hash = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        let mut locks = Locks::default();
        locks.mailbox(brand.id, &hash);
        locks.rate(network);
        let mut held = self.store.hold(locks).await?;
        let conn = held.conn();
        let contact = contacts::find(conn, brand.id, address.key()).await?;
        let found = budgets::find_mailboxes(conn, &[(brand.id, hash)]).await?;
        let mut mailbox = found
            .into_iter()
            .next()
            .unwrap_or_else(|| empty_mailbox(brand.id, hash));
        let keys = [network.to_owned()];
        let arrival = budgets::find_rates(conn, &keys).await?.pop();
        let now = self.clock.now();
        let limits = &self.config.limits;
        let rate = Rate {
            an_hour: limits.per_network_an_hour,
        };
        let before = arrival.map(|one| one.1);
        let moved = rate
            .take(before, now)
            .map(|next| next - before.unwrap_or(0).max(now.micros()));
        let goes = moved.is_ok()
            && mailbox.suppressed_at.is_none()
            && mailbox.window.take(Occasion::Resend, NO_FORM, now, limits);
        let known = contact.filter(|_| goes);
        let row = OutboxRow {
            id: OutboxId(self.random.uuid_v7(now)),
            brand_id: brand.id,
            request_id: RequestId(self.random.uuid_v7(now)),
            template: if known.is_some() {
                PREFERENCES
            } else {
                NOTHING
            }
            .to_owned(),
            contact_id: known.map_or_else(|| ContactId(self.random.uuid_v7(now)), |one| one.id),
            recipient_domain: address.domain().to_owned(),
            due_at: now,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        };
        // The same rows for every address: otherwise the time of the answer would tell.
        let mut writes = Writes::default();
        outbox::insert(&mut writes, &[row]);
        budgets::put_mailboxes(&mut writes, &[mailbox]);
        budgets::add_rates(
            &mut writes,
            &[(network.to_owned(), moved.unwrap_or(0))],
            now,
        );
        held.finish(writes).await
    }
}

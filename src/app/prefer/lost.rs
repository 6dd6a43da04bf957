//! A fresh link to the preferences, by mail, for people who have lost theirs. Nothing in the answer, nor in what is written,
//! tells whether the address is known.

use uuid::Uuid;

use crate::app::App;
use crate::app::rates::{HELD_AT_MOST, INSTALLATION, NOBODY, Rates, refused};
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
        let now = self.clock.now();
        let limits = &self.config.limits;
        let keys = [network, INSTALLATION, NOBODY].map(str::to_owned);
        let mut rates = Rates::read(conn, &keys, now).await?;
        let rate = Rate {
            an_hour: limits.per_network_an_hour,
        };
        let next = rates.next(network, rate);
        let mut window = mailbox.window.clone();
        let goes = next.is_some()
            && mailbox.suppressed_at.is_none()
            && (window.take(Occasion::Resend, NO_FORM, now, limits) || {
                refused("mailbox");
                false
            });
        let an_hour = limits.per_installation_an_hour;
        // Decided whatever is known of the address.
        let reserved = rates.reserve([(INSTALLATION.to_owned(), an_hour)], HELD_AT_MOST);
        let reserved = reserved.filter(|_| goes && contact.is_some());
        let known = contact.filter(|_| reserved.is_some());
        // Only a mail that is queued draws on its mailbox and on the installation: whoever types somebody's address here must
        // not use up the mails that this person asks for elsewhere.
        if known.is_some() {
            mailbox.window = window;
        }
        let mut due_at = now;
        if let Some(next) = next {
            rates.move_to(network.to_owned(), next);
            if let Some(reserved) = reserved {
                due_at = rates.take(reserved);
            } else {
                let (arrival, _) = Rate { an_hour }.reserve(rates.arrival(NOBODY), now);
                rates.move_to(NOBODY.to_owned(), arrival);
            }
        }
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
            due_at,
            tries: 0,
            first_try_at: None,
            message_id: None,
            ambiguous: 0,
        };
        // The same rows for every address: otherwise the time of the answer would tell.
        let mut writes = Writes::default();
        outbox::insert(&mut writes, &[row]);
        budgets::put_mailboxes(&mut writes, &[mailbox]);
        budgets::add_rates(&mut writes, &rates.moved(), now);
        held.finish(writes).await
    }
}

//! May this address be mailed, and the story behind the answer.

use std::collections::HashMap;

use super::App;
use super::judge::suppressed_among;
use super::record::{read_body, walk};
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::{AddressProblem, AddressRules, EmailAddress};
use crate::domain::event::Event;
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::permission::Permission;
use crate::domain::standing::{Standings, apply};
use crate::domain::time::Timestamp;
use crate::store::set::ROWS_AT_MOST;
use crate::store::{Conn, StoreError, contacts, events};

/// Why a question about an address has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswerable {
    #[error("this is no address that could be mailed ({})", .0.code())]
    Address(AddressProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Answers for now from the standing, for a past instant from the events up to it. A mailbox that is suppressed keeps mail
    /// back under any spelling of its address; for a past instant, if what stands today began before it.
    pub async fn permission(
        &self,
        brand: &Brand,
        purpose: &Slug,
        address: &str,
        at: Option<Timestamp>,
    ) -> Result<Permission, Unanswerable> {
        let address = parse_address(address)?;
        let now = self.clock.now();
        let instant = at.unwrap_or(now);
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find(&mut conn, brand.id, address.key()).await? else {
            return Ok(Permission::of(None, None, instant));
        };
        let standings = if at.is_some() {
            let mut then = Standings::new();
            walk(&mut conn, (brand.id, contact.id), |event| {
                if event.at <= instant {
                    apply(&mut then, &event.fact, event.at);
                }
            })
            .await?;
            then
        } else {
            contact.standings
        };
        let mailbox = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        let suppressed = suppressed_among(&mut conn, brand.id, &[mailbox]).await?;
        let suppressed = suppressed.get(&mailbox);
        let suppressed = suppressed.filter(|one| at.is_none_or(|at| one.since <= at));
        Ok(Permission::of(standings.get(purpose), suppressed, instant))
    }

    /// The same of many addresses, in their order: three statements for each 1,024.
    pub async fn permissions(
        &self,
        brand: &Brand,
        purpose: &Slug,
        addresses: &[&EmailAddress],
        at: Option<Timestamp>,
    ) -> Result<Vec<Permission>, StoreError> {
        let instant = at.unwrap_or_else(|| self.clock.now());
        let mut answers = Vec::with_capacity(addresses.len());
        let mut conn = self.store.read().await?;
        for part in addresses.chunks(ROWS_AT_MOST) {
            let keys: Vec<&str> = part.iter().map(|address| address.key()).collect();
            let found = contacts::find_standings(&mut conn, brand.id, &keys).await?;
            let ids: Vec<_> = found.iter().map(|one| (brand.id, one.1)).collect();
            let mut known: HashMap<String, Standings> = HashMap::with_capacity(found.len());
            let mut then = match at {
                Some(at) => standings_at(&mut conn, &ids, at).await?,
                None => HashMap::new(),
            };
            for (key, id, now) in found {
                let standings = if at.is_some() {
                    then.remove(&id).unwrap_or_default()
                } else {
                    now
                };
                known.insert(key, standings);
            }
            // Who is not known is not mailed, suppressed or not.
            let mailbox = |address: &EmailAddress| {
                let is_known = known.contains_key(address.key());
                is_known.then(|| self.keys.mailbox_hash(brand.id.0, &address.mailbox()))
            };
            let mailboxes: Vec<_> = part.iter().map(|address| mailbox(address)).collect();
            let wanted: Vec<_> = mailboxes.iter().flatten().copied().collect();
            let suppressed = suppressed_among(&mut conn, brand.id, &wanted).await?;
            answers.extend(keys.iter().zip(mailboxes).map(|(key, mailbox)| {
                let standing = known.get(*key).and_then(|all| all.get(purpose));
                let suppressed = mailbox.and_then(|mailbox| suppressed.get(&mailbox));
                let suppressed = suppressed.filter(|one| at.is_none_or(|at| one.since <= at));
                Permission::of(standing, suppressed, instant)
            }));
        }
        Ok(answers)
    }

    /// Hands over all events of an address, oldest first; none if the brand does not know it. Some thousand are in memory at a
    /// time, however many there are.
    pub async fn tell_story(
        &self,
        brand: &Brand,
        address: &str,
        each: impl FnMut(Event),
    ) -> Result<(), Unanswerable> {
        let address = parse_address(address)?;
        let mut conn = self.store.read().await?;
        if let Some(contact) = contacts::find(&mut conn, brand.id, address.key()).await? {
            walk(&mut conn, (brand.id, contact.id), each).await?;
        }
        Ok(())
    }
}

/// Where contacts stood at an instant, from their events.
async fn standings_at(
    conn: &mut Conn,
    contacts: &[(BrandId, ContactId)],
    at: Timestamp,
) -> Result<HashMap<ContactId, Standings>, StoreError> {
    let mut all: HashMap<ContactId, Standings> = HashMap::with_capacity(contacts.len());
    events::each_body(conn, contacts, |(_, contact), body| {
        if let Some(event) = read_body(body.as_deref())?.filter(|event| event.at <= at) {
            apply(all.entry(contact).or_default(), &event.fact, event.at);
        }
        Ok(())
    })
    .await?;
    Ok(all)
}

/// Any domain: a question about a stored address must not depend on today's list of domains.
pub fn parse_address(address: &str) -> Result<EmailAddress, Unanswerable> {
    EmailAddress::parse(address, &AddressRules { any_domain: true }).map_err(Unanswerable::Address)
}

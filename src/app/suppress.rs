//! Mailboxes that a brand does not write to, and letting it write again.

use super::App;
use super::close::{Closing, Ending, Happened, Look};
use super::permit::{Unanswerable, parse_address};
use super::record::About;
use super::sign_up::empty_mailbox;
use crate::domain::brand::{Brand, Slug};
use crate::domain::event::Fact;
use crate::domain::hex::hex;
use crate::domain::ids::BrandId;
pub use crate::domain::permission::Suppressed;
use crate::domain::permission::outweighs;
use crate::domain::standing::{RequestState, Standing, Standings, apply};
use crate::domain::time::Timestamp;
pub use crate::store::budgets::MailboxHash;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{StoreError, budgets, contacts, events};

/// Whether somebody said why a mailbox is suppressed, or let go: 3 to 400 characters, all of which can be seen.
pub fn is_reason(text: &str) -> bool {
    (3..=400).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
}

/// What a deed about a mailbox is kept under: by its keyed hash, so that the audit can hold the suppression list against it.
fn naming(hash: &budgets::MailboxHash, slug: &Slug) -> String {
    format!("mailbox {} of brand {slug}", hex(hash))
}

/// The mailbox that a deed names, and the brand's name.
pub(super) fn mailbox_in(on: &str) -> Option<(budgets::MailboxHash, &str)> {
    let (hash, slug) = on.strip_prefix("mailbox ")?.split_once(" of brand ")?;
    let number = u128::from_str_radix(hash, 16)
        .ok()
        .filter(|_| hash.len() == 32)?;
    Some((number.to_be_bytes(), slug))
}

/// The word that is kept with a mailbox which an operator suppressed.
const BY_OPERATOR: &str = "operator";

/// Suppresses a mailbox. Why it is suppressed already stays, unless the new reason is the stronger one: then that counts, and from
/// now on, since it holds back what the weaker one let pass.
pub(super) fn close_mailbox(mailbox: &mut budgets::Mailbox, reason: &str, now: Timestamp) {
    let known = mailbox.suppressed_for.as_deref().unwrap_or_default();
    if mailbox.suppressed_at.is_none() || outweighs(reason, known) {
        mailbox.suppressed_at = Some(now);
        mailbox.suppressed_for = Some(reason.to_owned());
    }
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

    /// What a deed about the mailbox of an address is kept under.
    pub fn mailbox_named(&self, brand: &Brand, address: &str) -> Result<String, Unanswerable> {
        let address = parse_address(address)?;
        let hash = self.keys.mailbox_hash(brand.id.0, &address.mailbox());
        Ok(naming(&hash, &brand.declared.slug))
    }

    /// The suppressed mailboxes of a brand behind one of them, by since when; the other way round if `down`. Which mailboxes
    /// they are, their keyed hashes do not tell.
    pub async fn suppressions(
        &self,
        brand: BrandId,
        after: (Option<(Timestamp, MailboxHash)>, bool),
        limit: usize,
    ) -> Result<Vec<(MailboxHash, Suppressed)>, StoreError> {
        let mut conn = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = budgets::list_suppressed(&mut conn, brand, after, limit).await?;
        let of = |(hash, since, reason)| (hash, Suppressed { since, reason });
        Ok(found.into_iter().map(of).collect())
    }

    /// Keeps the brand from writing to the mailbox of an address, whether it has a contact there or not: mails that wait do not
    /// leave, open requests end, and whatever was given is of no use until the suppression is lifted. Answers with how the
    /// mailbox is suppressed, and whether it was before, so that nothing changed. When this returns it is on disk.
    pub async fn suppress(
        &self,
        brand: &Brand,
        address: &str,
        reason: &str,
    ) -> Result<(Suppressed, bool), Unanswerable> {
        let was = self.suppressed(brand, address).await?;
        let parsed = parse_address(address)?;
        let mut conn = self.store.read().await?;
        let contact = contacts::find(&mut conn, brand.id, parsed.key()).await?;
        drop(conn);
        let mut standings = contact
            .iter()
            .flat_map(|contact| contact.standings.values());
        let all_are = standings.all(|standing| standing.suppressed_since.is_some());
        // For another reason it may be open to what the person did since, or under another spelling: an operator's holds for all.
        if let Some(was) = was.filter(|was| all_are && was.reason == BY_OPERATOR) {
            return Ok((was, true));
        }
        let closing = Closing {
            ending: Ending::All,
            state: RequestState::Left,
            suppress: Some(BY_OPERATOR),
            request: None,
            report: "",
            look: Look::Nothing,
        };
        let happened = match &contact {
            Some(contact) => {
                let decide = |under: super::close::Under<'_>| {
                    Happened::only(vec![Fact::Suppressed {
                        reason: reason.to_owned(),
                        replaces: under.replaces.map(str::to_owned),
                    }])
                };
                self.close(brand, contact.id, closing, decide).await?
            }
            None => None,
        };
        if happened.is_none() {
            // No contact, or one that is gone since it was looked for.
            let hash = self.keys.mailbox_hash(brand.id.0, &parsed.mailbox());
            decided(|| self.try_suppress(brand, hash)).await?;
        }
        let now = self.suppressed(brand, address).await?;
        let now = now.ok_or(StoreError::Corrupt("a suppression that was just written"))?;
        Ok((now, false))
    }

    async fn try_suppress(&self, brand: &Brand, hash: MailboxHash) -> Result<(), StoreError> {
        let mut locks = Locks::default();
        locks.mailbox(brand.id, &hash);
        let mut held = self.store.hold(locks).await?;
        let found = budgets::find_mailboxes(held.conn(), &[(brand.id, hash)]).await?;
        let known = found.into_iter().next();
        let mut mailbox = known.unwrap_or_else(|| empty_mailbox(brand.id, hash));
        close_mailbox(&mut mailbox, BY_OPERATOR, self.clock.now());
        let mut writes = Writes::default();
        budgets::put_mailboxes(&mut writes, &[mailbox]);
        held.finish(writes).await
    }

    /// Lets the brand write to the mailbox again, as it may then: what was withdrawn or declined stays so until the person
    /// confirms anew. A contact that was marked with it is let go under its own spelling, also after the mailbox was under another.
    /// Answers with what was lifted; none where nothing was. When this returns it is on disk.
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
        hash: MailboxHash,
        reason: &str,
    ) -> Result<Option<Suppressed>, StoreError> {
        let mut locks = Locks::default();
        locks.contact(brand.id, address_key);
        locks.mailbox(brand.id, &hash);
        let mut held = self.store.hold(locks).await?;
        let found = budgets::find_mailboxes(held.conn(), &[(brand.id, hash)]).await?;
        let contact = contacts::find(held.conn(), brand.id, address_key).await?;
        let mailbox = found.into_iter().next();
        let marked = contact.as_ref().and_then(|one| marked(&one.standings));
        let Some(was) = mailbox.as_ref().and_then(suppression).or(marked) else {
            return Ok(None);
        };
        let mut writes = Writes::default();
        if let Some(mut mailbox) = mailbox {
            mailbox.suppressed_at = None;
            mailbox.suppressed_for = None;
            budgets::put_mailboxes(&mut writes, &[mailbox]);
        }
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

/// What a contact was marked with when its mailbox was suppressed.
fn marked(standings: &Standings) -> Option<Suppressed> {
    let first = |since: fn(&Standing) -> Option<Timestamp>, reason: &str| {
        let since = standings.values().filter_map(since).min()?;
        Some(Suppressed {
            since,
            reason: reason.to_owned(),
        })
    };
    first(|one| one.suppressed_since, BY_OPERATOR)
        .or_else(|| first(|one| one.undeliverable_since, "bounced"))
}

fn suppression(mailbox: &budgets::Mailbox) -> Option<Suppressed> {
    Some(Suppressed {
        since: mailbox.suppressed_at?,
        reason: mailbox.suppressed_for.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_read_back_from_what_its_deed_is_kept_under() {
        let slug = Slug::try_from("acme".to_owned()).unwrap_or_else(|why| panic!("{why}"));
        let hash = [7; 16];
        assert_eq!(mailbox_in(&naming(&hash, &slug)), Some((hash, "acme")));
        for other in [
            "a mailbox of brand acme",
            "mailbox 07 of brand acme",
            "contact 7 of brand acme",
        ] {
            assert_eq!(mailbox_in(other), None, "{other}");
        }
    }
}

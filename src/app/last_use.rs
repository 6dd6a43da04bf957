//! When contacts last used what they agreed to, as programs report it, and from when on they are due to be asked again by time.

use std::collections::HashMap;

use crate::domain::brand::{Brand, Slug};
use crate::domain::ids::{BrandId, ContactId};
use crate::domain::policy::Zone;
use crate::domain::standing::Standing;
use crate::domain::time::Timestamp;
use crate::store::uses::{self, UseRow};
use crate::store::{Conn, StoreError};

/// Of one contact and one purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// None where no use was reported.
    pub used_at: Option<Timestamp>,
    /// None where the brand does not ask again by time, or there is no explicit consent. A campaign asks from then on; who
    /// paused, or was asked by time not long ago, later.
    pub due_from: Option<Timestamp>,
}

/// The uses of some contacts.
#[derive(Debug, Default)]
pub struct LastUses(HashMap<ContactId, Vec<UseRow>>);

impl LastUses {
    pub(super) async fn read(
        conn: &mut Conn,
        brand: BrandId,
        contacts: &[ContactId],
    ) -> Result<Self, StoreError> {
        let mut of: HashMap<ContactId, Vec<UseRow>> = HashMap::new();
        for one in uses::list(conn, brand, contacts).await? {
            of.entry(one.contact_id).or_default().push(one);
        }
        Ok(Self(of))
    }

    /// The last use for a purpose, or for whatever the contact agreed to.
    pub fn used_at(&self, contact: ContactId, purpose: &Slug) -> Option<Timestamp> {
        let of = self.0.get(&contact)?.iter();
        let counts = of.filter(|one| one.purpose.is_empty() || one.purpose == purpose.as_str());
        counts.map(|one| one.used_at).max()
    }

    /// The same with what follows from the brand's terms.
    pub fn of(
        &self,
        brand: &Brand,
        contact: ContactId,
        (purpose, standing): (&Slug, &Standing),
    ) -> LastUse {
        let used_at = self.used_at(contact, purpose);
        let due_from = brand.declared.reconfirm.and_then(|terms| {
            let zone = Zone::of(&brand.declared.time_zone);
            terms.due_from(standing, used_at, &zone)
        });
        LastUse { used_at, due_from }
    }
}

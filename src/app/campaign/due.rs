//! Who is asked by time: whose explicit consent is older than the brand's terms, and who was asked so not long ago.

use std::collections::HashSet;

use super::read_plan;
use crate::app::App;
use crate::app::last_use::LastUses;
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{Plan, Situation};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::policy::Zone;
use crate::domain::reconfirm::Reconfirm;
use crate::domain::time::Timestamp;
use crate::store::campaigns::CampaignRow;
use crate::store::contacts::Contact;
use crate::store::{Conn, StoreError, campaigns};

/// What a campaign knows of some contacts in the moment of asking.
pub(super) struct Situations {
    now: Timestamp,
    over: HashSet<ContactId>,
    lately: HashSet<ContactId>,
}

impl Situations {
    pub fn of(&self, contact: ContactId) -> Situation {
        Situation {
            now: self.now,
            is_over: self.over.contains(&contact),
            asked_lately: self.lately.contains(&contact),
        }
    }
}

impl App {
    /// Reads it. `campaign` is the one that asks; none where it is only counted.
    pub(super) async fn situations(
        &self,
        conn: &mut Conn,
        (brand, plan): (&Brand, &Plan),
        campaign: Option<&CampaignRow>,
        contacts: &[Contact],
        now: Timestamp,
    ) -> Result<Situations, StoreError> {
        let mut situations = Situations {
            now,
            over: HashSet::new(),
            lately: HashSet::new(),
        };
        if let Some(terms) = &plan.due {
            let as_of = campaign.map_or(now, |campaign| campaign.started_at);
            let what = (brand, &plan.purpose, terms);
            situations.over = over(conn, what, contacts, as_of).await?;
            let own = campaign.map(|campaign| campaign.id);
            situations.lately = self.lately(conn, what, own, contacts, now).await?;
        }
        Ok(situations)
    }

    /// Whom other campaigns asked by time for the purpose, not long ago.
    pub(in crate::app) async fn lately(
        &self,
        conn: &mut Conn,
        (brand, purpose, terms): (&Brand, &Slug, &Reconfirm),
        own: Option<CampaignId>,
        contacts: &[Contact],
        now: Timestamp,
    ) -> Result<HashSet<ContactId>, StoreError> {
        let ids: Vec<ContactId> = contacts.iter().map(|one| one.id).collect();
        let months = self.config.asked_again_after;
        let since = terms.asked_since(months, now);
        let zone = Zone::of(&brand.declared.time_zone);
        let mut asked = campaigns::asked_by(conn, brand.id, &ids, since).await?;
        asked.retain(|one| terms.leaves_alone(months, one.2, (&zone, now)));
        let mut others: HashSet<CampaignId> = asked.iter().map(|one| one.1).collect();
        others.retain(|id| Some(*id) != own);
        let mut by_time: HashSet<CampaignId> = HashSet::new();
        for id in others {
            if let Some(row) = campaigns::find_by_id(conn, brand.id, id).await? {
                let plan = read_plan(&row)?;
                if plan.due.is_some() && plan.purpose == *purpose {
                    by_time.insert(id);
                }
            }
        }
        let asked = asked.into_iter().filter(|one| by_time.contains(&one.1));
        Ok(asked.map(|one| one.0).collect())
    }
}

/// Those of some contacts whose term is over at an instant.
pub(in crate::app) async fn over(
    conn: &mut Conn,
    (brand, purpose, terms): (&Brand, &Slug, &Reconfirm),
    contacts: &[Contact],
    at: Timestamp,
) -> Result<HashSet<ContactId>, StoreError> {
    let ids: Vec<ContactId> = contacts.iter().map(|one| one.id).collect();
    let uses = LastUses::read(conn, brand.id, &ids).await?;
    let zone = Zone::of(&brand.declared.time_zone);
    let is_over = |contact: &&Contact| {
        let standing = contact.standings.get(purpose);
        let used_at = uses.used_at(contact.id, purpose);
        standing.is_some_and(|standing| terms.is_over(standing, used_at, &zone, at))
    };
    let found = contacts.iter().filter(is_over);
    Ok(found.map(|contact| contact.id).collect())
}

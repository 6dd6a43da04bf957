//! Whom a campaign asks: counted before it starts, enrolled when it does.

use std::collections::{BTreeMap, HashSet};

use super::NewCampaign;
use super::judge::Judged;
use crate::app::App;
use crate::app::campaign::CampaignProblem;
use crate::app::record::read_body;
use crate::domain::brand::Brand;
use crate::domain::campaign::{Place, Plan, Why, place};
use crate::domain::event::Fact;
use crate::domain::ids::{ContactId, ImportId};
use crate::domain::standing::{Standing, explicit_from};
use crate::domain::time::Timestamp;
use crate::store::campaigns::{self, CampaignRow, RecipientRow};
use crate::store::contacts::{self, Contact};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, events, imports};

/// Contacts that are looked at together.
const PAGE: i64 = 500;
/// Pages before the other campaigns have their turn.
const PAGES: usize = 40;

/// How many contacts would be asked, held for release, and left out for which reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    pub asked: u64,
    pub held: u64,
    /// Of both, whom some campaign has asked before.
    pub asked_before: u64,
    pub left_out: BTreeMap<Why, u64>,
    /// Somebody who would be asked, or held.
    pub example: Option<ContactId>,
}

/// The contact that was looked at last; where people are asked by time, with its oldest confirmation.
struct Behind {
    contact: ContactId,
    from: Timestamp,
}

impl Behind {
    const fn nobody() -> Self {
        Self {
            contact: ContactId(uuid::Uuid::nil()),
            from: Timestamp::from_micros(i64::MIN),
        }
    }

    fn of(contact: &Contact) -> Self {
        Self {
            contact: contact.id,
            from: explicit_from(&contact.standings).unwrap_or(Self::nobody().from),
        }
    }

    fn enrolled(row: &CampaignRow) -> Self {
        let nobody = Self::nobody();
        Self {
            contact: row.enrolled_to.unwrap_or(nobody.contact),
            from: row.enrolled_from.unwrap_or(nobody.from),
        }
    }
}

/// The next contacts of a brand; where people are asked by time, only those who confirmed long enough ago to be due.
async fn page_of(
    conn: &mut Conn,
    brand: &Brand,
    plan: &Plan,
    after: &Behind,
    as_of: Timestamp,
) -> Result<Vec<Contact>, StoreError> {
    match &plan.due {
        None => contacts::list_of_brand(conn, brand.id, after.contact, PAGE).await,
        Some(terms) => {
            let by = terms.confirmed_by(as_of);
            let after = (after.from, after.contact);
            contacts::list_explicit(conn, brand.id, by, after, PAGE).await
        }
    }
}

impl App {
    /// Counts whom a campaign would ask. Nothing is stored.
    pub async fn count_campaign(
        &self,
        brand: &Brand,
        new: &NewCampaign,
    ) -> Result<Groups, CampaignProblem> {
        self.check_plan(brand, new)?;
        self.check_import(brand, &new.plan).await?;
        let mut groups = Groups::default();
        let mut after = Behind::nobody();
        let as_of = self.clock.now();
        loop {
            let mut conn = self.store.read().await?;
            let page = page_of(&mut conn, brand, &new.plan, &after, as_of).await?;
            let Some(last) = page.last() else {
                return Ok(groups);
            };
            after = Behind::of(last);
            let places = self.places(&mut conn, brand, &new.plan, None, page).await?;
            let asked = places
                .iter()
                .filter(|(_, place)| matches!(place, Place::Waiting | Place::Held))
                .map(|(judged, _)| &judged.contact);
            let before = self.asked_before(&mut conn, brand, asked).await?;
            groups.asked_before += u64::try_from(before.len()).unwrap_or(u64::MAX);
            for (judged, place) in places {
                match place {
                    Place::Waiting => groups.asked += 1,
                    Place::Held => groups.held += 1,
                    Place::Paused(_) => *groups.left_out.entry(Why::Paused).or_default() += 1,
                    Place::LeftOut(why) => *groups.left_out.entry(why).or_default() += 1,
                }
                if !matches!(place, Place::LeftOut(_)) {
                    groups.example.get_or_insert(judged.contact.id);
                }
            }
        }
    }

    /// Enrols contacts of a campaign, from where it stopped; behind the last it runs.
    pub(super) async fn enrol(
        &self,
        brand: &Brand,
        mut row: CampaignRow,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        for _ in 0..PAGES {
            match decided(|| self.enrol_page(brand, &row, plan)).await? {
                Some(next) if next.state == "enrolling" => row = next,
                _ => break,
            }
        }
        Ok(())
    }

    /// None where somebody else went on with it, or cancelled it.
    async fn enrol_page(
        &self,
        brand: &Brand,
        known: &CampaignRow,
        plan: &Plan,
    ) -> Result<Option<CampaignRow>, StoreError> {
        let mut locks = Locks::default();
        locks.campaign(known.brand_id, known.id);
        let mut held = self.store.hold(locks).await?;
        let conn = held.conn();
        let now_is = campaigns::find_by_id(conn, known.brand_id, known.id).await?;
        let Some(mut row) = now_is.filter(|row| row == known) else {
            return Ok(None);
        };
        let after = Behind::enrolled(&row);
        let page = page_of(conn, brand, plan, &after, row.started_at).await?;
        match page.last() {
            Some(last) => {
                row.enrolled_to = Some(last.id);
                row.enrolled_from = explicit_from(&last.standings).filter(|_| plan.due.is_some());
            }
            None => row.state = "running".to_owned(),
        }
        let now = self.clock.now();
        let recipients: Vec<RecipientRow> = self
            .places(conn, brand, plan, Some(known), page)
            .await?
            .into_iter()
            .map(|(judged, place)| {
                let (state, why, due_at) = match place {
                    Place::Waiting => ("waiting", None, now),
                    Place::Held => ("held", Some(judged.judgement.rule.id()), now),
                    Place::Paused(until) => ("waiting", Some(Why::Paused.as_str()), until),
                    Place::LeftOut(why) => ("left_out", Some(why.as_str()), now),
                };
                RecipientRow {
                    brand_id: brand.id,
                    campaign_id: row.id,
                    contact_id: judged.contact.id,
                    state: state.to_owned(),
                    why: why.map(str::to_owned),
                    due_at,
                    source: None,
                    request_id: None,
                    mail: None,
                    released: 0,
                    asked_at: None,
                    reminded_at: None,
                    returned_at: None,
                }
            })
            .collect();
        let mut writes = Writes::default();
        campaigns::enrol(&mut writes, &recipients);
        campaigns::put_enrolled(&mut writes, &row);
        held.finish(writes).await?;
        Ok(Some(row))
    }

    /// The contacts that know the campaign's purpose, with their places in it; where people are asked by time, those whose time
    /// is over.
    async fn places(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        plan: &Plan,
        campaign: Option<&CampaignRow>,
        mut page: Vec<Contact>,
    ) -> Result<Vec<(Judged, Place)>, StoreError> {
        page.retain(|contact| contact.standings.contains_key(&plan.purpose));
        if let Some(import) = plan.import {
            let among = self.of_import(conn, brand, import, &page).await?;
            page.retain(|contact| among.contains(&contact.id));
        }
        let now = self.clock.now();
        let situations = self
            .situations(conn, (brand, plan), campaign, &page, now)
            .await?;
        page.retain(|contact| plan.due.is_none() || situations.of(contact.id).is_over);
        let judged = self.judge_contacts(conn, brand, plan, page, now).await?;
        Ok(judged
            .into_iter()
            .map(|one| {
                let standing: Option<&Standing> = one.contact.standings.get(&plan.purpose);
                let situation = situations.of(one.contact.id);
                let place = place(plan, standing, one.verdicts(), situation);
                (one, place)
            })
            .collect())
    }

    /// Whom an import has yet to bring would not be among those whom the campaign asks.
    pub(super) async fn check_import(
        &self,
        brand: &Brand,
        plan: &Plan,
    ) -> Result<(), CampaignProblem> {
        let Some(import) = plan.import else {
            return Ok(());
        };
        let mut conn = self.store.read().await?;
        let found = imports::find_by_id(&mut conn, brand.id, import).await?;
        match found.filter(|row| row.state == "running") {
            None => Ok(()),
            Some(row) => Err(CampaignProblem::Plan(vec![format!(
                "the import \"{}\" is not done: {} rows are in; wait for its end, or go on with it where it was interrupted",
                row.name, row.rows_done
            )])),
        }
    }

    /// Those of these contacts that an import brought, or of whom it told.
    async fn of_import(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        import: ImportId,
        page: &[Contact],
    ) -> Result<HashSet<ContactId>, StoreError> {
        let gone = imports::find_by_id(conn, brand.id, import)
            .await?
            .is_none_or(|row| matches!(row.state.as_str(), "withdrawing" | "withdrawn"));
        if gone {
            return Ok(HashSet::new());
        }
        let ids: Vec<_> = page.iter().map(|one| (brand.id, one.id)).collect();
        let mut found = HashSet::new();
        events::each_source(conn, &ids, |contact, body| {
            let event = read_body(body.as_deref())?;
            let is_it = event.is_some_and(
                |event| matches!(&event.fact, Fact::Imported(one) if one.import == import),
            );
            if is_it {
                found.insert(contact);
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }
}

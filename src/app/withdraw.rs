//! Leaving: as easy as coming, effective at once, and undone by nothing but the person's own new act.

use super::App;
use super::acted::Acting;
use super::close::{Also, Closing, Ending, Happened, Look, Under};
use super::permit::{Unanswerable, parse_address};
use crate::domain::brand::{Brand, Slug};
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Fact, LeaveMethod, LeftBy, ToldBy};
use crate::domain::ids::ContactId;
use crate::domain::leaving::{SCOPE_ALL, SCOPE_PURPOSES};
use crate::domain::operator::Deed;
use crate::domain::standing::{RequestState, State, were_left_with_all};
use crate::store::set::Writes;
use crate::store::{StoreError, contacts, events};
use crate::telemetry;

/// Who leaves.
#[derive(Clone, Debug)]
pub enum Leaver {
    Contact(ContactId),
    Address(String),
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that the brand sends, and ever will.
    All,
    Purposes(Vec<Slug>),
}

/// A withdrawal.
#[derive(Clone, Debug)]
pub struct Leave {
    pub who: Leaver,
    pub scope: Scope,
    pub method: LeaveMethod,
    pub by: LeftBy,
    /// Why an operator does it for the person; at most 400 characters are kept.
    pub reason: Option<String>,
    pub circumstances: Circumstances,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// These ended with it.
    Now {
        contact: ContactId,
        purposes: Vec<Slug>,
    },
    /// The person had left before; nothing changed.
    Before { contact: ContactId },
}

/// Why nobody left.
#[derive(Debug, thiserror::Error)]
pub enum LeaveProblem {
    #[error(transparent)]
    Address(#[from] Unanswerable),
    #[error("the brand knows nothing of this address")]
    Unknown,
    #[error("the brand has no purpose \"{0}\", and the person none of that name")]
    UnknownPurpose(Slug),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Characters of an operator's reason that are kept.
const REASON_AT_MOST: usize = 400;

impl App {
    /// Withdraws. Open requests that ask for what is left end, and their mails do not leave. When this returns it is on disk.
    pub async fn withdraw(&self, brand: &Brand, leave: Leave) -> Result<Left, LeaveProblem> {
        self.withdraw_by(None, brand, leave).await
    }

    /// The same by an operator or a program, whose deed is kept in the same transaction, if anything changes.
    pub async fn withdraw_by(
        &self,
        by: Option<&Acting>,
        brand: &Brand,
        leave: Leave,
    ) -> Result<Left, LeaveProblem> {
        let contact = self.leaver(brand, &leave.who).await?;
        if let Scope::Purposes(purposes) = &leave.scope {
            self.check_purposes(brand, contact, purposes).await?;
        }
        let ending = match &leave.scope {
            Scope::All => Ending::All,
            Scope::Purposes(purposes) => Ending::For(purposes),
        };
        let closing = Closing {
            ending,
            state: RequestState::Left,
            suppress: None,
            request: None,
            report: "",
            look: Look::Nothing,
        };
        let decide = |under: Under<'_>| left(brand, &leave, None, &under);
        let on = format!("contact {contact} of brand {}", brand.declared.slug);
        let deed = by
            .map(|acting| self.deed(acting, Deed::ContactWithdrawn, Some(on)))
            .transpose()?;
        let also = Also {
            request: None,
            write: &|writes: &mut Writes| events::append(writes, deed.as_slice()),
        };
        let happened = self.close_with(brand, contact, closing, decide, also);
        let happened = happened.await?.ok_or(LeaveProblem::Unknown)?;
        Ok(counted(contact, leave.method, &happened))
    }

    /// A provider tells that the person left by its own link. It sends nothing more to them, whatever it is about: everything is
    /// left. None where the contact is gone.
    pub(super) async fn leave_as_told(
        &self,
        brand: &Brand,
        contact: ContactId,
        told_by: ToldBy,
    ) -> Result<Option<Left>, StoreError> {
        let leave = Leave {
            who: Leaver::Contact(contact),
            scope: Scope::All,
            method: LeaveMethod::Provider,
            by: LeftBy::Person,
            reason: None,
            circumstances: Circumstances::default(),
        };
        let closing = Closing {
            ending: Ending::All,
            state: RequestState::Left,
            suppress: None,
            request: None,
            report: &told_by.report,
            look: Look::Nothing,
        };
        let decide = |under: Under<'_>| left(brand, &leave, Some(&told_by), &under);
        let happened = self.close(brand, contact, closing, decide).await?;
        Ok(happened.map(|happened| counted(contact, leave.method, &happened)))
    }

    async fn leaver(&self, brand: &Brand, who: &Leaver) -> Result<ContactId, LeaveProblem> {
        match who {
            Leaver::Contact(id) => Ok(*id),
            Leaver::Address(address) => {
                let address = parse_address(address)?;
                let mut conn = self.store.read().await?;
                let found = contacts::find(&mut conn, brand.id, address.key()).await?;
                found.map(|contact| contact.id).ok_or(LeaveProblem::Unknown)
            }
        }
    }

    /// A purpose that is declared no more can still be left by whoever has it.
    async fn check_purposes(
        &self,
        brand: &Brand,
        contact: ContactId,
        purposes: &[Slug],
    ) -> Result<(), LeaveProblem> {
        let undeclared = || purposes.iter().filter(|one| brand.purpose(one).is_none());
        if undeclared().next().is_none() {
            return Ok(());
        }
        let mut conn = self.store.read().await?;
        let known = contacts::find_by_id(&mut conn, brand.id, contact).await?;
        let known = known.ok_or(LeaveProblem::Unknown)?;
        match undeclared().find(|one| !known.standings.contains_key(*one)) {
            Some(unknown) => Err(LeaveProblem::UnknownPurpose(unknown.clone())),
            None => Ok(()),
        }
    }
}

/// What became of a withdrawal; one that changed something is counted.
fn counted(contact: ContactId, method: LeaveMethod, happened: &Happened) -> Left {
    match happened.facts.first() {
        Some(fact) => {
            metrics::counter!(telemetry::WITHDRAWALS, "method" => method.as_str()).increment(1);
            Left::Now {
                contact,
                purposes: fact.purposes().to_vec(),
            }
        }
        None => Left::Before { contact },
    }
}

/// What the withdrawal changes; nothing where the person had left all of it before.
fn left(brand: &Brand, leave: &Leave, told_by: Option<&ToldBy>, under: &Under<'_>) -> Happened {
    let all = leave.scope == Scope::All;
    let standings = &under.contact.standings;
    let mut purposes: Vec<Slug> = match &leave.scope {
        Scope::Purposes(purposes) => purposes.clone(),
        Scope::All => all_of(brand, under),
    };
    let stays_left = |purpose: &Slug| {
        standings.get(purpose).is_some_and(|standing| {
            standing.state == State::Withdrawn && (standing.left_all || !all)
        })
    };
    purposes.retain(|purpose| !stays_left(purpose));
    let asked = under.ending.iter().flat_map(|request| request.purposes());
    purposes.extend(asked.filter(|purpose| match &leave.scope {
        Scope::All => true,
        Scope::Purposes(left) => left.contains(purpose),
    }));
    purposes.sort_unstable();
    purposes.dedup();
    if purposes.is_empty() || under.told {
        return Happened::default();
    }
    let keeps_all = !all && were_left_with_all(standings, &purposes);
    let reason = leave.reason.as_ref().map(|reason| {
        let seen = reason.chars().filter(|c| !c.is_control());
        seen.take(REASON_AT_MOST).collect()
    });
    let fact = Fact::Withdrawn {
        purposes,
        scope: if all { SCOPE_ALL } else { SCOPE_PURPOSES }.to_owned(),
        keeps_all,
        method: Some(leave.method),
        by: Some(leave.by),
        reason,
        told_by: told_by.cloned().map(Box::new),
        circumstances: leave.circumstances.clone(),
    };
    Happened::only(vec![fact])
}

/// All that the brand sends or the person has, so that nothing of it is taken up again by an import.
pub(super) fn all_of(brand: &Brand, under: &Under<'_>) -> Vec<Slug> {
    let declared = brand.declared.purposes.iter().map(|one| one.slug.clone());
    let mut all: Vec<Slug> = declared
        .chain(under.contact.standings.keys().cloned())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

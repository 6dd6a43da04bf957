//! Closing the door for a contact: what stands changes, open requests end, and mails that wait do not leave. Leaving, a
//! complaint and a mail that came back for good do it alike, in one transaction under the contact's lock.

use std::time::Duration;

use super::App;
use super::erase::requests_of;
use super::record::{About, read_all};
use super::sign_up::empty_mailbox;
use super::suppress::close_mailbox;
use super::{bounce, prefer};
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::EmailAddress;
use crate::domain::event::{Event, Fact};
use crate::domain::ids::{ContactId, RequestId};
use crate::domain::permission::outweighs;
use crate::domain::standing::{RequestState, apply, never_confirmed};
use crate::domain::time::Timestamp;
use crate::store::budgets;
use crate::store::contacts::{self, Contact};
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::requests::{self, RequestRow};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, campaign_fates, events, outbox};

/// Events that are in memory together where they are looked through.
const PAGE: i64 = 500;
const A_DAY: Duration = Duration::from_secs(86_400);

/// Which open requests end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending<'a> {
    None,
    /// Those that ask for one of these.
    For(&'a [Slug]),
    All,
}

/// What else is looked up under the lock, since it is decided by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look<'a> {
    Nothing,
    /// Whether somebody complained before.
    Complaint,
    /// How many mails in a row came back for the time being. With fewer than `limit` of them, this one counted, nothing is closed.
    Passing {
        limit: u32,
        which: Which<'a>,
    },
    /// How often the preferences were changed lately.
    Preferred,
}

/// Which mail came back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// The one of this Message-ID.
    Named(&'a str),
    /// One of the request's; or of the contact's, where it belongs to none.
    Unnamed,
    /// Another one than all before.
    Any,
}

/// What is closed, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing<'a> {
    pub ending: Ending<'a>,
    /// How they end.
    pub state: RequestState,
    /// Nothing is sent to the mailbox any more, for this reason.
    pub suppress: Option<&'static str>,
    /// The request that the events belong to; also that of a campaign whose mail came back.
    pub request: Option<RequestId>,
    /// The id of a report, or of what a provider told, which may be told again; empty where there is none.
    pub report: &'a str,
    pub look: Look<'a>,
}

impl Closing<'_> {
    /// What closes nothing: the events alone are written.
    const fn opened(self) -> Self {
        Self {
            ending: Ending::None,
            state: RequestState::Open,
            suppress: None,
            ..self
        }
    }
}

/// What else is written with it.
#[derive(Clone, Copy)]
pub(super) struct Also<'a> {
    /// The request whose mail it is about: that row of the outbox is not taken out.
    pub request: Option<RequestId>,
    pub write: &'a (dyn Fn(&mut Writes) + Send + Sync),
}

/// What happens to a contact: facts in their order, and the language that it is written to in from then on.
#[derive(Debug, Default)]
pub(super) struct Happened {
    pub facts: Vec<Fact>,
    pub language: Option<String>,
    /// Something was left out that happened too often lately.
    pub too_often: bool,
    /// Something was left out since it was described in other words.
    pub other_wording: bool,
}

impl Happened {
    /// Facts that change no language.
    pub(super) fn only(facts: Vec<Fact>) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }
}

/// A contact as it stands under its lock, with the open requests that would end.
pub(super) struct Under<'a> {
    pub contact: &'a Contact,
    pub ending: &'a [RequestRow],
    /// Whether nothing is sent to the mailbox already, for the closing's reason or a stronger one; looked up where the closing
    /// suppresses it.
    pub suppressed: bool,
    /// What came back says nothing of the mailbox, which stays open.
    pub address_only: bool,
    /// The weaker reason for which nothing is sent there, and whose place the closing's takes.
    pub replaces: Option<&'a str>,
    /// Whether the report was told before, or another one of the same mail that came back for the time being.
    pub told: bool,
    /// Whether somebody complained and no operator has set that aside since.
    pub complained: bool,
    /// The mails in a row that came back for the time being, with the one that is told now.
    pub passing: Option<u32>,
    /// How often the preferences were changed within a day.
    pub preferred: usize,
}

impl App {
    /// Reads the contact under its lock, lets `decide` say what happens, and writes it. None where the contact is gone; facts
    /// that are empty change nothing. When this returns, what happened is on disk.
    pub(super) async fn close(
        &self,
        brand: &Brand,
        contact: ContactId,
        closing: Closing<'_>,
        decide: impl Fn(Under<'_>) -> Happened,
    ) -> Result<Option<Happened>, StoreError> {
        let nothing = Also {
            request: None,
            write: &|_| {},
        };
        self.close_with(brand, contact, closing, decide, nothing)
            .await
    }

    /// The same with more that is written in the same transaction, if anything happens.
    pub(super) async fn close_with(
        &self,
        brand: &Brand,
        contact: ContactId,
        closing: Closing<'_>,
        decide: impl Fn(Under<'_>) -> Happened,
        also: Also<'_>,
    ) -> Result<Option<Happened>, StoreError> {
        let mut conn = self.store.read().await?;
        let known = contacts::find_by_id(&mut conn, brand.id, contact).await?;
        drop(conn);
        let Some(known) = known else {
            return Ok(None);
        };
        decided(|| self.try_close(&known, closing, &decide, also)).await
    }

    async fn try_close(
        &self,
        known: &Contact,
        closing: Closing<'_>,
        decide: &impl Fn(Under<'_>) -> Happened,
        also: Also<'_>,
    ) -> Result<Option<Happened>, StoreError> {
        let brand = known.brand_id;
        let hash = known.mailbox_hash()?;
        let address_only = closing.suppress == Some("bounced") && is_tagged(known);
        let closing = Closing {
            suppress: closing.suppress.filter(|_| !address_only),
            ..closing
        };
        let mut locks = Locks::default();
        locks.contact(brand, &known.address_key);
        if closing.suppress.is_some() {
            locks.mailbox(brand, &hash);
        }
        let mut held = self.store.hold(locks).await?;
        let conn = held.conn();
        let Some(mut contact) = contacts::find_by_id(conn, brand, known.id).await? else {
            return Ok(None);
        };
        let told_before = was_told(conn, &contact, closing, self.clock.now()).await?;
        let (mut complained, mut passing, mut preferred) = (false, None, 0);
        let mut closing = if told_before {
            closing.opened()
        } else {
            closing
        };
        match closing.look {
            Look::Nothing => {}
            Look::Complaint => complained = complaint_stands(conn, &contact).await?,
            Look::Passing { limit, .. } => {
                let times = bounce::passing(conn, &contact).await?.saturating_add(1);
                passing = Some(times);
                if times < limit {
                    closing = closing.opened();
                }
            }
            Look::Preferred => {
                let now = self.clock.now();
                preferred = prefer::changes_of_late(conn, (brand, contact.id), now).await?;
            }
        }
        let mut ending = open_requests(conn, &contact, closing.ending).await?;
        let mailboxes = match closing.suppress {
            Some(_) => budgets::find_mailboxes(conn, &[(brand, hash)]).await?,
            None => Vec::new(),
        };
        let suppressed = mailboxes.first().filter(|one| one.suppressed_at.is_some());
        let known = suppressed.map(|one| one.suppressed_for.as_deref().unwrap_or_default());
        let reason = closing.suppress.unwrap_or_default();
        let replaces = known.filter(|known| outweighs(reason, known));
        let happened = decide(Under {
            contact: &contact,
            ending: &ending,
            suppressed: known.is_some() && replaces.is_none(),
            address_only,
            replaces,
            told: told_before,
            complained,
            passing,
            preferred,
        });
        if happened.facts.is_empty() {
            return Ok(Some(happened));
        }
        // The clock is read under the locks, so that times within one contact never run backwards.
        let now = self.clock.now();
        let about = About {
            brand,
            contact: contact.id,
            request: closing.request,
        };
        let mut told = Vec::with_capacity(happened.facts.len());
        for fact in &happened.facts {
            apply(&mut contact.standings, fact, now);
            told.push(self.work().record(about, now, fact.clone())?);
        }
        if let Some(language) = &happened.language {
            contact.language.clone_from(language);
        }
        for request in &mut ending {
            request.state = closing.state.as_str().to_owned();
            request.ended_at = Some(now);
        }
        let mut writes = Writes::default();
        // Nothing is left that somebody who never confirmed could answer.
        let all_ended = matches!(closing.ending, Ending::All);
        let since = (all_ended && never_confirmed(&contact.standings)).then_some(now);
        contacts::put_closed(&mut writes, &contact, since);
        count_for_campaigns(&mut writes, &contact, closing, &happened.facts, now);
        requests::update(&mut writes, &ending);
        events::append(&mut writes, &told);
        (also.write)(&mut writes);
        let mails = ending.iter().filter(|request| request.mailed != 0);
        for request in mails.filter(|request| also.request != Some(request.id)) {
            outbox::remove_untried(&mut writes, request.id);
        }
        if let Some(reason) = closing.suppress {
            let known = mailboxes.into_iter().next();
            let mut mailbox = known.unwrap_or_else(|| empty_mailbox(brand, hash));
            close_mailbox(&mut mailbox, reason, now);
            budgets::put_mailboxes(&mut writes, &[mailbox]);
        }
        // If the process dies before this commit, nothing happened; after it all of it has.
        held.finish(writes).await?;
        for request in &ending {
            self.live.answered(request.id);
        }
        Ok(Some(happened))
    }
}

/// Whether mail that comes back from the contact's address says nothing of its mailbox.
fn is_tagged(contact: &Contact) -> bool {
    let address = EmailAddress::of_key(&contact.address_key);
    address.is_some_and(|address| address.is_tagged())
}

/// What a campaign is stopped for: mails that were refused or came back, and complaints.
fn count_for_campaigns(
    writes: &mut Writes,
    contact: &Contact,
    closing: Closing<'_>,
    facts: &[Fact],
    now: Timestamp,
) {
    let is = |kind: fn(&Fact) -> bool| facts.iter().any(kind);
    if let Some(request) = closing.request
        && is(|fact| matches!(fact, Fact::Bounced(_) | Fact::MailFailed { .. }))
    {
        let for_good = closing.state == RequestState::Bounced;
        campaign_fates::put_returned(writes, (contact.brand_id, request), for_good, now);
    }
    if is(|fact| matches!(fact, Fact::Complained(_))) {
        let who = (contact.brand_id, contact.id);
        campaign_fates::put_complained(writes, who, closing.request, now);
    }
}

/// Whether an event of the contact came of this report already, or, of a mail that came back for the time being, of another one
/// about the same mail. What names no mail counts once for its request; once a day where it belongs to none.
async fn was_told(
    conn: &mut Conn,
    contact: &Contact,
    closing: Closing<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let which = match closing.look {
        Look::Passing { which, .. } => which,
        _ => Which::Any,
    };
    if closing.report.is_empty() && matches!(which, Which::Any) {
        return Ok(false);
    }
    let is_of_the_mail = |event: &Event| match (&event.fact, which) {
        (Fact::Bounced(one), Which::Named(id)) => {
            one.passing.is_some() && one.mail.as_deref() == Some(id)
        }
        (Fact::Bounced(one), Which::Unnamed) if one.passing.is_some() => {
            event.request == closing.request
                && (event.request.is_some() || now.since(event.at) < A_DAY)
        }
        _ => false,
    };
    let came_of =
        |event: &Event| event.fact.report() == Some(closing.report) || is_of_the_mail(event);
    let mut after = 0;
    loop {
        let page = events::list_told(conn, contact.brand_id, contact.id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(false);
        };
        after = last.position;
        if read_all(&page)?.iter().any(came_of) {
            return Ok(true);
        }
    }
}

/// Whether the events tell of a complaint that no operator has set aside since.
async fn complaint_stands(conn: &mut Conn, contact: &Contact) -> Result<bool, StoreError> {
    let (brand, id) = (contact.brand_id, contact.id);
    let complained = events::last_of_kind(conn, brand, id, "complained").await?;
    let lifted = events::last_of_kind(conn, brand, id, "suppression_lifted").await?;
    Ok(complained.map(|one| one.0) > lifted.map(|one| one.0))
}

/// The contact's open requests that end.
pub(super) async fn open_requests(
    conn: &mut Conn,
    contact: &Contact,
    ending: Ending<'_>,
) -> Result<Vec<RequestRow>, StoreError> {
    if matches!(ending, Ending::None) {
        return Ok(Vec::new());
    }
    let keys = requests_of(conn, contact).await?;
    let mut open = Vec::new();
    for part in keys.chunks(crate::store::set::ROWS_AT_MOST) {
        let found = requests::list(conn, part).await?;
        open.extend(
            found
                .into_iter()
                .filter(|request| request.state == RequestState::Open.as_str()),
        );
    }
    if let Ending::For(purposes) = ending {
        open.retain(|request| request.purposes().iter().any(|one| purposes.contains(one)));
    }
    Ok(open)
}

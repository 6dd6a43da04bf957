//! Asking anew whom a mail was to ask that came to its turn too late: a pause or a silent server outlasted the time to answer.

use crate::app::App;
use crate::app::record::About;
use crate::domain::event::Fact;
use crate::domain::standing::RequestState;
use crate::domain::time::Timestamp;
use crate::store::held::decided;
use crate::store::locks::Locks;
use crate::store::outbox::{self, OutboxRow};
use crate::store::requests;
use crate::store::set::Writes;
use crate::store::{StoreError, campaigns, contacts, events};

const TOO_LATE: &str =
    "the time to answer would have been over before it left; the person is asked anew";

/// A mail of a campaign that does not leave.
pub(in crate::app) fn mail_failed(mail: &OutboxRow, why: &str) -> Fact {
    let own = mail.message_id.clone();
    Fact::MailFailed {
        message_id: own.unwrap_or_else(|| mail.id.to_string()),
        reason: why.to_owned(),
        tries: mail.tries,
        ambiguous: mail.ambiguous != 0,
    }
}

impl App {
    /// Takes a campaign's first mail out of the outbox that this process has claimed and that no server can have got. Where it could
    /// not leave before the time to answer is over, and nobody has answered, its request ends, and the recipient waits to be asked
    /// again from then on, with the release that an operator gave; a campaign that was done goes on.
    pub(in crate::app) async fn ask_anew(
        &self,
        mail: &OutboxRow,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        decided(|| self.try_ask_anew(mail, from)).await
    }

    async fn try_ask_anew(&self, mail: &OutboxRow, from: Timestamp) -> Result<(), StoreError> {
        let (brand, key) = (mail.brand_id, (mail.brand_id, mail.request_id));
        let mut conn = self.store.read().await?;
        let contact = contacts::find_by_id(&mut conn, brand, mail.contact_id).await?;
        let request = requests::find(&mut conn, brand, mail.request_id).await?;
        drop(conn);
        let campaign = request.and_then(|request| request.campaign_id);
        let (Some(contact), Some(campaign)) = (contact, campaign) else {
            let mut writes = Writes::default();
            outbox::remove(&mut writes, self.store.engine(), &[mail.key()]);
            return self.store.write_now(writes).await;
        };
        let mut locks = Locks::default();
        locks.campaign(brand, campaign);
        locks.contact(brand, &contact.address_key);
        let mut held = self.store.hold(locks).await?;
        let conn = held.conn();
        let request = requests::find(conn, brand, mail.request_id).await?;
        let row = campaigns::find_by_id(conn, brand, campaign).await?;
        let place = match &row {
            Some(row) => campaigns::list_of(conn, row, &[mail.contact_id]).await?,
            None => Vec::new(),
        };
        let over = match request {
            None => false,
            Some(request) => match request.state()? {
                RequestState::Open => from >= request.expires_at,
                state => state == RequestState::Expired,
            },
        };
        let waits = place.iter().any(|one| {
            one.request_id == Some(mail.request_id)
                && one.mail.is_none()
                && matches!(one.state.as_str(), "asked" | "unanswered")
        });
        let mut writes = Writes::default();
        outbox::remove(&mut writes, self.store.engine(), &[mail.key()]);
        let goes = row.as_ref().is_some_and(|row| row.state != "cancelled");
        if over && waits && goes {
            // The clock is read under the locks, so that times within one contact never run backwards.
            let now = self.clock.now();
            let about = About {
                brand,
                contact: mail.contact_id,
                request: Some(mail.request_id),
            };
            let event = self
                .work()
                .record(about, now, mail_failed(mail, TOO_LATE))?;
            events::append(&mut writes, &[event]);
            requests::end_unsent(&mut writes, &[key], now);
            campaigns::ask_anew(&mut writes, key, from.max(now));
            if let Some(row) = row.filter(|row| row.state == "done") {
                campaigns::go_on(&mut writes, &row);
            }
        }
        // If the process dies before this commit, the mail is claimed again; after it the person waits to be asked.
        held.finish(writes).await
    }
}

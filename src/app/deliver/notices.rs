//! Sending the operator's notices. They have no contact and no request, and so no place in the outbox of confirmations.

use std::time::Duration;

use super::Delivery;
use crate::app::lapse::NOTICE;
use crate::app::restored::HELD;
use crate::domain::time::Timestamp;
use crate::mail::notice::LapseNotice;
use crate::mail::transport::{Envelope, Outcome};
use crate::store::notices::{self, NoticeRow};
use crate::store::{StoreError, settings};

/// How long a notice is one worker's to send; a try takes less.
const LEASE: Duration = Duration::from_secs(900);
/// Between two tries; with tomorrow's notice this one is out of date.
const AGAIN: Duration = Duration::from_secs(3_600);
const TRIES: i64 = 20;

impl Delivery {
    /// Sends the notices that are due; answers with how many a server took. If the process dies between the server's reply and the
    /// commit, the notice is sent once more, with the same Message-ID.
    pub async fn send_notices(&self) -> Result<usize, StoreError> {
        let Some(to) = self.app.config.notice_email.as_deref() else {
            return Ok(0);
        };
        let mut conn = self.app.store.read().await?;
        let held = settings::find(&mut conn, HELD).await?.is_some();
        let due = notices::is_due(&mut conn, self.app.clock.now()).await?;
        drop(conn);
        if held || !due {
            return Ok(0);
        }
        let now = self.app.clock.now();
        let mut tx = self.app.store.write().await?;
        let rows = notices::claim(&mut tx, now, now.plus(LEASE)).await?;
        tx.commit().await?;
        let mut sent = 0;
        for row in rows {
            let (state, due_at, reply) = self.send_notice(&row, to).await;
            let mut tx = self.app.store.write().await?;
            notices::settle(&mut tx, &row, state, due_at, &reply).await?;
            tx.commit().await?;
            sent += usize::from(state == "sent");
        }
        Ok(sent)
    }

    /// One try; answers with the notice's state, when it is due again, and what the server said.
    async fn send_notice(&self, row: &NoticeRow, to: &str) -> (&'static str, Timestamp, String) {
        let now = self.app.clock.now();
        let catalog = self.app.catalog();
        let Some(brand) = catalog.brand(row.brand_id) else {
            return ("failed", now, "the brand is gone".to_owned());
        };
        let from = &brand.declared.from_address;
        let domain = from.rsplit('@').next().unwrap_or("localhost");
        let mail = LapseNotice {
            brand,
            to,
            contacts: row.contacts,
            first_until: row.first_until,
            within_days: NOTICE.as_secs() / 86_400,
            admin_url: self.app.url("/admin"),
            message_id: format!("lapsing-{}-{}@{domain}", row.day, row.brand_id),
            now,
        };
        let signed = mail
            .compose()
            .map_err(|problem| problem.to_string())
            .and_then(|bytes| self.signed(bytes, now));
        let bytes = match signed {
            Ok(bytes) => bytes,
            Err(problem) => return ("failed", now, problem),
        };
        let envelope = Envelope {
            from: from.clone(),
            to: to.to_owned(),
        };
        match self.transport.send(&envelope, &bytes).await {
            Outcome::Accepted { reply } => ("sent", now, reply),
            Outcome::Rejected { reply, .. } => ("failed", now, reply),
            Outcome::Deferred { reason, .. } | Outcome::Unknown { reason } => {
                let state = if row.tries < TRIES { "due" } else { "failed" };
                (state, now.plus(AGAIN), reason)
            }
        }
    }
}

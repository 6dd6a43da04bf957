//! A copy of all that is known of a contact, for the person (GDPR, articles 15 and 20).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::record::read;
use crate::domain::brand::Brand;
use crate::domain::event::AskedBy;
use crate::domain::hex::hex;
use crate::domain::ids::{BrandId, ContactId, RequestId};
use crate::store::budgets;
use crate::store::requests::{self, RequestRow};
use crate::store::set::ROWS_AT_MOST;
use crate::store::{Conn, StoreError, contacts, events, personal, uses, wishes};

/// Events of a contact that are read at a time.
const PAGE: i64 = 1_000;
/// Events that a copy holds at most, as many as the evidence bundle.
const EVENTS_AT_MOST: usize = 20_000;

/// The contact's events, oldest first.
struct Story {
    events: Vec<Value>,
    requests: BTreeSet<RequestId>,
    /// There are more events than a copy holds.
    is_cut: bool,
}

impl App {
    /// The copy; none of a contact that is gone. The mails as they were sent and the forms as they were shown are in the
    /// evidence bundle.
    pub async fn data_of(
        &self,
        brand: &Brand,
        contact: ContactId,
    ) -> Result<Option<Value>, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(contact) = contacts::find_by_id(&mut conn, brand.id, contact).await? else {
            return Ok(None);
        };
        let (of, id) = (brand.id, contact.id);
        let story = story(&mut conn, of, id).await?;
        let keys: Vec<_> = story.requests.iter().map(|id| (of, *id)).collect();
        let mut asked = Vec::with_capacity(keys.len());
        for part in keys.chunks(ROWS_AT_MOST) {
            asked.append(&mut requests::list(&mut conn, part).await?);
        }
        asked.sort_unstable_by_key(|request| request.issued_at);
        let hash = contact.mailbox_hash()?;
        let mailbox = budgets::find_mailboxes(&mut conn, &[(of, hash)]).await?;
        let last_used = uses::list(&mut conn, of, &[id]).await?;
        let unsent = personal::list_unsent(&mut conn, of, id).await?;
        let campaigns = personal::list_campaigns(&mut conn, of, id).await?;
        let proofs = personal::list_proofs(&mut conn, of, id).await?;
        let told = personal::list_told(&mut conn, of, id).await?;
        let wish = wishes::find(&mut conn, of, id).await?;
        Ok(Some(json!({
            "brand": AskedBy::from(&brand.declared),
            "made_at": self.clock.now(),
            "contact": id,
            "address": contact.address,
            "name": contact.name,
            "language": contact.language,
            "known_since": contact.created_at,
            "purposes": contact.standings,
            "suppressed": mailbox.first().and_then(|mailbox| mailbox.suppressed_at.map(|since| json!({
                "since": since,
                "why": mailbox.suppressed_for,
            }))),
            "erasure_wished_at": wish.map(|wish| wish.wished_at),
            "last_used": all(&last_used, |one| json!({"purpose": one.purpose, "at": one.used_at})),
            "requests": all(&asked, request),
            "unsent_mails": all(&unsent, |one| json!({
                "template": one.template,
                "state": one.state,
                "due_at": one.due_at,
                "tries": one.tries,
                "first_try_at": one.first_try_at,
                "message_id": one.message_id,
                "last_reply": one.last_reply,
            })),
            "campaigns": all(&campaigns, |one| json!({
                "name": one.name,
                "state": one.state,
                "why": one.why,
                "source": one.source,
                "mail": one.mail,
                "asked_at": one.asked_at,
                "reminded_at": one.reminded_at,
            })),
            "proof_files": all(&proofs, |one| json!({
                "sha256": hex(&one.sha256),
                "bytes": one.bytes,
                "kept_at": one.kept_at,
                "import": one.import,
            })),
            "told_to": all(&told, |one| json!({
                "url": one.url,
                "type": one.kind,
                "state": one.state,
                "at": one.last_try_at,
            })),
            "events": story.events,
            "events_left_out": story.is_cut,
        })))
    }
}

fn all<T>(rows: &[T], told: impl Fn(&T) -> Value) -> Vec<Value> {
    rows.iter().map(told).collect()
}

fn request(row: &RequestRow) -> Value {
    json!({
        "id": row.id,
        "purposes": row.purposes(),
        "language": row.language,
        "page_host": row.page_host,
        "form_version": row.form_version,
        "state": row.state,
        "mailed": row.mailed != 0,
        "issued_at": row.issued_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "entered_at": row.entered_at,
    })
}

async fn story(conn: &mut Conn, brand: BrandId, contact: ContactId) -> Result<Story, StoreError> {
    let mut story = Story {
        events: Vec::new(),
        requests: BTreeSet::new(),
        is_cut: false,
    };
    let mut after = 0;
    loop {
        let page = events::list_after(conn, brand, contact, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(story);
        };
        if story.events.len() >= EVENTS_AT_MOST {
            story.is_cut = true;
            return Ok(story);
        }
        after = last.position;
        for stored in &page {
            let Some(event) = read(stored)? else {
                continue;
            };
            story.requests.extend(event.request);
            let circumstances = event.fact.circumstances().cloned();
            let mut told = serde_json::to_value(&event).unwrap_or_default();
            if stored.circumstances.is_some() {
                told["circumstances"] = serde_json::to_value(circumstances).unwrap_or_default();
            }
            story.events.push(told);
        }
    }
}

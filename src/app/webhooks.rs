//! Webhooks: who is told of events, and how that goes. `tell` does the telling.

mod message;
mod tell;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::App;
use super::acted::Acting;
use super::outside::plain;
use crate::config::Webhooks as Settings;
use crate::domain::announcement::Kind;
use crate::domain::brand::Brand;
use crate::domain::ids::WebhookId;
use crate::domain::operator::Deed;
use crate::domain::webhook::{OLD_SECRET_FOR, written};
use crate::outgoing::{self, Limits, Outgoing};
pub use crate::store::webhooks::MessageRow;
use crate::store::webhooks::{self, WebhookRow};
use crate::store::{StoreError, log};

pub use self::message::Tried;

/// Each is told every event, so a hundred would be a hundred times the work.
const AT_MOST: i64 = 100;
const URL_AT_MOST: usize = 1_000;
const ABOUT_AT_MOST: usize = 200;
/// Requests to receivers at once, over all webhooks of the process; each holds a thread.
const REQUESTS_AT_ONCE: usize = 32;
/// Bytes of an answer that are read: what it says is kept for the operator, shortened.
const ANSWER_AT_MOST: u64 = 16 << 10;
/// How long, and how many, deliveries are kept of each webhook.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
const KEPT_AT_MOST: i64 = 1_000;

/// The way out to receivers, and who this process is among those that tell them.
pub struct Telling {
    outgoing: Outgoing,
    allow_private: bool,
    within: Duration,
    holder: Uuid,
    /// Until when this process has the right to tell each.
    leases: Mutex<HashMap<WebhookId, i64>>,
    /// Those that it is telling at this moment.
    busy: Mutex<HashSet<WebhookId>>,
}

impl Telling {
    pub(super) fn new(settings: &Settings, holder: Uuid) -> Self {
        let limits = Limits {
            allow_private: settings.allow_private,
            within: settings.within,
            answer_at_most: ANSWER_AT_MOST,
        };
        Self {
            outgoing: Outgoing::with_turns(limits, REQUESTS_AT_ONCE),
            allow_private: settings.allow_private,
            within: settings.within,
            holder,
            leases: Mutex::default(),
            busy: Mutex::default(),
        }
    }
}

/// A webhook that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    pub url: String,
    /// None at all: every kind.
    pub kinds: Vec<Kind>,
    /// None: every brand.
    pub brand: Option<Arc<Brand>>,
    /// What it is for, in the operator's words.
    pub about: String,
}

/// Why a webhook was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookProblem {
    #[error("{0}")]
    Url(String),
    #[error("a description has {ABOUT_AT_MOST} characters at most")]
    About,
    #[error("there are {AT_MOST} webhooks, and more are not told")]
    TooMany,
    #[error("there is no such webhook")]
    Unknown,
    /// Two rotated at once.
    #[error("its secret was rotated at the same moment")]
    Overtaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A webhook as others see it.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub row: WebhookRow,
    /// None at all: every kind.
    pub kinds: Vec<Kind>,
    /// Messages that wait, counted up to 1,000.
    pub waiting: i64,
}

impl App {
    /// Makes a webhook; answers with it and with its secret. It is told what happens from now on.
    pub async fn add_webhook(
        &self,
        by: Option<&Acting>,
        new: NewWebhook,
    ) -> Result<(WebhookRow, String), WebhookProblem> {
        self.check_receiver(&new.url)?;
        if new.about.chars().count() > ABOUT_AT_MOST {
            return Err(WebhookProblem::About);
        }
        let now = self.clock.now();
        let id = WebhookId(self.random.uuid_v7(now));
        let mut kinds = new.kinds;
        kinds.sort_unstable();
        kinds.dedup();
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        let key_id = self.keys.current_id();
        self.changed(by, id, "added").await?;
        let mut tx = self.store.write().await?;
        if webhooks::count(&mut tx).await? >= AT_MOST {
            return Err(WebhookProblem::TooMany);
        }
        let head = log::head(&mut tx).await?;
        let row = WebhookRow {
            id,
            brand_id: new.brand.map(|brand| brand.id),
            url: new.url,
            types: names.join(" "),
            about: plain(&new.about),
            state: "active".to_owned(),
            why: None,
            position: head.map_or(0, |head| head.last_position),
            key_id: i64::from(key_id),
            generation: 1,
            old_key_id: None,
            old_generation: None,
            old_until: None,
            failures: 0,
            failing_since: None,
            next_try_at: crate::domain::time::Timestamp::from_micros(0),
            created_at: now,
        };
        webhooks::insert(&mut tx, &row).await?;
        tx.commit().await?;
        let secret = self.secret_of(&row, key_id, 1);
        Ok((row, secret))
    }

    /// Keeps who does what with a webhook; `by` is nobody on the command line.
    async fn changed(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
        what: &str,
    ) -> Result<(), StoreError> {
        self.acted_by(by, Deed::WebhookChanged, format!("{id}: {what}"))
            .await
    }

    fn secret_of(&self, row: &WebhookRow, key_id: u8, generation: i64) -> String {
        let secret = self.keys.webhook_secret(key_id, row.id.0, generation);
        secret.map_or_else(String::new, |secret| written(&secret))
    }

    fn check_receiver(&self, url: &str) -> Result<(), WebhookProblem> {
        let allow_private = self.telling.allow_private;
        if url.len() > URL_AT_MOST || url.contains(|c: char| c.is_control() || c == ' ') {
            let what = format!("the URL has {URL_AT_MOST} characters at most, and no spaces");
            return Err(WebhookProblem::Url(what));
        }
        outgoing::check_url(url, allow_private).map_err(WebhookProblem::Url)?;
        if !allow_private && !url.starts_with("https://") {
            let what = "the URL must begin with https://: what is told are personal data";
            return Err(WebhookProblem::Url(what.to_owned()));
        }
        Ok(())
    }

    /// All webhooks, oldest first.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut conn = self.store.read().await?;
        let mut all = Vec::new();
        for row in webhooks::list(&mut conn).await? {
            let waiting = webhooks::count_waiting(&mut conn, row.id, 1_000).await?;
            all.push(told(row, waiting));
        }
        Ok(all)
    }

    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let mut conn = self.store.read().await?;
        let Some(row) = webhooks::find(&mut conn, id).await? else {
            return Ok(None);
        };
        let waiting = webhooks::count_waiting(&mut conn, id, 1_000).await?;
        Ok(Some(told(row, waiting)))
    }

    /// Nothing is sent to it until it is resumed; then it is told everything that happened meanwhile, and what waited has all of
    /// its 72 hours once more.
    pub async fn pause_webhook(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
    ) -> Result<(), WebhookProblem> {
        self.changed(by, id, "paused").await?;
        self.set_webhook(id, "paused", Some("an operator paused it"))
            .await
    }

    pub async fn resume_webhook(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
    ) -> Result<(), WebhookProblem> {
        self.changed(by, id, "resumed").await?;
        self.set_webhook(id, "active", None).await
    }

    async fn set_webhook(
        &self,
        id: WebhookId,
        state: &str,
        why: Option<&str>,
    ) -> Result<(), WebhookProblem> {
        let mut tx = self.store.write().await?;
        if !webhooks::set_state(&mut tx, id, state, why).await? {
            return Err(WebhookProblem::Unknown);
        }
        if state == "active" {
            webhooks::begin_anew(&mut tx, id, self.clock.now()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Gives it a new secret. For a day each message is signed with the old one as well.
    pub async fn rotate_webhook(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
    ) -> Result<String, WebhookProblem> {
        self.changed(by, id, "secret rotated").await?;
        let now = self.clock.now();
        let key_id = self.keys.current_id();
        let mut tx = self.store.write().await?;
        let row = webhooks::find(&mut tx, id).await?;
        let row = row.ok_or(WebhookProblem::Unknown)?;
        let next = row.generation + 1;
        let until = now.plus(OLD_SECRET_FOR);
        if !webhooks::rotate(&mut tx, id, i64::from(key_id), next, until).await? {
            return Err(WebhookProblem::Overtaken);
        }
        tx.commit().await?;
        Ok(self.secret_of(&row, key_id, next))
    }

    /// What waits for it is not told to anybody any more.
    pub async fn remove_webhook(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
    ) -> Result<(), WebhookProblem> {
        self.changed(by, id, "removed").await?;
        let mut tx = self.store.write().await?;
        if !webhooks::remove(&mut tx, id).await? {
            return Err(WebhookProblem::Unknown);
        }
        Ok(tx.commit().await?)
    }

    /// What was sent, and what waits, newest first, before a position.
    pub async fn deliveries(
        &self,
        id: WebhookId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut conn = self.store.read().await?;
        webhooks::list_messages(&mut conn, id, before.unwrap_or(i64::MAX), limit).await
    }

    /// The same the other way round: behind a position, the oldest first.
    pub async fn deliveries_after(
        &self,
        id: WebhookId,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut conn = self.store.read().await?;
        webhooks::list_messages_after(&mut conn, id, after.unwrap_or(-1), limit).await
    }

    /// Forgets old deliveries.
    pub(super) async fn tidy_webhooks(&self) -> Result<u64, StoreError> {
        let before = self.clock.now().minus(KEPT_FOR);
        let all = webhooks::list(&mut self.store.read().await?).await?;
        let mut removed = 0;
        for row in all {
            let mut tx = self.store.write().await?;
            removed += webhooks::prune(&mut tx, row.id, before, KEPT_AT_MOST).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }
}

fn told(row: WebhookRow, waiting: i64) -> Webhook {
    Webhook {
        kinds: row.types.split(' ').filter_map(Kind::parse).collect(),
        row,
        waiting,
    }
}

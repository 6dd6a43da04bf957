//! Entries that waited on a booth's tablet: opened, and recorded through the same signup as any other.

use std::sync::Arc;

use futures_util::future::join_all;
use uuid::Uuid;

use super::App;
use super::sign_up::{Refusal, Submission};
use crate::domain::booth::{AtBooth, BoothKey, Content, TabletClock, Untimely, Waiting};
use crate::domain::circumstances::Circumstances;
use crate::domain::form::Form;
use crate::domain::time::Timestamp;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk, by this sending or by an earlier one.
    Recorded,
    /// It will never be taken as it is; the tablet keeps it for the staff to see.
    Refused(Unrecorded),
    /// The fault is ours: the tablet keeps it and sends it again.
    NotNow,
}

/// Why an entry cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecorded {
    /// Sealed to another key, for another form, or damaged.
    Unreadable,
    Untimely(Untimely),
    Typed(Refusal),
}

impl App {
    /// The id and the public half of the key that entries of a form are sealed to.
    pub fn booth_key(&self, form: &Form) -> (u8, String) {
        let id = self.keys.current_id();
        let key = self.opening_key(id, form);
        (id, key.map_or_else(String::new, |key| key.public_text()))
    }

    fn opening_key(&self, key_id: u8, form: &Form) -> Option<BoothKey> {
        let secret = self.keys.booth_secret(key_id, form.id.0)?;
        Some(BoothKey::derive(&secret))
    }

    /// Records what waited, and was sent at `sent_at` by the tablet's clock. One entry never touches another: each has its own answer, in their order.
    pub async fn record_waiting(
        &self,
        form: &Arc<Form>,
        waiting: Vec<Waiting>,
        sent_at: Option<Timestamp>,
        circumstances: &Circumstances,
    ) -> Vec<(Uuid, Outcome)> {
        // Together, so that they are one batch.
        join_all(waiting.into_iter().map(|entry| async move {
            let id = entry.id;
            (
                id,
                self.record_one(form, entry, sent_at, circumstances).await,
            )
        }))
        .await
    }

    async fn record_one(
        &self,
        form: &Arc<Form>,
        entry: Waiting,
        sent_at: Option<Timestamp>,
        circumstances: &Circumstances,
    ) -> Outcome {
        let slug = form.declared.slug.as_str();
        let opened = self
            .opening_key(entry.key_id, form)
            .and_then(|key| entry.open(&key, slug))
            .and_then(|content| Some((Timestamp::parse(&content.entered_at)?, content)));
        let Some((entered_at, content)) = opened else {
            return Outcome::Refused(Unrecorded::Unreadable);
        };
        let clock = TabletClock {
            entered_at,
            sent_at,
            after: content.after.as_deref().and_then(Timestamp::parse),
        };
        let booth = match clock.read(self.clock.now()) {
            Ok((entered_at, clock_said)) => AtBooth {
                entry: Some(entry.id),
                entered_at,
                clock_said,
            },
            Err(untimely) => return Outcome::Refused(Unrecorded::Untimely(untimely)),
        };
        match self
            .sign_up(form, submission(content, booth, circumstances))
            .await
        {
            Ok(_) => Outcome::Recorded,
            Err(Refusal::Store) => Outcome::NotNow,
            Err(refusal) => Outcome::Refused(Unrecorded::Typed(refusal)),
        }
    }
}

fn submission(content: Content, booth: AtBooth, circumstances: &Circumstances) -> Submission {
    Submission {
        email: content.email,
        name: content.name,
        purposes: content.purposes,
        language: content.lang,
        page: content.page,
        version: content.version,
        fields: content.fields,
        bot: content.bot,
        booth: Some(booth),
        passed_on: None,
        corrects: None,
        circumstances: circumstances.clone(),
    }
}

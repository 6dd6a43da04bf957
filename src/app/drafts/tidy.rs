//! Removing what nobody came back to. Each process looks after the files that it has.

use std::collections::HashSet;
use std::time::Duration;

use super::campaign::CampaignDraft;
use super::files::{self, Part};
use super::{ImportDraft, Kind, Stage};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, drafts};

/// How long a list or a campaign waits for somebody to go on with it.
pub const KEPT_FOR: Duration = Duration::from_secs(86_400);
/// How long a report can be fetched: it names also those of whom nothing else is kept.
pub const REPORT_KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);
/// A file without a draft is one that was just brought, or that was left behind.
const STRAY: Duration = Duration::from_secs(3_600);

impl App {
    /// Removes drafts whose time is over, and files that belong to none.
    pub async fn tidy_drafts(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let all = drafts::list_all(&mut conn).await?;
        drop(conn);
        let is_cut = all.len() >= drafts::ALL_AT_MOST;
        let mut kept = HashSet::new();
        for row in all {
            let ends = end_of(&row.kind, &row.stage, row.begun_at, row.changed_at);
            if ends.is_some_and(|ends| ends <= now) {
                let mut tx = self.store.write().await?;
                drafts::delete(&mut tx, row.brand_id, row.id).await?;
                tx.commit().await?;
            } else {
                kept.insert(row.id);
                let folder = &self.config.uploads.folder;
                if row.stage == Stage::Done.as_str() {
                    let _ = files::remove_all(folder, row.id, &[Part::Report]);
                } else if row.stage == Stage::Failed.as_str()
                    && row.changed_at.plus(KEPT_FOR) <= now
                {
                    // Nobody went on with it for a day: whoever does has to bring the list again.
                    let _ = files::remove_part(folder, row.id, Part::List);
                    let _ = files::remove_part(folder, row.id, Part::Samples);
                }
            }
        }
        if is_cut {
            return Ok(());
        }
        if let Err(problem) = self.remove_strays(&kept) {
            tracing::warn!(%problem, "old lists could not be tidied away");
        }
        Ok(())
    }

    /// Removes the files of drafts that an erasure deleted: they may name the person. What another machine has of them its own
    /// tidying removes.
    pub(in crate::app) fn remove_files_of(&self, gone: &[uuid::Uuid]) {
        for id in gone {
            if let Err(problem) = files::remove_all(&self.config.uploads.folder, *id, &[]) {
                tracing::warn!(%problem, "the files of an import that is over are tidied away later");
            }
        }
    }

    fn remove_strays(&self, kept: &HashSet<uuid::Uuid>) -> std::io::Result<()> {
        for (id, path) in files::list(&self.config.uploads.folder)? {
            if kept.contains(&id) {
                continue;
            }
            let coming = path.extension().is_some_and(|ending| ending == "coming");
            // A list that is being brought takes its time; one that lies there whole has its draft within a moment.
            let wait = if coming { KEPT_FOR } else { STRAY };
            // A draft's id tells when it was made.
            let seconds = id.get_timestamp().map_or(0, |at| at.to_unix().0);
            let made = Timestamp::from_micros(i64::try_from(seconds).unwrap_or(0) * 1_000_000);
            if self.clock.now().since(made) > wait {
                files::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// When a draft is removed; none while something is done about it.
fn end_of(
    kind: &str,
    stage: &str,
    begun_at: Timestamp,
    changed_at: Timestamp,
) -> Option<Timestamp> {
    let stage = Stage::parse(stage)?;
    match (kind, stage) {
        (CampaignDraft::KIND, _) => Some(begun_at.plus(KEPT_FOR)),
        (ImportDraft::KIND, Stage::Open | Stage::Tried) => Some(begun_at.plus(KEPT_FOR)),
        (ImportDraft::KIND, Stage::Done | Stage::Failed) => Some(changed_at.plus(REPORT_KEPT_FOR)),
        _ => None,
    }
}

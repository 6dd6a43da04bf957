//! How far this process's clock is ahead of a time-stamping authority's, where another process has asked one. An event that
//! says so holds in a bundle although its clock was off (`docs/evidence-bundle.md`, step 8); a process that serves pages only
//! never asks an authority itself.
//!
//! Clocks of two machines are compared by way of the database server's: whoever asked tells how far that one was ahead of the
//! authority's, and everybody else compares his own with it. SQLite has no clock besides the machine's, which all its
//! processes share.

use super::App;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, settings};

/// How far the database's clock was ahead of an authority's, in microseconds, and when that was, by the database's clock.
const TOLD: &str = "authority_clock";

impl App {
    /// Tells other processes how far this one's clock is ahead.
    pub(super) async fn tell_ahead(&self, ahead: i64) -> Result<(), StoreError> {
        let (offset, database_now) = self.against_database().await?;
        let told = format!("{} {}", ahead.saturating_sub(offset), database_now.micros());
        let mut tx = self.store.write().await?;
        settings::put(&mut tx, TOLD, &told).await?;
        tx.commit().await
    }

    /// Takes over what another process has told since this one last knew.
    pub async fn learn_ahead(&self) -> Result<(), StoreError> {
        let told = settings::find(&mut self.store.read().await?, TOLD).await?;
        let Some((ahead, told_at)) = told.as_deref().and_then(read) else {
            return Ok(());
        };
        let (offset, database_now) = self.against_database().await?;
        let at = self.clock.now().minus(database_now.since(told_at));
        self.clock.learn_ahead(ahead.saturating_add(offset), at);
        Ok(())
    }

    /// How far this process's clock is ahead of the database's, in microseconds, and what that one shows. Zero where the
    /// time that the question took explains it.
    async fn against_database(&self) -> Result<(i64, Timestamp), StoreError> {
        let mut conn = self.store.read().await?;
        let asked_at = self.clock.now();
        let Some(shown) = conn.own_time().await? else {
            return Ok((0, asked_at));
        };
        let answered_at = self.clock.now();
        let least = asked_at.micros().saturating_sub(shown.micros());
        let most = answered_at.micros().saturating_sub(shown.micros());
        let offset = if least <= 0 && most >= 0 {
            0
        } else {
            least / 2 + most / 2
        };
        Ok((offset, shown))
    }
}

fn read(told: &str) -> Option<(i64, Timestamp)> {
    let (ahead, at) = told.split_once(' ')?;
    Some((
        ahead.parse().ok()?,
        Timestamp::from_micros(at.parse().ok()?),
    ))
}

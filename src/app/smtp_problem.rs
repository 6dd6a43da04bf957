//! What keeps mail from leaving, for `/readyz` and the operators' pages of every process: workers see it, and keep it in the
//! database when it changes.

use super::App;
use crate::store::{Conn, StoreError, settings};

const KEY: &str = "smtp_problem";
/// Characters of it: a server's reply may be long.
const AT_MOST: usize = 1_000;

impl App {
    /// Keeps what this process last saw, if it differs from what is kept: called every few seconds, and after a queue was sent
    /// off. So however fast mails fail and go through, few writes come of it.
    pub async fn keep_smtp_problem(&self) -> Result<(), StoreError> {
        let Some(problem) = self.live.new_smtp_problem() else {
            return Ok(());
        };
        let cut: Option<String> = problem
            .as_ref()
            .map(|text| text.chars().take(AT_MOST).collect());
        let mut conn = self.store.read().await?;
        let kept = settings::find(&mut conn, KEY).await?;
        drop(conn);
        if kept != cut {
            let mut tx = self.store.write().await?;
            match &cut {
                Some(text) => settings::put(&mut tx, KEY, text).await?,
                None => {
                    settings::clear(&mut tx, KEY).await?;
                }
            }
            tx.commit().await?;
        }
        self.live.smtp_problem_kept(problem.as_deref());
        Ok(())
    }

    /// What this process saw and did not keep yet, else what is kept.
    pub(super) async fn smtp_problem(&self, conn: &mut Conn) -> Result<Option<String>, StoreError> {
        match self.live.new_smtp_problem() {
            Some(problem) => Ok(problem),
            None => settings::find(conn, KEY).await,
        }
    }
}

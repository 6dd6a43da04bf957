//! Taking in the parts of an import, one behind the other. On SQLite a part is decided while the one before it is written: the
//! two have no address in common, or the later would wait for the locks of the earlier, and what one decides rests on nothing
//! that the other writes. Told of, counted and written they are in their order all the same.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Import;
use super::decide::Decided;
use super::lines::Lines;
use super::read::{Ahead, Problem, Progress};
use super::report::{Mark, Report};
use super::run::Run;
use super::tally::{Counts, Tally, Told};
use crate::app::App;
use crate::store::StoreError;
use crate::store::imports::{self, ImportRow};
use crate::store::locks::{Guard, Locks};

/// How often a part is decided anew that another process overtook.
const ATTEMPTS: usize = 5;

/// Parts of one turn. Between two turns whoever else waits for the import comes in, to take it back, say.
const PARTS: usize = 16;

/// A part that is being written.
struct Writing {
    rows: Lines,
    bytes: (u64, u64),
    /// The import as it stands with it.
    row: ImportRow,
    told: Vec<Told>,
    counts: Counts,
    /// The report as it was before.
    before: Option<Mark>,
    task: JoinHandle<Result<(), StoreError>>,
}

/// The import's lock, held over several parts.
struct Turn {
    guard: Arc<Guard>,
    left: usize,
}

/// An import whose parts are being taken in.
pub(super) struct Taking<'a, Hear> {
    app: &'a App,
    import: &'a Import<'a>,
    run: &'a mut Run,
    tally: &'a mut Tally,
    report: Option<Report>,
    progress: Hear,
    turn: Option<Turn>,
    writing: Option<Writing>,
}

impl<'a, Hear: FnMut(Progress)> Taking<'a, Hear> {
    pub fn begin(
        app: &'a App,
        import: &'a Import<'a>,
        (run, tally): (&'a mut Run, &'a mut Tally),
        report: Option<Report>,
        progress: Hear,
    ) -> Self {
        Self {
            app,
            import,
            run,
            tally,
            report,
            progress,
            turn: None,
            writing: None,
        }
    }

    /// Takes in all that is read, but for so many rows that were taken in before. The last part may still be under way.
    /// Answers with what the file was taken for.
    pub async fn take_all(
        &mut self,
        mut ahead: Ahead,
        mut to_skip: usize,
    ) -> Result<String, Problem> {
        while let Some(mut part) = ahead.next().await {
            let skipped = to_skip.min(part.rows.len());
            to_skip -= skipped;
            for row in part.rows.drain(..skipped).flatten() {
                self.tally.is_again(row.address.key());
            }
            if part.rows.is_empty() {
                self.settle().await?;
                (self.progress)(self.tally.progress(part.bytes));
            } else {
                let rows = Lines::of(part.rows, self.tally);
                self.take(rows, part.bytes).await?;
            }
            if let Some((problem, line)) = part.problem {
                return Err(Problem::File(problem, line));
            }
        }
        // Before the end is written: a reader that broke off has not come to it.
        ahead.about().await
    }

    /// Decides a part while the one before it is written, and begins to write it.
    async fn take(&mut self, rows: Lines, bytes: (u64, u64)) -> Result<(), Problem> {
        if self.turn.as_ref().is_none_or(|turn| turn.left == 0) {
            self.settle().await?;
            self.take_turn().await;
        }
        if let Some(turn) = &mut self.turn {
            turn.left -= 1;
        }
        let decided = self.decide(&rows).await;
        let decided = match self.settled().await? {
            None => decided?,
            Some(overtaken) => {
                // Its locks are let go of first, and it may be that what it read was overtaken too.
                drop(decided);
                self.take_anew(overtaken).await?;
                self.decide(&rows).await?
            }
        };
        self.write(rows, bytes, decided)
    }

    /// Waits until the part that is being written is on disk.
    pub async fn settle(&mut self) -> Result<(), Problem> {
        match self.settled().await? {
            None => Ok(()),
            Some(overtaken) => self.take_anew(overtaken).await,
        }
    }

    /// The same, but for a part that another process overtook: that one is handed back, and nothing of it is there.
    async fn settled(&mut self) -> Result<Option<Writing>, Problem> {
        let Some(mut writing) = self.writing.take() else {
            return Ok(None);
        };
        let written = (&mut writing.task).await;
        match written.unwrap_or(Err(StoreError::Busy)) {
            Ok(()) => {
                self.run.row = writing.row;
                self.tally.take(writing.told, writing.counts);
                (self.progress)(self.tally.progress(writing.bytes));
                Ok(None)
            }
            Err(StoreError::Overtaken) => Ok(Some(writing)),
            Err(error) => Err(error.into()),
        }
    }

    /// Decides a part again that another process overtook, and waits until it is written.
    async fn take_anew(&mut self, mut overtaken: Writing) -> Result<(), Problem> {
        for _ in 1..ATTEMPTS {
            if let (Some(report), Some(before)) = (self.report.as_mut(), &overtaken.before) {
                report.back_to(before)?;
            }
            let decided = self.decide(&overtaken.rows).await?;
            self.write(overtaken.rows, overtaken.bytes, decided)?;
            match self.settled().await? {
                None => return Ok(()),
                Some(again) => overtaken = again,
            }
        }
        Err(StoreError::Overtaken.into())
    }

    async fn decide(&mut self, rows: &Lines) -> Result<Decided, Problem> {
        let written = self.writing.as_ref().map(|writing| writing.row.rows_done);
        let candidates = rows.candidates.clone();
        self.app
            .decide_part(
                self.import,
                self.run,
                (self.turn.is_some(), written),
                candidates,
            )
            .await
    }

    /// Lets others have the import, and waits for it. PostgreSQL knows no locks beyond a transaction: no turns there, and each
    /// part is written before the next is decided.
    async fn take_turn(&mut self) {
        self.turn = None;
        let mut locks = Locks::default();
        locks.import(self.run.row.brand_id, self.run.row.id);
        let guard = self.app.store.hold_for_long(locks).await;
        self.turn = guard.map(|guard| Turn {
            guard: Arc::new(guard),
            left: PARTS,
        });
    }

    /// Tells of a part in the report, and begins to write it.
    fn write(&mut self, rows: Lines, bytes: (u64, u64), decided: Decided) -> Result<(), Problem> {
        let before = self.report.as_ref().map(Report::mark);
        let mut counts = self.tally.counts.clone();
        let told = rows.tell(decided.judged, &mut counts, self.report.as_mut())?;
        let mut row = self.run.row.clone();
        row.rows_done += i64::try_from(rows.count()).unwrap_or(0);
        row.counts = counts.to_string();
        if let Some(report) = &mut self.report {
            report.sync()?;
            row.report_bytes = i64::try_from(report.bytes()).ok();
            row.report_sha256 = Some(report.sha256());
        }
        let mut writes = decided.writes;
        imports::put_progress(&mut writes, &row);
        // If the process dies before this commit, the part is read again, and its lines of the report are written anew.
        // It goes on if nobody waits for it any more, and so long the import is nobody else's.
        let guard = self.turn.as_ref().map(|turn| turn.guard.clone());
        let task = tokio::spawn(async move {
            let written = decided.held.finish(writes).await;
            drop(guard);
            written
        });
        self.writing = Some(Writing {
            rows,
            bytes,
            row,
            told,
            counts,
            before,
            task,
        });
        Ok(())
    }
}

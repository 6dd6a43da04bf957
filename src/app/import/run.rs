//! Running an import: from its first row, or from where it stopped.

use std::path::Path;

use serde_json::Value;
use uuid::Uuid;

use super::known::Kept;
use super::lines::Lines;
use super::read::{Ahead, Problem, Progress};
use super::report::Report;
use super::take::Taking;
use super::tally::{Counts, Tally};
use super::{Again, Import, together};
use crate::app::App;
use crate::domain::brand::Brand;
use crate::domain::ids::ImportId;
use crate::intake::Rows;
use crate::intake::candidate::Reading;
use crate::store::imports::{self, ImportRow};
use crate::store::locks::Locks;
use crate::store::proofs::{self, FILES_AT_MOST, FileHash, ProofRow, Reference};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError};

/// Imports that are read at once.
const PAGE: usize = 500;

/// Why an import does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ImportProblem {
    #[error("the name of an import has 1 to 100 characters, and none that cannot be seen")]
    Name,
    #[error(
        "the import \"{0}\" was done already; if this is meant to be another one, give it a name of its own with --name"
    )]
    Done(String),
    #[error("the import \"{0}\" was taken back; give this one a name of its own with --name")]
    Withdrawn(String),
    #[error(
        "the import \"{0}\" began with {1}; to go on with it give the same file and the same arguments, or give this one \
         a name of its own with --name"
    )]
    Other(String, &'static str),
    #[error("the brand keeps {FILES_AT_MOST} files of proof, and no more")]
    ManyProofs,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An import that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewImport {
    pub name: String,
    pub file_name: String,
    pub file_sha256: [u8; 32],
    /// All that decides how the rows are read and judged.
    pub reading: Value,
    /// The contents of the files of proof that hold for all rows, by their hashes.
    pub proofs: Vec<(FileHash, Vec<u8>)>,
}

/// An import that may run.
#[derive(Clone, Debug)]
pub struct Begun {
    pub row: ImportRow,
    /// It had been interrupted.
    pub resumed: bool,
}

/// An import that runs.
pub(super) struct Run {
    pub row: ImportRow,
}

impl Run {
    /// Whether it stands where this process left it, or where the part that is being written leaves it.
    pub async fn check(&self, conn: &mut Conn, written: Option<i64>) -> Result<(), Problem> {
        let now = imports::find_by_id(conn, self.row.brand_id, self.row.id).await?;
        let same = now.is_some_and(|now| {
            now.state == "running"
                && (now.rows_done == self.row.rows_done || Some(now.rows_done) == written)
        });
        if same {
            Ok(())
        } else {
            Err(Problem::Elsewhere)
        }
    }

    /// A report tells of all rows, or of none.
    fn check_report(&self, wanted: bool) -> Result<(), std::io::Error> {
        let says = match (self.row.report_bytes, wanted) {
            (Some(_), false) => "the import began with one; give the same --report again",
            (None, true) if self.row.rows_done > 0 => {
                "the import began without one, and its first rows would be missing; leave --report away"
            }
            _ => return Ok(()),
        };
        Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, says))
    }

    /// Its report: a new one, or the one that it had begun.
    fn report(&self, path: &Path) -> Result<Report, std::io::Error> {
        match self
            .row
            .report_bytes
            .and_then(|bytes| u64::try_from(bytes).ok())
        {
            Some(kept) => Report::go_on(path, kept, self.row.report_sha256.as_deref()),
            None => Report::create(path),
        }
    }
}

impl App {
    /// Finds an import that was interrupted, or begins a new one.
    pub async fn begin_import(
        &self,
        import: &Import<'_>,
        new: NewImport,
    ) -> Result<Begun, ImportProblem> {
        let length = new.name.chars().count();
        if !(1..=100).contains(&length) || new.name.chars().any(char::is_control) {
            return Err(ImportProblem::Name);
        }
        let reading = new.reading.to_string();
        let now = self.clock.now();
        let mut locks = Locks::default();
        locks.proofs(import.brand.id);
        let mut held = self.store.hold_to_write(locks).await?;
        let tx = held.conn();
        let wanted = ImportRow {
            brand_id: import.brand.id,
            id: ImportId(self.random.uuid_v7(now)),
            name: new.name,
            purpose: import.purpose.to_string(),
            file_name: new.file_name,
            file_sha256: new.file_sha256.to_vec(),
            reading,
            state: "running".to_owned(),
            rows_done: 0,
            counts: Counts::default().to_string(),
            report_bytes: None,
            report_sha256: None,
            after_position: imports::last_position(tx).await?,
            last_position: None,
            started_at: now,
            ended_at: None,
        };
        imports::insert(tx, &wanted).await?;
        let found = imports::find(tx, wanted.brand_id, &wanted.name).await?;
        let row = found.ok_or(StoreError::Corrupt("an import that was just written"))?;
        if row.id == wanted.id {
            let writes = keep_proofs(tx, &row, new.proofs).await?;
            held.finish_with(writes).await?;
            return Ok(Begun {
                row,
                resumed: false,
            });
        }
        let other = |what| Err(ImportProblem::Other(row.name.clone(), what));
        match row.state.as_str() {
            "running" if row.purpose != wanted.purpose => other("another purpose"),
            "running" if row.file_sha256 != wanted.file_sha256 => other("another file"),
            "running" if row.reading != wanted.reading => other("other arguments"),
            "running" => Ok(Begun { row, resumed: true }),
            "done" => Err(ImportProblem::Done(row.name)),
            _ => Err(ImportProblem::Withdrawn(row.name)),
        }
    }

    /// The import of a brand that has this name, however old.
    pub async fn import_named(
        &self,
        brand: &Brand,
        name: &str,
    ) -> Result<Option<ImportRow>, StoreError> {
        let mut conn = self.store.read().await?;
        imports::find(&mut conn, brand.id, name).await
    }

    /// All imports of a brand, newest first.
    pub async fn imports(&self, brand: &Brand) -> Result<Vec<ImportRow>, StoreError> {
        let mut conn = self.store.read().await?;
        let mut all: Vec<ImportRow> = Vec::new();
        loop {
            let before = all.last().map_or(ImportId(Uuid::max()), |row| row.id);
            let page = imports::list_before(&mut conn, brand.id, before, PAGE as i64).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Reads a file to its end and stores nothing. Later rows see what earlier ones of the same address would have changed.
    pub async fn try_import(
        &self,
        import: &Import<'_>,
        again: Again,
        (rows, reading): (Rows, Reading),
        mut report: Option<Report>,
        mut progress: impl FnMut(Progress),
    ) -> (Tally, Result<String, Problem>) {
        let mut tally = Tally::default();
        let mut kept = Kept::of(again);
        let ended = async {
            let mut ahead = Ahead::start(rows, reading, together(self.store.engine()));
            while let Some(part) = ahead.next().await {
                let rows = Lines::of(part.rows, &mut tally);
                let judged = self
                    .try_part(import, rows.candidates.clone(), &mut kept)
                    .await?;
                let mut counts = tally.counts.clone();
                let told = rows.tell(judged, &mut counts, report.as_mut())?;
                tally.take(told, counts);
                progress(tally.progress(part.bytes));
                if let Some((problem, line)) = part.problem {
                    return Err(Problem::File(problem, line));
                }
            }
            ahead.about().await
        }
        .await;
        let ended = match report.as_mut().map(Report::sync) {
            Some(Err(error)) if ended.is_ok() => Err(error.into()),
            _ => ended,
        };
        (tally, ended)
    }

    /// Takes in a file from where its import stopped. What `progress` is told is on disk. Killed at any moment it can be
    /// begun again, and nothing is there twice.
    pub async fn run_import(
        &self,
        import: &Import<'_>,
        begun: Begun,
        (rows, reading): (Rows, Reading),
        report: Option<&Path>,
        progress: impl FnMut(Progress),
    ) -> (Tally, Result<String, Problem>) {
        let mut run = Run { row: begun.row };
        let mut tally = Tally::of(Counts::read(&run.row.counts));
        let ended = async {
            run.check_report(report.is_some())?;
            let report = report.map(|path| run.report(path)).transpose()?;
            if let Some(report) = report.as_ref().filter(|_| run.row.report_bytes.is_none()) {
                self.note_report(&mut run, report).await?;
            }
            let to_skip = usize::try_from(run.row.rows_done).unwrap_or(usize::MAX);
            let mut taking = Taking::begin(self, import, (&mut run, &mut tally), report, progress);
            let ahead = Ahead::start(rows, reading, together(self.store.engine()));
            let taken = taking.take_all(ahead, to_skip).await;
            // Whatever ended it: a part that is being written counts once it is.
            let settled = taking.settle().await;
            drop(taking);
            let about = settled.and(taken)?;
            self.end_import(&run).await?;
            Ok(about)
        }
        .await;
        (tally, ended)
    }

    /// Notes that the import has a report, before anything is in it: from here on it is known as the import's own.
    async fn note_report(&self, run: &mut Run, report: &Report) -> Result<(), Problem> {
        let mut locks = Locks::default();
        locks.import(run.row.brand_id, run.row.id);
        let mut held = self.store.hold_to_write(locks).await?;
        run.check(held.conn(), None).await?;
        run.row.report_bytes = i64::try_from(report.bytes()).ok();
        run.row.report_sha256 = Some(report.sha256());
        let mut writes = Writes::default();
        imports::put_progress(&mut writes, &run.row);
        Ok(held.finish_with(writes).await?)
    }

    async fn end_import(&self, run: &Run) -> Result<(), Problem> {
        let mut tx = self.store.write().await?;
        let last = imports::last_position(&mut tx).await?;
        let now = self.clock.now();
        let moved = imports::move_on(&mut tx, &run.row, "done", Some(last), Some(now)).await?;
        tx.commit().await?;
        if moved {
            Ok(())
        } else {
            Err(Problem::Elsewhere)
        }
    }
}

/// Keeps the files that hold for all rows of an import.
async fn keep_proofs(
    tx: &mut Conn,
    row: &ImportRow,
    files: Vec<(FileHash, Vec<u8>)>,
) -> Result<Writes, ImportProblem> {
    let mut writes = Writes::default();
    if files.is_empty() {
        return Ok(writes);
    }
    let count = proofs::count(tx, row.brand_id).await?;
    if count.saturating_add(i64::try_from(files.len()).unwrap_or(i64::MAX)) > FILES_AT_MOST {
        return Err(ImportProblem::ManyProofs);
    }
    let references: Vec<Reference> = files
        .iter()
        .map(|(sha256, _)| Reference {
            brand_id: row.brand_id,
            sha256: *sha256,
            import_id: row.id,
            contact_id: None,
        })
        .collect();
    let files: Vec<ProofRow> = files
        .into_iter()
        .map(|(sha256, content)| ProofRow {
            brand_id: row.brand_id,
            sha256,
            content,
            kept_at: row.started_at,
        })
        .collect();
    proofs::put(&mut writes, &files);
    proofs::refer(&mut writes, &references);
    Ok(writes)
}

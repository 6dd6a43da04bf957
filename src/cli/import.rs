//! `countersign import FILE --dry-run`: what would become of everybody whom a file names. Nothing is stored.

mod arguments;
mod bar;
mod report;
mod tally;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, Ended, brand_named, opened};
use crate::app::App;
use crate::app::import::{Import as Terms, TOGETHER};
use crate::domain::brand::Slug;
use crate::domain::email_address::AddressRules;
use crate::domain::policy::OrganizerLists;
use crate::intake::candidate::{Candidate, Reading};
use crate::intake::{Broken, FileProblem, Rows};
use arguments::Given;
use bar::Bar;
use report::Report;
use tally::Tally;

#[derive(Args)]
pub struct Import {
    /// A CSV file with a header, in any common dialect and encoding, or an XLSX workbook
    file: PathBuf,
    #[arg(long, value_name = "SLUG")]
    brand: String,
    #[arg(long, value_name = "SLUG")]
    purpose: String,
    #[command(flatten)]
    given: Given,
    /// Have an organiser's list confirmed instead of refused (rule O2b); it is kept as a deviation
    #[arg(long)]
    confirm_organizer_list: bool,
    /// Count and show what would be done, and store nothing. So far nothing else is possible
    #[arg(long)]
    dry_run: bool,
    /// Write a CSV with a line for each row: line, address, verdict, rule, outreach, reason
    #[arg(long, value_name = "OUT.csv")]
    report: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// One reading of a file.
struct Try<'a> {
    app: &'a App,
    terms: Terms<'a>,
    reading: Reading,
    report: Option<Report>,
    tally: Tally,
}

impl Import {
    pub async fn run(self, settings: &Path) -> Done {
        if !self.dry_run {
            let says =
                "this version can only try an import: give --dry-run; nothing was read or stored";
            return Err(Ended::Wrong(says.to_owned()));
        }
        self.given.check().map_err(Ended::Wrong)?;
        let app = opened(settings).await?;
        let brand = brand_named(&app, &self.brand)?;
        let purpose = Slug::try_from(self.purpose.clone()).map_err(Ended::Wrong)?;
        if brand.purpose(&purpose).is_none() {
            let problem = format!("brand \"{}\" has no purpose \"{purpose}\"", self.brand);
            return Err(Ended::Wrong(problem));
        }
        let mut terms = app.terms(&brand);
        if self.confirm_organizer_list {
            terms.organizer_lists = OrganizerLists::ConfirmFirst;
        }
        let mut rows = Rows::open(&self.file, &self.given.options()).map_err(|p| self.ended(&p))?;
        let header = rows.header().map_err(|problem| self.ended(&problem))?;
        let columns = self
            .given
            .columns(&header)
            .map_err(|problem| self.wrong(&problem))?;
        let terms = Terms {
            brand: &brand,
            purpose: &purpose,
            terms,
        };
        let mut trying = Try {
            app: &app,
            terms,
            reading: self.given.reading(
                columns,
                AddressRules {
                    any_domain: app.config.any_domain,
                },
            ),
            report: self.report.as_deref().map(Report::create).transpose()?,
            tally: Tally::default(),
        };
        trying.all(&mut rows).await.map_err(|fault| match fault {
            Fault::File(problem, line) => self.cut_off(&problem, line),
            Fault::Ended(ended) => ended,
        })?;
        self.tell(&trying, &rows.about())
    }

    fn wrong(&self, problem: &dyn std::fmt::Display) -> Ended {
        Ended::Wrong(format!("{}: {problem}", self.file.display()))
    }

    /// What cannot be read is refused; what was asked wrongly is wrong usage.
    fn ended(&self, problem: &FileProblem) -> Ended {
        let text = format!("{}: {problem}", self.file.display());
        match problem {
            FileProblem::NotFor(..) | FileProblem::NoSuchSheet { .. } => Ended::Wrong(text),
            FileProblem::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ended::Wrong(text)
            }
            _ => Ended::Refused(text),
        }
    }

    fn cut_off(&self, problem: &FileProblem, line: u64) -> Ended {
        Ended::Refused(format!(
            "{}: behind line {line}: {problem}",
            self.file.display()
        ))
    }

    fn tell(&self, trying: &Try<'_>, about: &str) -> Done {
        let columns = &trying.reading.columns;
        if self.json {
            println!("{}", tally::data(&trying.tally, about, columns));
        } else {
            print!("{}", tally::text(&trying.tally, about, columns));
            if let Some(path) = &self.report {
                println!("A line for each row: {}", path.display());
            }
        }
        Ok(())
    }
}

/// What ends a reading: the file, behind this line, or everything else.
enum Fault {
    File(FileProblem, u64),
    Ended(Ended),
}

impl<T: Into<Ended>> From<T> for Fault {
    fn from(ended: T) -> Self {
        Self::Ended(ended.into())
    }
}

impl Try<'_> {
    async fn all(&mut self, rows: &mut Rows) -> Result<(), Fault> {
        let mut bar = Bar::start();
        let mut line = 1;
        loop {
            let (chunk, problem) = self.chunk(rows, &mut line);
            let is_last = chunk.is_empty();
            self.judge(chunk).await?;
            bar.show(self.tally.rows(), rows.progress());
            if let Some(problem) = problem {
                bar.end();
                self.end_report()?;
                return Err(Fault::File(problem, line));
            }
            if is_last {
                bar.end();
                self.end_report()?;
                return Ok(());
            }
        }
    }

    fn end_report(&mut self) -> Result<(), Ended> {
        self.report.as_mut().map_or(Ok(()), Report::end)
    }

    /// The next rows, as many as are judged together, and what ended the file before its time.
    fn chunk(
        &self,
        rows: &mut Rows,
        line: &mut u64,
    ) -> (Vec<Result<Candidate, Broken>>, Option<FileProblem>) {
        let mut chunk = Vec::with_capacity(TOGETHER);
        for read in rows.by_ref().take(TOGETHER) {
            let read = match read {
                Ok(read) => read,
                Err(problem) => return (chunk, Some(problem)),
            };
            let candidate = read.and_then(|row| self.reading.candidate(&row));
            *line = match &candidate {
                Ok(candidate) => candidate.line,
                Err(broken) => broken.line,
            };
            chunk.push(candidate);
        }
        (chunk, None)
    }

    /// Judges the candidates of a chunk, and tells of all its rows in their order.
    async fn judge(&mut self, chunk: Vec<Result<Candidate, Broken>>) -> Result<(), Ended> {
        let mut places = Vec::with_capacity(chunk.len());
        let mut candidates = Vec::with_capacity(chunk.len());
        for row in chunk {
            places.push(row.map(|candidate| candidates.push(candidate)));
        }
        let mut judged = self
            .app
            .judge_candidates(&self.terms, candidates)
            .await?
            .into_iter();
        for place in places {
            let told = match place {
                Err(broken) => self.tally.broken(broken),
                Ok(()) => match judged.next() {
                    Some(judged) => self.tally.judged(judged),
                    None => continue,
                },
            };
            if let Some(report) = &mut self.report {
                report.write(&told)?;
            }
            self.tally.sample(told);
        }
        Ok(())
    }
}

//! `countersign import FILE`: takes a list in, or tries what would become of everybody whom it names.

mod arguments;
mod bar;
mod words;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Done, Ended, brand_named, opened};
use crate::app::App;
use crate::app::import::report::Report;
use crate::app::import::tally::{Counts, Tally};
use crate::app::import::{Again, Import as For, NewImport, Problem};
use crate::domain::brand::{LANGUAGES, Slug};
use crate::domain::email_address::AddressRules;
use crate::domain::operator::Deed;
use crate::domain::policy::OrganizerLists;
use crate::intake::candidate::Reading;
use crate::intake::header::Columns;
use crate::intake::papers::Papers;
use crate::intake::{FileProblem, Row, Rows};
use arguments::Given;
use bar::Bar;
use words::About;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Import {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    of: OfFile,
}

#[derive(Subcommand)]
enum Verb {
    /// The imports of a brand, newest first
    List {
        #[arg(long, value_name = "SLUG")]
        brand: String,
        #[arg(long)]
        json: bool,
    },
    /// Take an import back as a whole: the contacts stand as if the file had never come
    Withdraw {
        name: String,
        #[arg(long, value_name = "SLUG")]
        brand: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct OfFile {
    /// A CSV file with a header, in any common dialect and encoding, or an XLSX workbook
    #[arg(required = true)]
    file: Option<PathBuf>,
    #[arg(long, value_name = "SLUG", required = true)]
    brand: Option<String>,
    #[arg(long, value_name = "SLUG", required = true)]
    purpose: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
struct How {
    /// What the import is called; by default as its file. Given again after an interruption, it goes on where it stopped
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    given: Given,
    /// The language of contacts for whom the file tells none
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = LANGUAGES)]
    language: String,
    /// Have an organiser's list confirmed instead of refused (rule O2b); it is kept as a deviation
    #[arg(long)]
    confirm_organizer_list: bool,
    /// Count and show what would be done, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Write a CSV with a line for each row: line, address, verdict, rule, outreach, reason
    #[arg(long, value_name = "OUT.csv")]
    report: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl Import {
    pub async fn run(self, settings: &Path) -> Done {
        match self.verb {
            Some(Verb::List { brand, json }) => list(settings, &brand, json).await,
            Some(Verb::Withdraw { name, brand, json }) => {
                withdraw(settings, &name, &brand, json).await
            }
            None => {
                let of = self.of;
                // Without them clap ends before; with a verb they are not asked for.
                match (of.file, of.brand, of.purpose) {
                    (Some(file), Some(brand), Some(purpose)) => {
                        let how = of.how;
                        let one = OneFile {
                            file,
                            brand,
                            purpose,
                            how,
                        };
                        one.run(settings).await
                    }
                    _ => Err(Ended::Wrong(
                        "name a file, a brand and a purpose".to_owned(),
                    )),
                }
            }
        }
    }
}

/// What an import is known again by.
struct Known {
    sha256: [u8; 32],
    papers: Papers,
}

/// The SHA-256 of an open file; it is left where it was.
fn hash(file: &mut File) -> std::io::Result<[u8; 32]> {
    let at = file.stream_position()?;
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
    file.seek(SeekFrom::Start(at))?;
    Ok(hash.finalize().into())
}

/// A file with what is said of it.
struct OneFile {
    file: PathBuf,
    brand: String,
    purpose: String,
    how: How,
}

impl OneFile {
    async fn run(self, settings: &Path) -> Done {
        let papers = self.how.given.papers().map_err(Ended::Wrong)?;
        self.how.given.check(&papers).map_err(Ended::Wrong)?;
        let app = opened(settings).await?;
        let brand = brand_named(&app, &self.brand)?;
        let purpose = Slug::try_from(self.purpose.clone()).map_err(Ended::Wrong)?;
        if brand.purpose(&purpose).is_none() {
            let problem = format!("brand \"{}\" has no purpose \"{purpose}\"", self.brand);
            return Err(Ended::Wrong(problem));
        }
        let mut terms = app.terms(&brand);
        if self.how.confirm_organizer_list {
            terms.organizer_lists = OrganizerLists::ConfirmFirst;
        }
        let import = For {
            brand: &brand,
            purpose: &purpose,
            terms,
            language: &self.how.language,
        };
        // One handle for all that is done with the file: what is hashed is what is read, whatever its name leads to later.
        let mut file = File::open(&self.file).map_err(|error| self.ended(&error.into()))?;
        let (_, header) = self.rows(&file)?;
        let columns = self
            .how
            .given
            .columns(&header)
            .map_err(|problem| self.wrong(&problem))?;
        let rules = AddressRules {
            any_domain: app.config.any_domain,
        };
        let read = || -> Result<(Rows, Reading), Ended> {
            let folder = self.how.given.folder().map_err(Ended::Wrong)?;
            let reading = self.how.given.reading(
                columns.clone(),
                (rules, import.terms.zone.clone()),
                (&papers, folder),
            );
            Ok((self.rows(&file)?.0, reading))
        };
        if self.how.dry_run {
            let (mut rows, reading) = read()?;
            let again = Again::look(&mut rows, &reading).map_err(|problem| self.ended(&problem))?;
            self.only_try(&app, &import, again, read()?, &columns).await
        } else {
            let (rows, reading) = read()?;
            let known = Known {
                sha256: hash(&mut file).map_err(|error| self.wrong(&error))?,
                papers,
            };
            self.take_in(&app, &import, known, (rows, reading), &columns)
                .await
        }
    }

    /// The rows of the file behind its header, from the beginning.
    fn rows(&self, file: &File) -> Result<(Rows, Row), Ended> {
        let file = file.try_clone().map_err(|error| self.wrong(&error))?;
        let mut rows =
            Rows::of(file, &self.how.given.options()).map_err(|problem| self.ended(&problem))?;
        let header = rows.header().map_err(|problem| self.ended(&problem))?;
        Ok((rows, header))
    }

    async fn only_try(
        &self,
        app: &App,
        import: &For<'_>,
        again: Again,
        file: (Rows, Reading),
        columns: &Columns,
    ) -> Done {
        let report = self.how.report.as_deref();
        let report = report.map(|path| Report::create(path).map_err(|error| told(path, &error)));
        let report = report.transpose()?;
        let mut bar = Bar::start();
        let show = |progress| bar.show(progress);
        let (tally, ended) = app.try_import(import, again, file, report, show).await;
        bar.end();
        let about = ended.map_err(|problem| self.cut_off(&problem))?;
        self.tell(&tally, &about, None, columns)
    }

    async fn take_in(
        &self,
        app: &App,
        import: &For<'_>,
        known: Known,
        file: (Rows, Reading),
        columns: &Columns,
    ) -> Done {
        let file_name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let name = self
            .how
            .name
            .clone()
            .unwrap_or_else(|| file_name.to_string());
        let new = NewImport {
            name: name.clone(),
            file_name: file_name.into_owned(),
            file_sha256: known.sha256,
            reading: json!({
                "given": self.how.given.as_json(&known.papers),
                "language": self.how.language,
                "confirm_organizer_list": self.how.confirm_organizer_list,
            }),
            proofs: known
                .papers
                .contents()
                .map_err(|(name, problem)| Ended::Wrong(format!("{name}: {problem}")))?,
        };
        let begun = app
            .begin_import(import, new)
            .await
            .map_err(|problem| Ended::Wrong(problem.to_string()))?;
        app.acted_on_command_line(Deed::ImportStarted, name.clone())
            .await?;
        if begun.resumed {
            let done = words::grouped(u64::try_from(begun.row.rows_done).unwrap_or(0));
            eprintln!("Import \"{name}\" was interrupted; it goes on behind row {done}.");
        }
        let mut bar = Bar::start();
        let show = |progress| bar.show(progress);
        let report = self.how.report.as_deref();
        let (tally, ended) = app.run_import(import, begun, file, report, show).await;
        bar.end();
        let about = ended.map_err(|problem| match problem {
            // What was read so far is in; given a whole file, it would be another import.
            Problem::File(..) => Ended::Refused(format!(
                "{}: {problem}. The {} rows before are in; take them back with `countersign import withdraw {name:?} \
                 --brand {}`",
                self.file.display(),
                words::grouped(tally.counts.rows()),
                self.brand,
            )),
            _ => self.cut_off(&problem),
        })?;
        self.tell(&tally, &about, Some(&name), columns)
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

    fn cut_off(&self, problem: &Problem) -> Ended {
        Ended::Refused(format!("{}: {problem}", self.file.display()))
    }

    fn tell(&self, tally: &Tally, file: &str, name: Option<&str>, columns: &Columns) -> Done {
        let about = About {
            file,
            name,
            columns,
        };
        if self.how.json {
            println!("{}", words::data(tally, &about));
        } else {
            print!("{}", words::text(tally, &about));
            if let Some(path) = &self.how.report {
                println!("A line for each row: {}", path.display());
            }
        }
        Ok(())
    }
}

fn told(path: &Path, error: &std::io::Error) -> Ended {
    Ended::Wrong(format!("{}: {error}", path.display()))
}

async fn list(settings: &Path, brand: &str, as_json: bool) -> Done {
    let app = opened(settings).await?;
    let brand = brand_named(&app, brand)?;
    for row in app.imports(&brand).await? {
        let counts = Counts::read(&row.counts);
        if as_json {
            let line = json!({
                "name": row.name, "id": row.id, "purpose": row.purpose, "file": row.file_name, "state": row.state,
                "rows": row.rows_done, "new": counts.new, "added": counts.added, "unchanged": counts.unchanged,
                "broken": counts.broken, "started_at": row.started_at, "ended_at": row.ended_at,
            });
            println!("{line}");
        } else {
            println!(
                "{}  {:11} {:>10} rows, {} new, {} with a further source  {}",
                row.started_at.to_the_minute(),
                row.state,
                words::grouped(counts.rows()),
                words::grouped(counts.new),
                words::grouped(counts.added),
                row.name.escape_debug(),
            );
        }
    }
    Ok(())
}

async fn withdraw(settings: &Path, name: &str, brand: &str, as_json: bool) -> Done {
    let app = opened(settings).await?;
    let brand = brand_named(&app, brand)?;
    if app.import_named(&brand, name).await?.is_some() {
        app.acted_on_command_line(Deed::ImportTakenBack, name.to_owned())
            .await?;
    }
    let done = app
        .withdraw_import(&brand, name)
        .await
        .map_err(|problem| Ended::Refused(problem.to_string()))?;
    if as_json {
        println!(
            "{}",
            json!({ "contacts": done.contacts, "left_without": done.left_without })
        );
    } else {
        println!(
            "Taken back: nothing of {} contacts rests on this import any more; {} of them have nothing else.",
            words::grouped(done.contacts),
            words::grouped(done.left_without)
        );
    }
    Ok(())
}

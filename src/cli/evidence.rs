//! `countersign evidence ADDRESS`: what is known of an address, as a bundle that anybody can check, or as a story.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::init::replace_private;
use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::{Unanswerable, parse_address};
use crate::app::prove::gather::Made;
use crate::app::prove::select::Span;
use crate::app::seal::{OpenProblem, Opened, Opening, Which};
use crate::domain::brand::Brand;
use crate::domain::event::{Event, HandedOut, Through};
use crate::domain::operator::Deed;
use crate::domain::policy::Zone;
use crate::domain::seal::OpeningKey;
use crate::domain::sentence::sentence;
use crate::domain::time::Timestamp;

#[derive(Args)]
pub struct Evidence {
    address: String,
    #[arg(long)]
    brand: String,
    /// Write the evidence bundle here: one ZIP file that `countersign verify` checks offline
    #[arg(
        short,
        long,
        value_name = "FILE.zip",
        required_unless_present = "timeline"
    )]
    output: Option<PathBuf>,
    /// The events as a story, oldest first
    #[arg(long)]
    timeline: bool,
    /// The events as JSON, one a line
    #[arg(long, requires = "timeline")]
    json: bool,
    /// A bundle of what happened from this instant on only: RFC 3339, or a date in the brand's time zone. What belongs to one request stays together
    #[arg(long, value_name = "TIME", requires = "output")]
    from: Option<String>,
    /// A bundle of what happened before this instant only
    #[arg(long, value_name = "TIME", requires = "output")]
    until: Option<String>,
    /// Of an erased address: the file with the private seal key that opens what was kept
    #[arg(long, value_name = "KEYFILE", requires = "by", requires = "reason")]
    legal_hold: Option<PathBuf>,
    /// Who opens it; this stays in the log
    #[arg(long, requires = "legal_hold")]
    by: Option<String>,
    /// Why it is opened; this stays in the log, so name no person in it
    #[arg(long, requires = "legal_hold")]
    reason: Option<String>,
}

impl Evidence {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let opened = match &self.legal_hold {
            Some(file) => Some(self.open(app, &brand, file).await?),
            None => None,
        };
        if let Some(file) = &self.output {
            self.bundle(app, &brand, opened.as_deref(), file).await?;
        }
        if self.timeline {
            self.story(app, &brand, opened.as_deref()).await?;
        }
        Ok(())
    }

    fn unknown(&self) -> Ended {
        Ended::Refused(format!(
            "brand \"{}\" knows nothing of this address",
            self.brand
        ))
    }

    /// That it is taken stands in the log and in the contact's own story. What an erasure sealed says so itself.
    async fn note(&self, app: &App, brand: &Arc<Brand>, what: HandedOut) -> Done {
        let Some(known) = app.contact_by_address(brand, &self.address).await? else {
            return Err(self.unknown());
        };
        let deed = match what {
            HandedOut::Story => Deed::StoryTaken,
            HandedOut::Bundle | HandedOut::Data => Deed::BundleTaken,
        };
        let on = format!("contact {} of brand {}", known.id, brand.declared.slug);
        app.acted_on_command_line(deed, on).await?;
        app.hand_out(brand, known.id, what, Through::CommandLine)
            .await?;
        Ok(())
    }

    async fn bundle(
        &self,
        app: &App,
        brand: &Arc<Brand>,
        opened: Option<&[Opened]>,
        file: &Path,
    ) -> Done {
        let span = Span {
            from: instant(brand, "--from", self.from.as_deref())?,
            until: instant(brand, "--until", self.until.as_deref())?,
        };
        let Some(opened) = opened else {
            self.note(app, brand, HandedOut::Bundle).await?;
            let address = parse_address(&self.address)?;
            let made = app.bundle_of(brand, address.key(), span).await?;
            return put(file, &made.ok_or_else(|| self.unknown())?);
        };
        // One contact for each erasure; the second goes beside the first.
        for (number, one) in (1..).zip(opened) {
            let made = app.bundle_of_sealed(brand, one, span).await?;
            put(&numbered(file, number), &made)?;
        }
        Ok(())
    }

    async fn story(&self, app: &App, brand: &Arc<Brand>, opened: Option<&[Opened]>) -> Done {
        let mut any = false;
        let each = |event: Event| {
            any = true;
            println!("{}", self.line(&event));
        };
        match opened {
            None => {
                app.tell_story(brand, &self.address, each).await?;
                // Afterwards: what is told is how it stood before anybody asked.
                self.note(app, brand, HandedOut::Story).await?;
            }
            Some(opened) => {
                let stories: Result<Vec<_>, _> = opened.iter().map(Opened::story).collect();
                stories?.into_iter().flatten().for_each(each);
            }
        }
        if any { Ok(()) } else { Err(self.unknown()) }
    }

    fn line(&self, event: &Event) -> String {
        if !self.json {
            return format!("{}  {}", event.at, sentence(event));
        }
        let mut line = serde_json::to_value(event).unwrap_or_default();
        if let Some(circumstances) = event.fact.circumstances() {
            line["circumstances"] = serde_json::to_value(circumstances).unwrap_or_default();
        }
        line.to_string()
    }

    /// What an erasure sealed, with what was recorded since.
    async fn open(&self, app: &App, brand: &Arc<Brand>, file: &Path) -> Result<Vec<Opened>, Ended> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Ended::Wrong(format!("{}: {error}", file.display())))?;
        let key = OpeningKey::find(&text)
            .map_err(|problem| Ended::Wrong(format!("{}: {problem}", file.display())))?;
        let by = said("--by", self.by.as_deref())?;
        let reason = said("--reason", self.reason.as_deref())?;
        let opening = Opening {
            by,
            reason,
            acting: None,
            which: Which::All,
        };
        let opened = app.open_sealed(brand, &self.address, &key, opening).await;
        let opened = opened.map_err(|problem| match problem {
            OpenProblem::Address(Unanswerable::Address(_)) => Ended::Wrong(problem.to_string()),
            _ => Ended::Refused(problem.to_string()),
        })?;
        for one in &opened {
            eprintln!(
                "Sealed {} for: {}. It is deleted {}.",
                one.sealed_at, one.reason, one.delete_at
            );
        }
        Ok(opened)
    }
}

/// Writes a bundle. It is full of personal data: nobody else on this machine reads it.
fn put(file: &Path, made: &Made) -> Done {
    let report = &made.report;
    replace_private(file, &made.bytes)
        .map_err(|error| Ended::Wrong(format!("{}: {error}", file.display())))?;
    println!(
        "{}: {} events, {} timestamps; it holds.\nCheck it anywhere: countersign verify {}\nLog key: {}",
        file.display(),
        report.events.len(),
        report.anchors.len(),
        file.display(),
        report.vkey
    );
    for sentence in &made.left_out {
        println!("{sentence}");
    }
    Ok(())
}

fn instant(brand: &Brand, option: &str, text: Option<&str>) -> Result<Option<Timestamp>, Ended> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = || {
        Ended::Wrong(format!(
            "{option} \"{text}\" is no time; write it like 2026-11-23T17:00:00Z or 2026-11-23"
        ))
    };
    let zone = Zone::of(&brand.declared.time_zone);
    zone.instant(text).map(Some).ok_or_else(wrong)
}

fn numbered(file: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return file.to_owned();
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-{number}.zip"))
}

/// A word that stays in the log for good: not empty, and short.
fn said<'a>(option: &str, text: Option<&'a str>) -> Result<&'a str, Ended> {
    let text = text.unwrap_or("").trim();
    if text.is_empty() || text.chars().count() > 300 || text.chars().any(char::is_control) {
        return Err(Ended::Wrong(format!(
            "{option} must have 1 to 300 characters, on one line"
        )));
    }
    Ok(text)
}

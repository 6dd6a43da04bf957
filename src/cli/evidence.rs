//! `countersign evidence ADDRESS --timeline`: a contact's events as a story.

use std::path::PathBuf;

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::app::seal::OpenProblem;
use crate::domain::brand::Brand;
use crate::domain::event::Event;
use crate::domain::seal::OpeningKey;
use crate::domain::sentence::sentence;

#[derive(Args)]
pub struct Evidence {
    address: String,
    #[arg(long)]
    brand: String,
    /// The events as a story, oldest first
    #[arg(long, required = true)]
    timeline: bool,
    /// The events as JSON, one a line
    #[arg(long)]
    json: bool,
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
        let events = match &self.legal_hold {
            Some(file) => self.sealed(app, &brand, file).await?,
            None => app.story(&brand, &self.address).await?,
        };
        if events.is_empty() {
            return Err(Ended::Refused(format!(
                "brand \"{}\" knows nothing of this address",
                self.brand
            )));
        }
        for event in &events {
            if self.json {
                let mut line = serde_json::to_value(event)?;
                if let Some(circumstances) = event.fact.circumstances() {
                    line["circumstances"] = serde_json::to_value(circumstances)?;
                }
                println!("{line}");
            } else {
                println!("{}  {}", event.at, sentence(event));
            }
        }
        Ok(())
    }

    /// What an erasure sealed, with what was recorded since.
    async fn sealed(
        &self,
        app: &App,
        brand: &Brand,
        file: &std::path::Path,
    ) -> Result<Vec<Event>, Ended> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Ended::Wrong(format!("{}: {error}", file.display())))?;
        let key = OpeningKey::find(&text)
            .map_err(|problem| Ended::Wrong(format!("{}: {problem}", file.display())))?;
        let by = said("--by", self.by.as_deref())?;
        let reason = said("--reason", self.reason.as_deref())?;
        let opened = match app
            .open_sealed(brand, &self.address, &key, by, reason)
            .await
        {
            Ok(opened) => opened,
            Err(problem @ OpenProblem::Address(Unanswerable::Address(_))) => {
                return Err(Ended::Wrong(problem.to_string()));
            }
            Err(problem) => return Err(Ended::Refused(problem.to_string())),
        };
        let mut story = Vec::new();
        for one in &opened {
            eprintln!(
                "Sealed {} for: {}. It is deleted {}.",
                one.sealed_at, one.reason, one.delete_at
            );
            story.extend(one.story()?);
        }
        Ok(story)
    }
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

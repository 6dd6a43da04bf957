//! `countersign note ADDRESS TEXT`: something worth keeping that no other command tells, such as a call.

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::domain::added::{NOTE_AT_MOST, clean_note};
use crate::domain::event::Through;

#[derive(Args)]
pub struct Note {
    address: String,
    /// The note: plain text of 2,000 characters at most. The person gets to read it with all that is kept of them
    text: String,
    #[arg(long)]
    brand: String,
}

impl Note {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let note = clean_note(&self.text).ok_or_else(|| {
            Ended::Wrong(format!(
                "a note has 1 to {NOTE_AT_MOST} characters, none of which steers a terminal"
            ))
        })?;
        let unknown = || Ended::Refused("the brand knows nothing of this address".to_owned());
        let found = app.contact_by_address(&brand, &self.address).await;
        let known = found.map_err(|problem| match problem {
            Unanswerable::Address(_) => Ended::Wrong(problem.to_string()),
            Unanswerable::Store(_) => Ended::Refused(problem.to_string()),
        })?;
        let known = known.ok_or_else(unknown)?;
        let written = app.write_note(&brand, known.id, &note, (None, Through::CommandLine));
        if !written.await? {
            return Err(unknown());
        }
        println!("Written into the story of contact {}.", known.id);
        Ok(())
    }
}

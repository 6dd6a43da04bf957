//! `countersign forget ADDRESS`: erasure.

use clap::Args;
use serde_json::json;

use super::operator::read_line;
use super::{Done, Ended, brand_named, subject};
use crate::app::App;
use crate::app::erase::{EraseProblem, Erased, Wish};
use crate::app::permit::Unanswerable;
use crate::domain::brand::Brand;
use crate::domain::event::{ErasedBy, Through};
use crate::domain::operator::Deed;
use crate::store::Engine;

#[derive(Args)]
pub struct Forget {
    address: String,
    #[arg(long)]
    brand: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[arg(long, requires = "yes")]
    json: bool,
}

fn ended(problem: EraseProblem) -> Ended {
    match problem {
        EraseProblem::Address(Unanswerable::Address(_)) => Ended::Wrong(problem.to_string()),
        other => Ended::Refused(other.to_string()),
    }
}

impl Forget {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let known = app.contact_by_address(&brand, &self.address).await;
        if let Some(known) = known.map_err(|problem| ended(problem.into()))? {
            app.not_held(brand.id, known.id).await.map_err(ended)?;
        }
        if !self.yes {
            self.ask(app, &brand).await?;
        }
        let on = subject(app, &brand, &self.address)
            .await
            .map_err(|problem| ended(problem.into()))?;
        app.acted_on_command_line(Deed::ContactErased, on).await?;
        let wish = Wish {
            by: ErasedBy::Operator,
            through: Through::CommandLine,
        };
        let erased = app
            .erase(&brand, &self.address, wish)
            .await
            .map_err(ended)?;
        // A server that runs beside goes on with the log at once.
        app.end_sequencing().await?;
        let scrubbed_now = app.store.scrub().await;
        if self.json {
            println!(
                "{}",
                json!({
                    "contact": erased.contact, "requests": erased.requests, "openings": erased.openings, "mails": erased.mails,
                    "events": erased.events, "proof_files": erased.proofs, "reports": erased.reports.len(),
                    "lists_waiting": erased.lists_waiting, "sealed_until": erased.sealed_until,
                    "scrubbed": matches!(scrubbed_now, Ok(true)),
                })
            );
            return Ok(());
        }
        tell(&brand, &erased);
        match scrubbed_now {
            Ok(true) => println!("{}", scrubbed(app.store.engine())),
            Ok(false) => println!(
                "A long read is at work, so old bytes are still in the database's log; a running worker takes them out."
            ),
            Err(error) => println!(
                "The rows are gone, but their old bytes could not be taken out of the files: {error}. A running worker tries again."
            ),
        }
        println!(
            "Backups made before, and mail that was already sent, are beyond this program: see docs/erasure.md."
        );
        Ok(())
    }

    async fn ask(&self, app: &App, brand: &Brand) -> Done {
        let mut events = 0_u64;
        app.tell_story(brand, &self.address, |_| events += 1)
            .await
            .map_err(|problem| ended(problem.into()))?;
        if events == 0 {
            return Err(ended(EraseProblem::Unknown));
        }
        println!(
            "This deletes what brand \"{}\" knows of {}: {events} events with all that they hold. It cannot be undone.",
            self.brand, self.address
        );
        match &brand.declared.keep_proof_after_erasure {
            Some(keep) => println!(
                "The evidence is kept sealed for {} years: {}",
                keep.years, keep.reason
            ),
            None => println!("No proof of consent is kept."),
        }
        let answer = read_line("Type yes to erase")?;
        if answer.trim() != "yes" {
            return Err(Ended::Refused("nothing was erased".to_owned()));
        }
        Ok(())
    }
}

/// What can be said of the old bytes.
const fn scrubbed(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "The old bytes are out of the database's files.",
        Engine::Postgres => {
            "A vacuum took the deleted rows out of tables and indexes. Free space in the tables' files can hold old bytes for a while."
        }
    }
}

fn tell(brand: &Brand, erased: &Erased) {
    println!(
        "Erased: the contact, {} confirmation requests, {} networks that opened their links, {} mails in the outbox, and what {} events held.",
        erased.requests, erased.openings, erased.mails, erased.events
    );
    if erased.proofs > 0 {
        println!(
            "Files of proof that nobody else referred to were deleted: {}.",
            erased.proofs
        );
    }
    if !erased.reports.is_empty() {
        println!(
            "Reports and lists of the brand's imports that were over were deleted, since they may name the address: {}.",
            erased.reports.len()
        );
    }
    println!("What stays:");
    println!(
        "- the events' places in the log, with their kinds and times, under the random id {}, and one event that says that they were erased",
        erased.contact
    );
    println!(
        "- a keyed hash of the address, so that no import brings it back; a signup gives consent again only once it is confirmed"
    );
    if erased.lists_waiting > 0 {
        println!(
            "- lists that were brought in the pages and wait, or are being taken in: {}. They are not searched. One that waits goes a \
             day after it was brought; one that is taken in leaves a report for 7 days, and the next erasure deletes it",
            erased.lists_waiting
        );
    }
    if let (Some(until), Some(keep)) = (
        erased.sealed_until,
        &brand.declared.keep_proof_after_erasure,
    ) {
        println!(
            "- the evidence, sealed, until {until}: {}. Only the private key opens it: evidence --legal-hold",
            keep.reason
        );
    }
}

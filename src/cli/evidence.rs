//! `countersign evidence ADDRESS`: what is known of an address, as a bundle that anybody can check, or as a story.

use std::path::{Path, PathBuf};

use clap::Args;

use super::init::replace_private;
use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::parse_address;
use crate::domain::brand::Brand;
use crate::domain::sentence::sentence;

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
}

impl Evidence {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        if let Some(file) = &self.output {
            self.bundle(app, &brand, file).await?;
        }
        if self.timeline {
            self.story(app, &brand).await?;
        }
        Ok(())
    }

    fn unknown(&self) -> Ended {
        Ended::Refused(format!(
            "brand \"{}\" knows nothing of this address",
            self.brand
        ))
    }

    async fn bundle(&self, app: &App, brand: &Brand, file: &Path) -> Done {
        let address = parse_address(&self.address)?;
        let Some((bytes, report)) = app.bundle(brand, address.key()).await? else {
            return Err(self.unknown());
        };
        // It is full of personal data: nobody else on this machine reads it.
        replace_private(file, &bytes)
            .map_err(|error| Ended::Wrong(format!("{}: {error}", file.display())))?;
        let (events, anchors) = (report.events.len(), report.anchors.len());
        println!(
            "{}: {events} events, {anchors} timestamps; it holds.\nCheck it anywhere: countersign verify {}\nLog key: {}",
            file.display(),
            file.display(),
            report.vkey
        );
        Ok(())
    }

    async fn story(&self, app: &App, brand: &Brand) -> Done {
        let events = app.story(brand, &self.address).await?;
        if events.is_empty() {
            return Err(self.unknown());
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
}

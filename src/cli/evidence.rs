//! `countersign evidence ADDRESS --timeline`: a contact's events as a story.

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
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
}

impl Evidence {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let events = app.story(&brand, &self.address).await?;
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
}

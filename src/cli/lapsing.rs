//! `countersign lapsing`: whose implicit consent is about to end, as CSV.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{Done, brand_named};
use crate::app::App;
use crate::domain::operator::Deed;
use crate::intake::export::line;

#[derive(Args)]
pub struct Lapsing {
    #[arg(long, value_name = "SLUG")]
    brand: String,
    /// Within so many days from now
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=3_650))]
    within: u64,
    /// One JSON object in each line instead of CSV
    #[arg(long)]
    json: bool,
}

impl Lapsing {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let before = app
            .clock
            .now()
            .plus(Duration::from_secs(self.within * 86_400));
        let on = format!("whose consent to brand {} lapses", self.brand);
        app.acted_on_command_line(Deed::ListTaken, on).await?;
        if !self.json {
            print!("{}", line(["address", "purpose", "rule", "until"]));
        }
        let mut after = None;
        loop {
            let (page, next) = app.lapsing(&brand, before, after).await?;
            for one in &page {
                if self.json {
                    let object = json!({
                        "address": one.address, "purpose": one.purpose, "rule": one.rule, "until": one.until,
                    });
                    println!("{object}");
                } else {
                    let until = one.until.to_string();
                    print!(
                        "{}",
                        line([&one.address, one.purpose.as_str(), one.rule, &until])
                    );
                }
            }
            match next {
                Some(_) => after = next,
                None => return Ok(()),
            }
        }
    }
}

//! `countersign permission ADDRESS`: may it be mailed. With `--file`, everybody on a list.

mod list;

use std::path::PathBuf;

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::domain::brand::Slug;
use crate::domain::policy::Zone;
use crate::intake::header::Mapping;
use list::List;

#[derive(Args)]
pub struct Ask {
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    address: Option<String>,
    #[arg(long)]
    brand: String,
    #[arg(long)]
    purpose: String,
    /// As of this instant: RFC 3339, or a date for its start in the brand's time zone
    #[arg(long)]
    at: Option<String>,
    /// Ask about everybody on a list: a CSV file with a header, or an XLSX workbook. Answers as CSV: line, address, allowed,
    /// basis, grade, since, until, rule, why
    #[arg(long, value_name = "LIST.csv")]
    file: Option<PathBuf>,
    /// Which column of the list holds the address, where its name does not tell: COLUMN=email
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = Mapping::parse, requires = "file")]
    map: Vec<Mapping>,
    /// Write the answers to a file instead of standard output
    #[arg(long, value_name = "OUT.csv", requires = "file")]
    out: Option<PathBuf>,
    /// Write those only who may be mailed
    #[arg(long, requires = "file")]
    allowed_only: bool,
    #[arg(long)]
    json: bool,
}

impl Ask {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let purpose = Slug::try_from(self.purpose.clone()).map_err(Ended::Wrong)?;
        if brand.purpose(&purpose).is_none() {
            let known: Vec<&str> = brand
                .declared
                .purposes
                .iter()
                .map(|purpose| purpose.slug.as_str())
                .collect();
            return Err(Ended::Wrong(format!(
                "brand \"{}\" has no purpose \"{purpose}\"; it has: {}",
                self.brand,
                known.join(", ")
            )));
        }
        let at = match &self.at {
            None => None,
            Some(text) => {
                let zone = Zone::of(&brand.declared.time_zone);
                Some(zone.instant(text).ok_or_else(|| {
                    Ended::Wrong(format!(
                        "--at \"{text}\" is no time; write it like 2026-11-23T17:00:00Z or 2026-11-23"
                    ))
                })?)
            }
        };
        let Some(address) = &self.address else {
            let list = List {
                brand,
                purpose,
                at,
                file: self.file.unwrap_or_default(),
                map: self.map,
                out: self.out,
                allowed_only: self.allowed_only,
                json: self.json,
            };
            return list.answer(app).await;
        };
        let answer = match app.permission(&brand, &purpose, address, at).await {
            Ok(answer) => answer,
            Err(problem @ Unanswerable::Address(_)) => {
                return Err(Ended::Wrong(problem.to_string()));
            }
            Err(problem) => return Err(Ended::Refused(problem.to_string())),
        };
        if self.json {
            println!("{}", serde_json::to_string(&answer)?);
            return Ok(());
        }
        let allowed = if answer.allowed { "yes" } else { "no" };
        println!("allowed: {allowed}");
        println!("why:     {} (rule {})", answer.why, answer.rule);
        if let Some(since) = answer.since {
            println!("since:   {since}");
        }
        if let Some(until) = answer.until {
            println!("until:   {until}");
        }
        Ok(())
    }
}

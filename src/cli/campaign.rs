//! `countersign campaign`: asking contacts to confirm whom the policy lets be asked.

mod plan;
mod status;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Done, Ended, brand_named, opened};
use crate::app::App;
use crate::app::campaign::{CampaignProblem, NewCampaign};
use crate::domain::brand::Brand;
use crate::domain::campaign::Why;
use crate::domain::operator::Deed;
use crate::intake::export::create;
use plan::Asked;

#[derive(Subcommand)]
pub enum Campaign {
    /// Start a campaign: an invitation, a re-confirmation, or the notice of a merger
    Start(Box<Start>),
    /// How campaigns are: all of a brand, or one with its numbers
    Status {
        name: Option<String>,
        #[arg(long, value_name = "SLUG")]
        brand: String,
        /// Write a CSV with a line for each contact: address, state, reason, mail, answer, asked_at, reminded_at
        #[arg(long, value_name = "OUT.csv", requires = "name")]
        contacts: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Ask nobody else for now; mails that wait do not leave
    Pause(Named),
    /// Go on with a campaign that was paused, or that stopped by itself
    Resume(Named),
    /// End a campaign for good; whoever was asked can still answer
    Cancel(Named),
    /// Let the server write to people whom only a person may ask: by name, or with a list
    Release {
        name: String,
        addresses: Vec<String>,
        #[arg(long, value_name = "SLUG")]
        brand: String,
        /// A file with an address on each line
        #[arg(long, value_name = "LIST")]
        file: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct Named {
    name: String,
    #[arg(long, value_name = "SLUG")]
    brand: String,
}

#[derive(Args)]
pub struct Start {
    /// What the campaign is called
    name: String,
    #[arg(long, value_name = "SLUG")]
    brand: String,
    #[command(flatten)]
    asked: Asked,
    /// Count whom it would ask, show the mail, and start nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the very mail that the first person would get
    #[arg(long, value_name = "OUT.eml")]
    preview: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl Named {
    /// Opens the installation and keeps what is about to be done to the campaign, if there is one of this name.
    async fn opened(&self, settings: &Path, deed: Deed) -> Result<(Arc<App>, Arc<Brand>), Ended> {
        let app = opened(settings).await?;
        let brand = brand_named(&app, &self.brand)?;
        let known = app.campaign(&brand, &self.name).await.map_err(ended)?;
        app.acted_on_command_line(deed, known.name).await?;
        Ok((app, brand))
    }
}

impl Campaign {
    pub async fn run(self, settings: &Path) -> Done {
        match self {
            Self::Start(start) => start.run(settings).await,
            Self::Status {
                name,
                brand,
                contacts,
                json,
            } => {
                let app = opened(settings).await?;
                let brand = brand_named(&app, &brand)?;
                match name {
                    Some(name) => status::one(&app, &brand, &name, contacts.as_deref(), json).await,
                    None => status::all(&app, &brand, json).await,
                }
            }
            Self::Pause(named) => {
                let (app, brand) = named.opened(settings, Deed::CampaignPaused).await?;
                app.pause_campaign(&brand, &named.name).await.map_err(ended)
            }
            Self::Resume(named) => {
                let (app, brand) = named.opened(settings, Deed::CampaignResumed).await?;
                app.resume_campaign(&brand, &named.name)
                    .await
                    .map_err(ended)
            }
            Self::Cancel(named) => {
                let (app, brand) = named.opened(settings, Deed::CampaignCancelled).await?;
                app.cancel_campaign(&brand, &named.name)
                    .await
                    .map_err(ended)
            }
            Self::Release {
                name,
                mut addresses,
                brand,
                file,
                json,
            } => {
                let app = opened(settings).await?;
                let brand = brand_named(&app, &brand)?;
                if let Some(file) = &file {
                    let text = std::fs::read_to_string(file)
                        .map_err(|error| Ended::Wrong(format!("{}: {error}", file.display())))?;
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                    addresses.extend(lines.map(str::to_owned));
                }
                if addresses.is_empty() {
                    return Err(Ended::Wrong(
                        "name addresses, or give --file LIST".to_owned(),
                    ));
                }
                let known = app.campaign(&brand, &name).await.map_err(ended)?;
                let people = match addresses.len() {
                    1 => "1 person".to_owned(),
                    count => format!("{count} people"),
                };
                let on = format!("{}: {people}", known.name);
                app.acted_on_command_line(Deed::RequestReleased, on).await?;
                let released = app
                    .release_recipients(&brand, &name, &addresses)
                    .await
                    .map_err(ended)?;
                if json {
                    println!("{}", json!({ "released": released }));
                } else {
                    println!("Released: {released}. Each gets one invitation, and no reminder.");
                }
                Ok(())
            }
        }
    }
}

/// What was asked wrongly is wrong usage; what cannot be is refused.
fn ended(problem: CampaignProblem) -> Ended {
    match problem {
        CampaignProblem::Plan(_) | CampaignProblem::Taken(_) | CampaignProblem::Unknown(_) => {
            Ended::Wrong(problem.to_string())
        }
        other => Ended::Refused(other.to_string()),
    }
}

impl Start {
    async fn run(self, settings: &Path) -> Done {
        let app = opened(settings).await?;
        let brand = brand_named(&app, &self.brand)?;
        let plan = self.asked.plan(&app, &brand).await?;
        let new = NewCampaign {
            name: self.name,
            plan,
        };
        let groups = app.count_campaign(&brand, &new).await.map_err(ended)?;
        if let Some(path) = &self.preview {
            let mail = app
                .preview_campaign(&brand, &new.plan, groups.example)
                .await
                .map_err(|problem| Ended::Refused(format!("the mail: {problem}")))?;
            // It holds an address, so nobody else may read it, and nothing is written over.
            create(path)
                .and_then(|mut file| file.write_all(&mail))
                .map_err(|error| Ended::Wrong(format!("{}: {error}", path.display())))?;
        }
        if !self.dry_run {
            app.acted_on_command_line(Deed::CampaignStarted, new.name.clone())
                .await?;
            app.begin_campaign(&brand, new.clone())
                .await
                .map_err(ended)?;
        }
        let left_out: u64 = groups.left_out.values().sum();
        if self.json {
            let reasons: std::collections::BTreeMap<&str, u64> = groups
                .left_out
                .iter()
                .map(|(why, count)| (why.as_str(), *count))
                .collect();
            println!(
                "{}",
                json!({
                    "campaign": new.name, "started": !self.dry_run, "asked": groups.asked, "held": groups.held,
                    "asked_before": groups.asked_before, "left_out": reasons,
                })
            );
            return Ok(());
        }
        println!("{} to be asked by the server", groups.asked);
        println!(
            "{} held: only a person may ask them; `countersign campaign release` lets the server write to one of them",
            groups.held
        );
        println!(
            "{} of these were asked by a campaign before",
            groups.asked_before
        );
        println!("{left_out} left out");
        for (why, count) in &groups.left_out {
            println!("  {:24} {count}", words(*why));
        }
        if self.dry_run {
            println!("Nothing was started.");
        } else {
            println!(
                "Started. A running server or worker asks them; `countersign campaign status` tells how far it is."
            );
        }
        Ok(())
    }
}

const fn words(why: Why) -> &'static str {
    match why {
        Why::Confirmed => "confirmed already",
        Why::Left => "left, or never signed up",
        Why::Refused => "refused by the policy",
        Why::NotByMail => "not to be asked by mail",
        Why::NothingToKeep => "no implicit consent",
        Why::NoMerger => "no notice of a merger due",
        Why::NoticeFirst => "notice of merger first",
        Why::Paused => "paused",
        Why::NotDue => "not due",
        Why::AskedLately => "asked lately",
        Why::OtherOldBrand => "came over from another brand than the notice names",
    }
}

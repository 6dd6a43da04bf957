//! `countersign timestamp`: has the log stamped now, by every authority of the settings.

use clap::Args;
use serde_json::{Value, json};

use super::{Done, Ended};
use crate::app::App;
use crate::app::timestamp::Asking;
use crate::domain::operator::Deed;

#[derive(Args)]
pub struct Stamp {
    /// A line for each authority
    #[arg(long)]
    json: bool,
}

impl Stamp {
    pub async fn run(self, app: &App) -> Done {
        if app.config.timestamps.authorities.is_empty() {
            return Err(Ended::Wrong(
                "no authority is named: [timestamp] authorities = [\"NAME=URL\"]".to_owned(),
            ));
        }
        let names: Vec<&str> = app
            .config
            .timestamps
            .authorities
            .iter()
            .map(|authority| authority.name.as_str())
            .collect();
        app.acted_on_command_line(Deed::TimestampAsked, names.join(", "))
            .await?;
        let is_whole = app.everything_logged().await?;
        let asked = app.stamp_now().await?;
        if asked.is_empty() && is_whole {
            if !self.json {
                println!("The log has no entries yet; there is nothing to stamp.");
            }
            return Ok(());
        }
        if asked.is_empty() {
            return Err(Ended::Refused(
                "the log lags behind what is recorded, and is stamped when it has come up with it"
                    .to_owned(),
            ));
        }
        for one in &asked {
            if self.json {
                println!("{}", object(one));
            } else {
                println!("{}", line(one));
            }
        }
        let failed = asked.iter().filter(|one| one.outcome.is_err()).count();
        if failed > 0 {
            return Err(Ended::Refused(format!(
                "{failed} of {} authorities gave no stamp",
                asked.len()
            )));
        }
        Ok(())
    }
}

fn line(one: &Asking) -> String {
    let (name, size) = (&one.authority, one.size);
    match &one.outcome {
        Err(problem) => format!("{name}: failed: {problem}"),
        Ok(kept) => {
            let stamp = &kept.stamp;
            format!(
                "{name}: {size} entries stamped at {} by \"{}\", serial {}{}\n{name}: root \"{}\", SHA-256 {}, {}",
                stamp.at,
                stamp.authority,
                stamp.serial,
                if kept.was_there { ", as before" } else { "" },
                stamp.root_name,
                stamp.root_fingerprint,
                if stamp.root_on_trust {
                    "taken on trust: no root is named for this authority"
                } else {
                    "which the settings name"
                },
            )
        }
    }
}

fn object(one: &Asking) -> Value {
    match &one.outcome {
        Err(problem) => json!({
            "authority": one.authority, "size": one.size, "problem": problem.to_string(),
        }),
        Ok(kept) => {
            let stamp = &kept.stamp;
            json!({
                "authority": one.authority, "size": one.size, "at": stamp.at, "signer": stamp.authority,
                "serial": stamp.serial.to_string(), "was_there": kept.was_there, "root": stamp.root_name,
                "root_sha256": stamp.root_fingerprint.to_string(), "root_on_trust": stamp.root_on_trust,
            })
        }
    }
}

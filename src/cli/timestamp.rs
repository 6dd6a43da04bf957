//! `countersign timestamp`: has the log stamped now, by every authority of the settings.

use clap::Args;

use super::{Done, Ended};
use crate::app::App;
use crate::app::timestamp::Asking;

#[derive(Args)]
pub struct Stamp {}

impl Stamp {
    pub async fn run(self, app: &App) -> Done {
        if app.config.timestamps.authorities.is_empty() {
            return Err(Ended::Wrong(
                "no authority is named: [timestamp] authorities = [\"NAME=URL\"]".to_owned(),
            ));
        }
        let is_whole = app.everything_logged().await?;
        let asked = app.stamp_now().await?;
        if asked.is_empty() && is_whole {
            println!("The log has no entries yet; there is nothing to stamp.");
            return Ok(());
        }
        if asked.is_empty() {
            return Err(Ended::Refused(
                "the log lags behind what is recorded, and is stamped when it has come up with it"
                    .to_owned(),
            ));
        }
        for one in &asked {
            println!("{}", line(one));
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

//! `countersign doctor`: whether everything is there that the server needs, and how to mend what is not.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{Done, Ended, load};
use crate::app::doctor::{Finding, Health, examine};
use crate::telemetry;

#[derive(Args)]
pub struct Doctor {
    /// Ask this name server in place of the system's
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub async fn run(self, file: &Path) -> Done {
        let config = match load(file) {
            Ok(config) => config,
            Err(ended) => {
                if self.json {
                    let what = ended.text();
                    let mend = "mend the settings first";
                    let found = json!({ "check": "settings", "health": "fail", "what": what, "mend": mend });
                    println!("{}", json!({ "ok": false, "findings": [found] }));
                }
                return Err(ended);
            }
        };
        telemetry::start_log(config.log_json, "error");
        let findings = examine(config, file, self.dns).await;
        let failed = findings
            .iter()
            .filter(|finding| finding.health == Health::Fail)
            .count();
        if self.json {
            println!("{}", json!({ "ok": failed == 0, "findings": findings }));
        } else {
            for finding in &findings {
                print!("{}", line(finding));
            }
        }
        if failed > 0 {
            let checks = if failed == 1 { "check" } else { "checks" };
            return Err(Ended::Refused(format!("{failed} {checks} failed")));
        }
        Ok(())
    }
}

/// What servers said is shown and steers no terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn line(finding: &Finding) -> String {
    let mut text = format!(
        "{:4}  {:9} {}\n",
        finding.health.as_str(),
        finding.check,
        plain(&finding.what)
    );
    if let Some(mend) = &finding.mend {
        let _ = writeln!(text, "                {}", plain(mend));
    }
    text
}

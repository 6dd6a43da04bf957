//! `countersign verify FILE.zip`: checks an evidence bundle with no server and no network. `verify --log` is in `log`.

mod log;

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, Ended, opened};
use crate::ledger::archive::BYTES_AT_MOST;
use crate::ledger::bundle::{self, Known, Report, Whence};
use crate::ledger::note::Verifier;
use crate::ledger::timestamp::Certificate;

#[derive(Args)]
pub struct Verify {
    /// The bundle, or a receipt
    #[arg(required_unless_present_any = ["log", "rebuild_check"])]
    file: Option<PathBuf>,
    /// Check the whole log of this installation against its checkpoints
    #[arg(long, conflicts_with = "file")]
    log: bool,
    /// Check the log, and compute every contact's standing from its events
    #[arg(long, conflicts_with = "file")]
    rebuild_check: bool,
    /// With --log: a checkpoint or bundle that somebody else kept; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    against: Vec<PathBuf>,
    /// With --log: the findings as JSON
    #[arg(long, conflicts_with = "file")]
    json: bool,
    /// The log's key as you know it from elsewhere (a C2SP vkey); without it the bundle's own is taken on trust
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Root certificates of the time-stamping authorities that you trust, in PEM
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// The key of a witness whose cosignature is to be checked; may be given several times
    #[arg(long, value_name = "VKEY")]
    witness: Vec<String>,
}

impl Verify {
    pub async fn run(self, settings: &Path) -> Done {
        if let Some(file) = &self.file {
            return self.check(file);
        }
        let wanted = log::Wanted {
            rebuild: self.rebuild_check,
            against: self.against,
            json: self.json,
        };
        log::run(wanted, &*opened(settings).await?).await
    }

    fn check(&self, file: &Path) -> Done {
        let wrong = |what: &str, problem: String| Ended::Wrong(format!("{what}: {problem}"));
        let vkey = |what: &'static str, text: &String| {
            Verifier::parse(text.trim()).map_err(|problem| wrong(what, problem.to_string()))
        };
        let key = self
            .key
            .as_ref()
            .map(|text| vkey("--key", text))
            .transpose()?;
        let witnesses: Vec<Verifier> = self
            .witness
            .iter()
            .map(|text| vkey("--witness", text))
            .collect::<Result<_, _>>()?;
        let roots = match &self.roots {
            None => Vec::new(),
            Some(path) => std::fs::read(path)
                .map_err(|error| error.to_string())
                .and_then(|pem| {
                    Certificate::all_from_pem(&pem).map_err(|problem| problem.to_string())
                })
                .map_err(|problem| wrong("--roots", problem))?,
        };
        let name = file.display().to_string();
        let size = std::fs::metadata(file).map_err(|error| wrong(&name, error.to_string()))?;
        if size.len() > BYTES_AT_MOST as u64 {
            return Err(Ended::Refused(format!(
                "{name} is larger than a bundle may be"
            )));
        }
        let bytes = std::fs::read(file).map_err(|error| wrong(&name, error.to_string()))?;
        if bytes.starts_with(RECEIPT) {
            return receipt(&name, &bytes, key.as_ref());
        }
        let known = Known {
            key: key.as_ref(),
            roots: &roots,
            witnesses: &witnesses,
        };
        match bundle::verify(&bytes, known) {
            Ok(report) => {
                print(&report);
                Ok(())
            }
            Err(problem) => Err(Ended::Refused(format!("{name} does not hold: {problem}"))),
        }
    }
}

/// How a receipt begins (C2SP tlog-proof@v1).
const RECEIPT: &[u8] = b"c2sp.org/tlog-proof@v1\n";

/// A receipt carries no key: its reader must have it from elsewhere.
fn receipt(name: &str, bytes: &[u8], key: Option<&Verifier>) -> Done {
    let key = key.ok_or_else(|| {
        Ended::Wrong(format!(
            "{name} is a receipt: give the log's key with --key; the server shows it at /log/log-key.pub"
        ))
    })?;
    let found = bundle::read_receipt(bytes, key)
        .map_err(|problem| Ended::Refused(format!("{name} does not hold: {problem}")))?;
    println!("This receipt holds.");
    println!(
        "Entry {} of the log {}, which had {} entries then.",
        found.index, found.origin, found.size
    );
    println!("{}  {}", found.at, found.sentence);
    Ok(())
}

/// The story, what each claim rests on, and what was taken on trust.
fn print(report: &Report) {
    println!("This bundle holds.");
    println!(
        "Brand {}, contact {}, made {}, log {} of {} entries.",
        report.brand, report.contact, report.made, report.origin, report.size
    );
    println!("\nWhat happened");
    for told in &report.events {
        println!("{:>4}  {}  {}", told.number, told.at, told.sentence);
        match &told.whence {
            Whence::Nowhere => {}
            Whence::NotDisclosed => println!("      network address and browser: not disclosed"),
            Whence::Disclosed(words) => println!("      {words}"),
        }
        let after = told
            .logged_after
            .as_ref()
            .map(|(name, at)| format!("after {at} ({name})"));
        let before = told
            .logged_before
            .as_ref()
            .map(|(name, at)| format!("before {at} ({name})"));
        let between: Vec<String> = after.into_iter().chain(before).collect();
        if !between.is_empty() {
            println!("      logged {}", between.join(" and "));
        }
    }
    println!("\nWhat it rests on");
    for claim in &report.claims {
        println!("- {}", claim.says);
        for ground in &claim.rests_on {
            println!("    {ground}");
        }
    }
    if !report.remarks.is_empty() {
        println!("\nWorth knowing");
    }
    for remark in &report.remarks {
        println!("- {remark}");
    }
    println!("\nTaken on trust");
    for trust in &report.on_trust {
        println!("- {trust}");
    }
    println!(
        "\nA bundle cannot show that nothing was left out: ask for a fresh one if a later event matters."
    );
}

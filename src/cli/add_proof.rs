//! `countersign add-proof ADDRESS`: an order number, a scan or a contract that turned up after the list was taken in.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::add_proof::{NewProof, ProofRefused};
use crate::app::permit::Unanswerable;
use crate::domain::brand::Slug;
use crate::domain::event::Through;
use crate::domain::policy::Source;
use crate::intake::proof::ProofFile;

#[derive(Args)]
pub struct AddProof {
    address: String,
    #[arg(long)]
    brand: String,
    /// The source that it is proof of, as the import claimed it; `countersign policy` lists them
    #[arg(long)]
    source: String,
    /// Only for this purpose; without it, for each that the source was claimed for
    #[arg(long)]
    purpose: Option<String>,
    /// A piece of proof; may be given several times
    #[arg(long = "proof", value_name = "KEY=VALUE")]
    proof: Vec<String>,
    /// A file for a piece of proof, such as scan=form.pdf; it is kept by its SHA-256
    #[arg(long = "proof-file", value_name = "KEY=FILE")]
    file: Option<String>,
    #[arg(long)]
    json: bool,
}

fn pair<'a>(argument: &str, text: &'a str) -> Result<(String, &'a str), Ended> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Ended::Wrong(format!("{argument} takes KEY and VALUE with = between")))?;
    Ok((key.trim().to_owned(), value))
}

impl AddProof {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let source = Source::parse(&self.source).ok_or_else(|| {
            Ended::Wrong(format!(
                "there is no source \"{}\"; `countersign policy` lists them",
                self.source.escape_debug()
            ))
        })?;
        let purpose = self.purpose.map(Slug::try_from).transpose();
        let words: Result<Vec<_>, Ended> = self
            .proof
            .iter()
            .map(|text| pair("--proof", text).map(|(key, value)| (key, value.to_owned())))
            .collect();
        let file = match &self.file {
            None => None,
            Some(text) => {
                let (key, path) = pair("--proof-file", text)?;
                let found = ProofFile::look(&PathBuf::from(path));
                let content = found.and_then(|file| file.content());
                let content =
                    content.map_err(|problem| Ended::Wrong(format!("{path}: {problem}")))?;
                Some((key, content))
            }
        };
        let known = app.contact_by_address(&brand, &self.address).await;
        let known = known.map_err(|problem| match problem {
            Unanswerable::Address(_) => Ended::Wrong(problem.to_string()),
            Unanswerable::Store(_) => Ended::Refused(problem.to_string()),
        })?;
        let known = known.ok_or_else(|| Ended::Refused(ProofRefused::Unknown.to_string()))?;
        let new = NewProof {
            contact: known.id,
            source,
            purpose: purpose.map_err(Ended::Wrong)?,
            words: words?,
            file,
        };
        let added = app.add_proof(&brand, &new, (None, Through::CommandLine));
        let added = added.await.map_err(|problem| {
            let text = problem.to_string();
            match problem {
                ProofRefused::Unknown
                | ProofRefused::NoClaim(_)
                | ProofRefused::There(_)
                | ProofRefused::ManyFiles
                | ProofRefused::Store(_) => Ended::Refused(text),
                _ => Ended::Wrong(text),
            }
        })?;
        for one in added {
            let (judgement, standing) = (&one.judgement, one.standing.as_ref());
            let state = standing.map_or("none", |standing| standing.state.as_str());
            if self.json {
                let object = json!({
                    "purpose": one.purpose, "verdict": judgement.verdict, "rule": judgement.rule.id(),
                    "valid_until": judgement.valid_until, "state": state, "why": judgement.why,
                });
                println!("{object}");
            } else {
                println!(
                    "{}: {} by rule {}; the contact is {state}. {}",
                    one.purpose,
                    judgement.verdict.as_str(),
                    judgement.rule.id(),
                    judgement.why
                );
            }
        }
        Ok(())
    }
}

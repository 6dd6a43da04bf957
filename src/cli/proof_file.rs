//! `countersign proof-file HASH`: gives back a file of proof that an import brought.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::proof::parse_hash;
use crate::domain::operator::Deed;
use crate::intake::export::create;

#[derive(Args)]
pub struct ProofFile {
    /// The SHA-256 of the file, 64 hexadecimal digits, as events and reports name it
    hash: String,
    #[arg(long, value_name = "SLUG")]
    brand: String,
    /// The new file to write; only you may read it
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl ProofFile {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let hash = parse_hash(&self.hash).ok_or_else(|| {
            Ended::Wrong(
                "a file of proof is named by its SHA-256, 64 hexadecimal digits".to_owned(),
            )
        })?;
        let content = app.proof_file(&brand, &hash).await?.ok_or_else(|| {
            Ended::Refused(format!(
                "brand \"{}\" keeps no file of proof with this SHA-256; one that only an erased contact rested on is gone",
                self.brand
            ))
        })?;
        let on = format!("{} of brand {}", self.hash.to_ascii_lowercase(), self.brand);
        app.acted_on_command_line(Deed::ProofTaken, on).await?;
        create(&self.output)
            .and_then(|mut file| file.write_all(&content))
            .map_err(|error| Ended::Wrong(format!("{}: {error}", self.output.display())))?;
        println!("{} bytes: {}", content.len(), self.output.display());
        Ok(())
    }
}

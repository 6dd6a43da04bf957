//! `countersign seal-key new`: the key pair for `keep_proof_after_erasure`.

use clap::Subcommand;

use super::Done;
use crate::clock::Random;
use crate::domain::seal::OpeningKey;

#[derive(Subcommand)]
pub enum SealKey {
    /// Make a pair and print it; it is stored nowhere
    New,
}

impl SealKey {
    pub fn run(self) -> Done {
        match self {
            Self::New => {
                let key = OpeningKey::derive(&Random::Os.bytes());
                println!("For the brand's declaration, under [brand.keep_proof_after_erasure]:");
                println!("public_key = \"{}\"", key.public().text());
                println!("");
                println!(
                    "For the safe. It is stored nowhere and not shown again; whoever has it reads what was erased:"
                );
                println!("{}", key.text());
            }
        }
        Ok(())
    }
}

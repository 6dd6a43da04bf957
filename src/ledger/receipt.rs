//! A receipt: the proof that one event is in the log, to be kept by whoever it concerns (C2SP tlog-proof@v1).

use base64::{Engine, engine::general_purpose::STANDARD};

use super::checkpoint::Checkpoint;
use super::merkle::{Hash, ProofProblem, verify_inclusion};
use super::note::{NoteProblem, Verifier};

pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// No tree of 2^63 leaves has a longer path.
const PATH_AT_MOST: usize = 63;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What the leaf's hash can be made anew from. Nothing authenticates it but that the proof then holds.
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    pub path: Vec<Hash>,
    /// The signed checkpoint, as it was signed.
    pub checkpoint: String,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptProblem {
    #[error("this is no tlog-proof@v1: {0}")]
    Form(&'static str),
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] NoteProblem),
    #[error("{0}")]
    Proof(#[from] ProofProblem),
}

impl Receipt {
    pub fn written(&self) -> String {
        let path: String = self
            .path
            .iter()
            .map(|hash| format!("{}\n", STANDARD.encode(hash)))
            .collect();
        let extra = self.extra.as_ref().map_or_else(String::new, |extra| {
            format!("extra {}\n", STANDARD.encode(extra))
        });
        format!(
            "{FIRST_LINE}\n{extra}index {}\n{path}\n{}",
            self.index, self.checkpoint
        )
    }

    /// Reads a receipt; there is one way to write each.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptProblem> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| ReceiptProblem::Form("it is not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ReceiptProblem::Form(
            "there is no empty line before the checkpoint",
        ))?;
        let mut lines = head.lines().peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(ReceiptProblem::Form("its first line is another"));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .map(|line| STANDARD.decode(&line[6..]))
            .transpose()
            .map_err(|_| ReceiptProblem::Form("its extra data are not base64"))?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(|number| number.parse().ok())
            .ok_or(ReceiptProblem::Form("the index does not stand in its line"))?;
        let path: Vec<Hash> = lines
            .map(|line| STANDARD.decode(line).ok()?.try_into().ok())
            .collect::<Option<_>>()
            .filter(|path: &Vec<Hash>| path.len() <= PATH_AT_MOST)
            .ok_or(ReceiptProblem::Form("a line of its path is no hash"))?;
        let receipt = Self {
            extra,
            index,
            path,
            checkpoint: checkpoint.to_owned(),
        };
        if receipt.written().as_bytes() != bytes {
            return Err(ReceiptProblem::Form(
                "it is not written in the one way there is",
            ));
        }
        Ok(receipt)
    }

    /// Checks that the entry with this leaf hash is in the log of this key; answers with the log's head.
    pub fn verify(&self, leaf: &Hash, by: &Verifier) -> Result<Checkpoint, ReceiptProblem> {
        let (checkpoint, _) = Checkpoint::verified(self.checkpoint.as_bytes(), by)?;
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.path,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

//! The proof that holds for all rows of a list: words, and papers such as a contract or a scan, as files.

use super::candidate::with_hash;
use super::header::Field;
use super::proof::{ProofFile, ProofProblem};
use crate::domain::policy::{Claim, Source, TAKE_FILES, takes_file};

/// Papers of one import at most; they are in memory together.
pub const PAPERS_AT_MOST: usize = 10;

/// Why a file is no paper for all rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperProblem {
    #[error("the proof \"{}\" is no file; files can be: {}", .0.escape_debug(), TAKE_FILES.join(", "))]
    NoFile(String),
    #[error("there are {PAPERS_AT_MOST} papers that hold for all rows already, and no more")]
    Many,
    #[error("a scan that holds for all rows is one file, and there is one already")]
    OneScan,
    #[error("this very file is there for \"{0}\" already")]
    Again(String),
}

/// A file's SHA-256 and its content.
pub type Content = ([u8; 32], Vec<u8>);

/// The proof that holds for all rows, and the files among it.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    /// Keys and values; a file stands behind the words of its key, by its hash.
    pub proof: Vec<(String, String)>,
    files: Vec<(String, ProofFile)>,
}

impl Papers {
    /// Words without files.
    pub fn of(words: &[(String, String)]) -> Self {
        Self {
            proof: words.to_vec(),
            files: Vec::new(),
        }
    }

    /// Adds a file for a piece of proof.
    pub fn add(&mut self, key: &str, file: ProofFile) -> Result<(), PaperProblem> {
        if !takes_file(key) {
            return Err(PaperProblem::NoFile(key.chars().take(60).collect()));
        }
        let mut same_key = self.files.iter().filter(|(known, _)| known == key);
        if same_key
            .clone()
            .any(|(_, known)| known.sha256 == file.sha256)
        {
            return Err(PaperProblem::Again(key.to_owned()));
        }
        if key == "scan" && same_key.next().is_some() {
            return Err(PaperProblem::OneScan);
        }
        if self.files.len() >= PAPERS_AT_MOST {
            return Err(PaperProblem::Many);
        }
        let words = self.proof.iter().position(|(known, _)| known == key);
        let words = words.map(|at| self.proof.swap_remove(at).1);
        let value = with_hash(key, words.as_deref(), &file.sha256);
        self.proof.push((key.to_owned(), value));
        self.files.push((key.to_owned(), file));
        Ok(())
    }

    /// What is wrong with it, for rows whose source is not told otherwise: each key with the reason.
    pub fn problems(&self, source: Option<Source>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let Some(source) = source else {
            let unknown = |key: &str| !matches!(Field::parse(key), Some(Field::Proof(_)));
            for (key, _) in self.proof.iter().filter(|pair| unknown(&pair.0)) {
                let says = format!("no source takes the proof \"{}\"", key.escape_debug());
                found.push((key.clone(), says));
            }
            return found;
        };
        let mut claim = Claim::new(source, None);
        for (key, value) in &self.proof {
            match claim.clone().prove(key, value) {
                Ok(proven) => claim = proven,
                Err(problem) => found.push((key.clone(), problem.to_string())),
            }
        }
        found
    }

    /// The contents of the files by their hashes, or which of them is not what it was.
    pub fn contents(&self) -> Result<Vec<Content>, (String, ProofProblem)> {
        let files = self.files.iter();
        files
            .map(|(_, file)| match file.content() {
                Ok(content) => Ok((file.sha256, content)),
                Err(problem) => Err((file.name.clone(), problem)),
            })
            .collect()
    }
}

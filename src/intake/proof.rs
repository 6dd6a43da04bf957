//! Files of proof (scans, contracts) as a list names them: in one folder, or brought one by one, known by the SHA-256 of their
//! content.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// The longest file of proof in bytes: a scan of some pages.
pub const FILE_BYTES: u64 = 10 * 1_024 * 1_024;
/// Names whose hashes are remembered; of further ones the file is read each time.
const NAMES: usize = 100_000;

/// A file of proof with what its content is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// What it is called in a message.
    pub name: String,
    pub path: PathBuf,
    pub sha256: [u8; 32],
    pub bytes: u64,
}

/// Why a file cannot be proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofProblem {
    #[error("it is not there")]
    NotThere,
    #[error("it lies outside of the folder of proof")]
    Outside,
    #[error("it is no file")]
    NoFile,
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {} MiB", FILE_BYTES / (1_024 * 1_024))]
    TooLong,
    #[error("it was changed while the list was read")]
    Changed,
    #[error("{0}")]
    Unreadable(String),
}

impl From<io::Error> for ProofProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotThere,
            kind => Self::Unreadable(kind.to_string()),
        }
    }
}

impl ProofFile {
    /// Looks at a file and keeps nothing of it in memory but its hash.
    pub fn look(path: &Path) -> Result<Self, ProofProblem> {
        let mut hash = Sha256::new();
        let bytes = read(path, |part| hash.update(part))?;
        Ok(Self {
            name: path.display().to_string(),
            path: path.to_owned(),
            sha256: hash.finalize().into(),
            bytes,
        })
    }

    /// Its content, if it still is what was looked at.
    pub fn content(&self) -> Result<Vec<u8>, ProofProblem> {
        let mut content = Vec::new();
        read(&self.path, |part| content.extend_from_slice(part))?;
        let sha256: [u8; 32] = Sha256::digest(&content).into();
        if sha256 == self.sha256 {
            Ok(content)
        } else {
            Err(ProofProblem::Changed)
        }
    }
}

/// Hands a file over in pieces; answers with its length.
fn read(path: &Path, mut take: impl FnMut(&[u8])) -> Result<u64, ProofProblem> {
    // Whatever else there may be (a pipe, a device) could keep whoever reads it waiting for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(ProofProblem::NoFile);
    }
    let mut file = File::open(path)?.take(FILE_BYTES + 1);
    let mut piece = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        bytes += length as u64;
        take(piece.get(..length).unwrap_or_default());
    }
    match bytes {
        0 => Err(ProofProblem::Empty),
        _ if bytes > FILE_BYTES => Err(ProofProblem::TooLong),
        _ => Ok(bytes),
    }
}

/// Where the files are that the rows of a list name. Nothing outside of it is read, whatever a row says.
#[derive(Debug)]
pub struct ProofFolder {
    /// None: there are the known files, and no others.
    folder: Option<PathBuf>,
    known: HashMap<String, Result<ProofFile, ProofProblem>>,
}

impl ProofFolder {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        if !folder.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "it is no folder",
            ));
        }
        Ok(Self {
            folder: Some(folder),
            known: HashMap::new(),
        })
    }

    /// Files that were brought one by one; rows name them by their names. Of two with the same name the later one is meant.
    pub fn of(files: impl IntoIterator<Item = ProofFile>) -> Self {
        let files = files.into_iter();
        Self {
            folder: None,
            known: files.map(|file| (plain(&file.name), Ok(file))).collect(),
        }
    }

    /// The file that a cell names, as a path within the folder.
    pub fn find(&mut self, name: &str) -> Result<ProofFile, ProofProblem> {
        let Some(folder) = &self.folder else {
            let known = self.known.get(&plain(name));
            return known.cloned().unwrap_or(Err(ProofProblem::NotThere));
        };
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let found = look(folder, name);
        if self.known.len() < NAMES {
            self.known.insert(name.to_owned(), found.clone());
        }
        found
    }
}

/// A name without what a folder would make of it, and with composed letters: one program writes é as one sign, another as two.
pub fn plain(name: &str) -> String {
    let name = name.trim();
    name.strip_prefix("./").unwrap_or(name).nfc().collect()
}

fn look(folder: &Path, name: &str) -> Result<ProofFile, ProofProblem> {
    let name = Path::new(name);
    let mut parts = name.components();
    if !parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(ProofProblem::Outside);
    }
    // A link within the folder may lead out of it.
    let path = folder.join(name).canonicalize()?;
    if !path.starts_with(folder) {
        return Err(ProofProblem::Outside);
    }
    ProofFile::look(&path)
}

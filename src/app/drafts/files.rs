//! The private folder in which the files of imports lie that were begun in the pages.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// What a file is to its draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Still being brought.
    Coming,
    List,
    /// Some rows of a dry run, with their addresses.
    Samples,
    Report,
    /// A folder: the files of proof that were brought with the list.
    Proofs,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Coming,
        Self::List,
        Self::Samples,
        Self::Report,
        Self::Proofs,
    ];

    const fn ending(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::List => "list",
            Self::Samples => "samples",
            Self::Report => "report",
            Self::Proofs => "proofs",
        }
    }
}

/// The folder, made where it is not there. Only who runs the server may look into it.
pub fn made(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

pub fn path(folder: &Path, id: Uuid, part: Part) -> PathBuf {
    folder.join(format!("{id}.{}", part.ending()))
}

/// A new file that nobody else may read.
pub fn create(path: &Path) -> Result<fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Puts the names of a folder's files on the disk.
pub fn sync(folder: &Path) -> Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Puts text in the place of a file.
pub fn replace(folder: &Path, id: Uuid, part: Part, text: &[u8]) -> Result<()> {
    let coming = folder.join(format!("{id}.{}.coming", part.ending()));
    remove(&coming)?;
    let mut file = create(&coming)?;
    file.write_all(text)?;
    file.sync_data()?;
    fs::rename(&coming, path(folder, id, part))
}

/// Removes a file, or a folder with what is in it; one that is not there is none less.
pub fn remove(path: &Path) -> Result<()> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what belongs to a draft, but for some parts.
pub fn remove_all(folder: &Path, id: Uuid, but: &[Part]) -> Result<()> {
    for part in Part::ALL {
        if !but.contains(&part) {
            remove(&path(folder, id, part))?;
        }
    }
    Ok(())
}

/// Removes a part of a draft.
pub fn remove_part(folder: &Path, id: Uuid, part: Part) -> Result<()> {
    remove(&path(folder, id, part))
}

/// The files of the folder with the drafts that they belong to.
pub fn list(folder: &Path) -> Result<Vec<(Uuid, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let id = name
            .split('.')
            .next()
            .and_then(|id| Uuid::parse_str(id).ok());
        found.extend(id.map(|id| (id, path.clone())));
    }
    Ok(found)
}

/// How many lists lie in the folder, or are being brought.
pub fn count(folder: &Path) -> Result<usize> {
    let lists = [Part::Coming, Part::List].map(Part::ending);
    let is_list = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        lists.contains(&ending.as_ref())
    };
    Ok(list(folder)?
        .iter()
        .filter(|(_, path)| is_list(path))
        .count())
}

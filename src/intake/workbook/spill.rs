//! Bytes that are too many for memory: written one behind the other to a temporary file, and read again a page at a time.

use std::fs::{File, OpenOptions, remove_file};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// What is read or written at once.
const PAGE: u64 = 64 * 1_024;
/// Pages that are held: 4 MB.
const PAGES: u64 = 64;
/// How often another name is tried where somebody has taken it.
const NAMES: usize = 16;

pub struct Spill {
    /// It has no name any more: whatever becomes of the process, nothing stays on the disk.
    file: File,
    /// The last bytes, which are not written yet.
    tail: Vec<u8>,
    written: u64,
    pages: Vec<Option<(u64, Vec<u8>)>>,
}

impl Spill {
    /// In the folder for temporary files (`TMPDIR`, by default `/tmp`). Nobody else may read it.
    pub fn new() -> io::Result<Self> {
        let mut taken = ErrorKind::AlreadyExists.into();
        for _ in 0..NAMES {
            let name = format!("countersign-{:016x}", RandomState::new().hash_one(0));
            let path = std::env::temp_dir().join(name);
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create_new(true).mode(0o600);
            match options.open(&path) {
                Ok(file) => {
                    remove_file(&path)?;
                    return Ok(Self {
                        file,
                        tail: Vec::new(),
                        written: 0,
                        pages: Vec::new(),
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => taken = error,
                Err(error) => return Err(error),
            }
        }
        Err(taken)
    }

    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tail.extend_from_slice(bytes);
        if self.tail.len() as u64 >= PAGE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.tail, self.written)?;
        self.written += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }

    /// The bytes from one place to another. Once something was read, nothing is added any more.
    pub fn get(&mut self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        if !self.tail.is_empty() {
            self.write()?;
        }
        let mut found = Vec::with_capacity(usize::try_from(to - from).unwrap_or(0));
        let mut at = from;
        while at < to {
            let page = self.page(at / PAGE)?;
            let begin = usize::try_from(at % PAGE).unwrap_or(0);
            let most = usize::try_from(to - at).unwrap_or(usize::MAX);
            let rest = page.get(begin..).unwrap_or_default();
            let rest = rest.get(..most).unwrap_or(rest);
            if rest.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            found.extend_from_slice(rest);
            at += rest.len() as u64;
        }
        Ok(found)
    }

    /// How many names the file has.
    #[cfg(test)]
    pub fn names(&self) -> u64 {
        std::os::unix::fs::MetadataExt::nlink(&self.file.metadata().unwrap())
    }

    fn page(&mut self, number: u64) -> io::Result<&[u8]> {
        self.pages
            .resize_with(usize::try_from(PAGES).unwrap_or(1), || None);
        let slot = usize::try_from(number % PAGES).unwrap_or(0);
        let place = self.pages.get_mut(slot).ok_or(ErrorKind::OutOfMemory)?;
        if place.as_ref().is_none_or(|known| known.0 != number) {
            let begin = number * PAGE;
            let length = PAGE.min(self.written.saturating_sub(begin));
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
            self.file.read_exact_at(&mut bytes, begin)?;
            *place = Some((number, bytes));
        }
        Ok(place.as_ref().map_or(&[], |known| known.1.as_slice()))
    }
}

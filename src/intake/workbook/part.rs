//! One file within a workbook, unpacked as it is read, with a limit on all that it may become.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::DeflateDecoder;

use super::super::limits::{PART_BYTES, PART_RATIO, RATIO_FROM, XML_PIECE_BYTES};
use super::super::problem::FileProblem;
use super::directory::Directory;

const BUFFER: usize = 32 * 1_024;

/// A stretch of a file, read at its own pace.
struct Stretch {
    file: Arc<File>,
    at: u64,
    left: u64,
    read: Arc<AtomicU64>,
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self
            .file
            .read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The unpacked bytes. It fails once they are too many, or once a single piece of XML is too long.
pub struct Part {
    bytes: BufReader<Box<dyn Read + Send>>,
    packed_read: Arc<AtomicU64>,
    packed: u64,
    given: u64,
    piece: u64,
    refused: Option<&'static str>,
}

impl Part {
    pub fn open(directory: &Directory, path: &str) -> Result<Option<Self>, FileProblem> {
        let Some(entry) = directory.find(path) else {
            return Ok(None);
        };
        let broken = |_| FileProblem::Damaged("a file in it is not where its list says");
        // The header in front of the file itself (section 4.3.7): of it only the lengths of what stands in between count.
        let mut header = [0; 30];
        directory
            .file
            .read_exact_at(&mut header, entry.begin)
            .map_err(broken)?;
        let [b'P', b'K', 3, 4, .., n0, n1, e0, e1] = header else {
            return Err(FileProblem::Damaged(
                "a file in it is not where its list says",
            ));
        };
        let between =
            u64::from(u16::from_le_bytes([n0, n1])) + u64::from(u16::from_le_bytes([e0, e1]));
        let packed_read = Arc::new(AtomicU64::new(0));
        let stretch = BufReader::with_capacity(
            BUFFER,
            Stretch {
                file: directory.file.clone(),
                at: entry.begin.saturating_add(30 + between),
                left: entry.packed,
                read: packed_read.clone(),
            },
        );
        let bytes: Box<dyn Read + Send> = if entry.deflated {
            Box::new(DeflateDecoder::new(stretch))
        } else {
            Box::new(stretch)
        };
        Ok(Some(Self {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            packed_read,
            packed: entry.packed,
            given: 0,
            piece: 0,
            refused: None,
        }))
    }

    /// A new piece of XML begins.
    pub const fn begin_piece(&mut self) {
        self.piece = 0;
    }

    /// Why it failed, if the reason is ours.
    pub const fn refused(&self) -> Option<&'static str> {
        self.refused
    }

    /// Packed bytes read, and all of them.
    pub fn progress(&self) -> (u64, u64) {
        (self.packed_read.load(Ordering::Relaxed), self.packed)
    }

    fn check(&mut self) -> io::Result<()> {
        let packed = self.packed_read.load(Ordering::Relaxed);
        self.refused = if self.piece > XML_PIECE_BYTES {
            Some("a text in it is longer than a cell can be")
        } else if self.given > PART_BYTES
            || (self.given > RATIO_FROM && self.given / PART_RATIO > packed)
        {
            Some("it unpacks to far more than a sheet of contacts does")
        } else {
            return Ok(());
        };
        Err(io::ErrorKind::QuotaExceeded.into())
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Part {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.given += count as u64;
        self.piece += count as u64;
        self.bytes.consume(count);
    }
}

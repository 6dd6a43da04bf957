//! Bytes of any encoding as UTF-8, piece by piece.

use std::fs::File;
use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding};

use super::records::More;

const PIECE: usize = 32 * 1_024;

/// A file read as text. A byte order mark is left out; what cannot be decoded becomes U+FFFD, which no address may hold.
pub struct Decoded {
    file: File,
    decoder: Decoder,
    piece: Vec<u8>,
    read: u64,
    ended: bool,
}

impl Decoded {
    pub fn new(file: File, encoding: &'static Encoding) -> Self {
        Self {
            file,
            decoder: encoding.new_decoder(),
            piece: vec![0; PIECE],
            read: 0,
            ended: false,
        }
    }

    /// How many bytes of the file are read.
    pub const fn read(&self) -> u64 {
        self.read
    }
}

impl More for Decoded {
    fn more(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let count = match self.file.read(&mut self.piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            count => count?,
        };
        self.read += count as u64;
        self.ended = count == 0;
        let bytes = self.piece.get(..count).unwrap_or_default();
        let before = into.len();
        let room = self.decoder.max_utf8_buffer_length(count);
        into.resize(before + room.unwrap_or(4 * PIECE), 0);
        let rest = into.get_mut(before..).unwrap_or_default();
        // With that much room everything that was read is decoded.
        let (_, _, written, _) = self.decoder.decode_to_utf8(bytes, rest, self.ended);
        into.truncate(before + written);
        Ok(!self.ended)
    }
}

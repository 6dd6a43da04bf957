//! Sent mails, packed: a mail is compressed against the common text of its kind, since only tokens, times and the
//! recipient differ. The first eight bytes name that text, zero for none; a zstd frame (RFC 8878) follows.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use zstd::bulk::{Compressor, Decompressor};

/// What makes packed mails small is the common text: level 1 takes a hundredth off, in nearly twice the time.
const LEVEL: i32 = -1;
const LEVEL_ALONE: i32 = 1;
/// No mail that we send comes near it.
const MAIL_AT_MOST: usize = 16 << 20;
/// Compressors of one common text that are kept for the next mail.
const KEPT: usize = 4;

/// A common text.
pub struct Dictionary {
    pub id: i64,
    pub bytes: Vec<u8>,
    /// Making a compressor costs more than using it. Each with room for what it makes.
    idle: Mutex<Vec<(Compressor<'static>, Vec<u8>)>>,
}

/// Why a packed mail cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackProblem {
    #[error("a mail could not be compressed")]
    Compress,
    #[error("a packed mail is damaged")]
    Damaged,
    #[error("the common text that a mail was packed with is missing")]
    DictionaryMissing,
}

impl Dictionary {
    pub fn of(bytes: Vec<u8>) -> Arc<Self> {
        let hash = Sha256::digest(&bytes);
        let id = i64::from_be_bytes([
            hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
        ]);
        Arc::new(Self {
            // Zero means that there is none.
            id: if id == 0 { 1 } else { id },
            bytes,
            idle: Mutex::default(),
        })
    }

    /// The packed mail behind this text's name.
    fn compress(&self, mail: &[u8]) -> Result<Vec<u8>, PackProblem> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let (mut compressor, mut room) = match kept {
            Some(kept) => kept,
            None => {
                let made = Compressor::with_dictionary(LEVEL, &self.bytes);
                (made.map_err(|_| PackProblem::Compress)?, Vec::new())
            }
        };
        room.clear();
        room.reserve(zstd::zstd_safe::compress_bound(mail.len()));
        compressor
            .compress_to_buffer(mail, &mut room)
            .map_err(|_| PackProblem::Compress)?;
        let packed = named(self.id, &room);
        let mut idle = idle();
        if idle.len() < KEPT {
            idle.push((compressor, room));
        }
        Ok(packed)
    }
}

fn named(id: i64, frame: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes(), frame].concat()
}

pub fn pack(mail: &[u8], dictionary: Option<&Dictionary>) -> Result<Vec<u8>, PackProblem> {
    match dictionary {
        Some(dictionary) => dictionary.compress(mail),
        None => {
            let frame =
                zstd::bulk::compress(mail, LEVEL_ALONE).map_err(|_| PackProblem::Compress)?;
            Ok(named(0, &frame))
        }
    }
}

/// The common text that a packed mail needs; none for zero.
pub fn dictionary_of(packed: &[u8]) -> Result<Option<i64>, PackProblem> {
    let id = packed.first_chunk().ok_or(PackProblem::Damaged)?;
    Ok(Some(i64::from_be_bytes(*id)).filter(|id| *id != 0))
}

/// The mail's bytes. `dictionary` are the bytes of the text that `dictionary_of` names.
pub fn unpack(packed: &[u8], dictionary: Option<&[u8]>) -> Result<Vec<u8>, PackProblem> {
    let frame = packed.get(8..).ok_or(PackProblem::Damaged)?;
    if dictionary_of(packed)?.is_some() && dictionary.is_none() {
        return Err(PackProblem::DictionaryMissing);
    }
    let mut decompressor = Decompressor::with_dictionary(dictionary.unwrap_or_default())
        .map_err(|_| PackProblem::Damaged)?;
    let size = zstd::zstd_safe::get_frame_content_size(frame)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size <= MAIL_AT_MOST)
        .ok_or(PackProblem::Damaged)?;
    decompressor
        .decompress(frame, size)
        .map_err(|_| PackProblem::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(name: &str) -> Vec<u8> {
        let body =
            "The same words in every mail of this kind, which is why packing them is worth it.\r\n";
        format!(
            "To: {name}@example.org\r\n\r\n{}{name}\r\n",
            body.repeat(40)
        )
        .into_bytes()
    }

    #[test]
    fn a_packed_mail_comes_back_to_the_byte_and_takes_a_few_bytes_beside_its_common_text() {
        let dictionary = Dictionary::of(mail("somebody"));
        for name in ["anna", "bo", "somebody.else.altogether"] {
            let packed = pack(&mail(name), Some(&dictionary)).unwrap();
            assert!(packed.len() < 150, "{}", packed.len());
            assert_eq!(dictionary_of(&packed), Ok(Some(dictionary.id)));
            assert!(unpack(&packed, Some(&dictionary.bytes)) == Ok(mail(name)));
            assert_eq!(unpack(&packed, None), Err(PackProblem::DictionaryMissing));
        }
        let alone = pack(&mail("anna"), None).unwrap();
        assert_eq!(dictionary_of(&alone), Ok(None));
        assert!(unpack(&alone, None) == Ok(mail("anna")));
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        let packed = pack(&mail("anna"), None).unwrap();
        for length in 0..packed.len() {
            assert!(unpack(&packed[..length], None).is_err());
        }
    }
}

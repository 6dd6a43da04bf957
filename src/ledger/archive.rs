//! The ZIP container of a bundle (APPNOTE.TXT 6.3): stored, not compressed, with one value for every field, so that a
//! verifier can tell each changed byte. Archives that another program packed are read as well, by a library.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// The comment at the end of an archive that we wrote: whoever finds it may demand our form to the last byte.
pub const COMMENT: &[u8] = b"countersign bundle v1";
pub const MANIFEST: &str = "MANIFEST";

/// Limits that every verifier keeps to: 256 MB in all, 64 MB for each file, and fewer files than the container can count.
pub const BYTES_AT_MOST: usize = 256_000_000;
pub const FILE_AT_MOST: usize = 64_000_000;
pub const FILES_AT_MOST: usize = 65_000;

/// Length of the record at the end of an archive without a comment.
const END_RECORD: usize = 22;

/// The folders of a bundle. An archive that another program packed may list them, empty; ours does not.
const FOLDERS: [&str; 6] = [
    "anchors/",
    "circumstances/",
    "events/",
    "forms/",
    "mails/",
    "proofs/",
];

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;
/// The same, which mostly lie in something else: a bundle may be large, and is not to be in memory once more for each step.
pub type Views<'a> = BTreeMap<String, Cow<'a, [u8]>>;

/// What is wrong with a container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveProblem {
    #[error("the file is no ZIP archive: {0}")]
    Form(&'static str),
    #[error("the ZIP container is not as it was written: byte {0} differs")]
    Changed(usize),
    #[error("{0} is more than a bundle may hold")]
    Large(&'static str),
    #[error("{0}: the name stands there twice")]
    Twice(String),
    #[error("{0:?}: no such folder is in a bundle, or it has bytes of its own")]
    Folder(String),
    #[error("{0}: cannot be unpacked")]
    Unreadable(String),
}

/// The order in the archive: the manifest, then the names by their bytes.
fn ordered<Content>(
    files: &BTreeMap<String, Content>,
) -> impl Iterator<Item = (&String, &Content)> {
    let first = files.iter().filter(|file| file.0 == MANIFEST);
    first.chain(files.iter().filter(|file| file.0 != MANIFEST))
}

fn put_16(bytes: &mut Vec<u8>, value: u16) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn put_32(bytes: &mut Vec<u8>, value: usize) -> Result<(), ArchiveProblem> {
    let value = u32::try_from(value).map_err(|_| ArchiveProblem::Large("its size"))?;
    bytes.extend_from_slice(&value.to_le_bytes());
    Ok(())
}

/// The fields that local and central headers share.
fn header(name: &str, content: &[u8]) -> Result<Vec<u8>, ArchiveProblem> {
    let mut bytes = Vec::with_capacity(26);
    // Version needed, flags (names are UTF-8), method, time, date.
    for value in [20, 0x0800, 0, 0, 33] {
        put_16(&mut bytes, value);
    }
    put_32(&mut bytes, crc32fast::hash(content) as usize)?;
    put_32(&mut bytes, content.len())?;
    put_32(&mut bytes, content.len())?;
    put_16(
        &mut bytes,
        u16::try_from(name.len()).map_err(|_| ArchiveProblem::Large("a name"))?,
    );
    put_16(&mut bytes, 0);
    Ok(bytes)
}

/// Packs the files in the one form.
pub fn write<Content: AsRef<[u8]>>(
    files: &BTreeMap<String, Content>,
) -> Result<Vec<u8>, ArchiveProblem> {
    // The names stand there twice, with 76 bytes of headers for each.
    let each = files.iter();
    let length = each.map(|(name, content)| 76 + 2 * name.len() + content.as_ref().len());
    let length = length.sum::<usize>() + END_RECORD + COMMENT.len();
    if length > BYTES_AT_MOST {
        return Err(ArchiveProblem::Large("the archive"));
    }
    let mut bytes = Vec::with_capacity(length);
    pack(files, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

/// Hands the archive over in pieces.
fn pack<Content: AsRef<[u8]>>(
    files: &BTreeMap<String, Content>,
    mut put: impl FnMut(&[u8]) -> Result<(), ArchiveProblem>,
) -> Result<(), ArchiveProblem> {
    let count = u16::try_from(files.len())
        .ok()
        .filter(|count| usize::from(*count) <= FILES_AT_MOST);
    let count = count.ok_or(ArchiveProblem::Large("the number of files"))?;
    let mut offset = 0;
    let mut central = Vec::new();
    for (name, content) in ordered(files) {
        let content = content.as_ref();
        if content.len() > FILE_AT_MOST {
            return Err(ArchiveProblem::Large("a file"));
        }
        let header = header(name, content)?;
        for piece in [b"PK\x03\x04", header.as_slice(), name.as_bytes(), content] {
            put(piece)?;
        }
        central.extend_from_slice(b"PK\x01\x02");
        put_16(&mut central, 20);
        central.extend_from_slice(&header);
        // Comment length, disk, attributes inside and outside.
        central.extend_from_slice(&[0; 10]);
        put_32(&mut central, offset)?;
        central.extend_from_slice(name.as_bytes());
        offset += 4 + header.len() + name.len() + content.len();
    }
    put(&central)?;
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    put_16(&mut end, count);
    put_16(&mut end, count);
    put_32(&mut end, central.len())?;
    put_32(&mut end, offset)?;
    put_16(&mut end, COMMENT.len() as u16);
    end.extend_from_slice(COMMENT);
    put(&end)
}

/// The files of an archive, and whether the container is ours, checked to the last byte.
pub fn read(bytes: &[u8]) -> Result<(Files, bool), ArchiveProblem> {
    let (files, is_ours) = view(bytes)?;
    let owned = files.into_iter();
    let owned = owned.map(|(name, content)| (name, content.into_owned()));
    Ok((owned.collect(), is_ours))
}

/// The same, of which those of an archive of ours stay where they lie.
pub fn view(bytes: &[u8]) -> Result<(Views<'_>, bool), ArchiveProblem> {
    if bytes.len() > BYTES_AT_MOST {
        return Err(ArchiveProblem::Large("the archive"));
    }
    if !bytes.ends_with(COMMENT) {
        let files = read_foreign(bytes)?.into_iter();
        let files = files.map(|(name, content)| (name, Cow::Owned(content)));
        return Ok((files.collect(), false));
    }
    let files = read_stored(bytes)?;
    let mut at = 0;
    pack(&files, |piece| {
        let there = bytes.get(at..).unwrap_or_default();
        if !there.starts_with(piece) {
            let alike = piece
                .iter()
                .zip(there)
                .take_while(|(one, other)| one == other);
            return Err(ArchiveProblem::Changed(at + alike.count()));
        }
        at += piece.len();
        Ok(())
    })?;
    if at == bytes.len() {
        Ok((files, true))
    } else {
        Err(ArchiveProblem::Changed(at))
    }
}

/// Reads local headers one after another; what is not in place shows when the archive is written again.
fn read_stored(bytes: &[u8]) -> Result<Views<'_>, ArchiveProblem> {
    let mut files = Views::new();
    let mut at = 0;
    while bytes.get(at..at + 4) == Some(b"PK\x03\x04") {
        let header = bytes.get(at..at + 30).ok_or(ArchiveProblem::Changed(at))?;
        let size = u32::from_le_bytes([header[18], header[19], header[20], header[21]]) as usize;
        let name_length = usize::from(u16::from_le_bytes([header[26], header[27]]));
        let name_at = at + 30;
        let content_at = name_at + name_length;
        let end = content_at
            .checked_add(size)
            .ok_or(ArchiveProblem::Changed(at))?;
        let name = bytes
            .get(name_at..content_at)
            .and_then(|name| std::str::from_utf8(name).ok());
        let (Some(name), Some(content)) = (name, bytes.get(content_at..end)) else {
            return Err(ArchiveProblem::Changed(at));
        };
        let content = Cow::Borrowed(content);
        if files.insert(name.to_owned(), content).is_some() {
            return Err(ArchiveProblem::Twice(name.to_owned()));
        }
        if files.len() > FILES_AT_MOST {
            return Err(ArchiveProblem::Large("the number of files"));
        }
        at = end;
    }
    Ok(files)
}

/// An archive packed again by another program. What it unpacks to is bounded.
fn read_foreign(bytes: &[u8]) -> Result<Files, ArchiveProblem> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| ArchiveProblem::Form("its directory cannot be read"))?;
    if !archive.comment().is_empty() {
        return Err(ArchiveProblem::Form(
            "its comment is neither ours nor empty",
        ));
    }
    if archive.len() > FILES_AT_MOST {
        return Err(ArchiveProblem::Large("the number of files"));
    }
    // The library keeps the last of several entries with one name; the end record counts them all.
    let end = bytes.len().saturating_sub(END_RECORD);
    let counted = bytes
        .get(end + 10..end + 12)
        .map(|count| u16::from_le_bytes([count[0], count[1]]));
    if counted.map(usize::from) != Some(archive.len()) {
        return Err(ArchiveProblem::Form(
            "a name stands there twice, or its directory miscounts",
        ));
    }
    let mut files = Files::new();
    let mut left = BYTES_AT_MOST;
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|_| ArchiveProblem::Form("an entry cannot be read"))?;
        let name = entry
            .name()
            .map_err(|_| ArchiveProblem::Form("a name cannot be read"))?
            .into_owned();
        let limit = FILE_AT_MOST.min(left);
        let mut content = Vec::new();
        entry
            .by_ref()
            .take(limit as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|_| ArchiveProblem::Unreadable(name.clone()))?;
        if content.len() > limit {
            return Err(ArchiveProblem::Large("a file"));
        }
        left -= content.len();
        if name.ends_with('/') {
            // A folder twice is found out above, as any name is.
            if content.is_empty() && FOLDERS.contains(&name.as_str()) {
                continue;
            }
            return Err(ArchiveProblem::Folder(name));
        }
        if files.insert(name.clone(), content).is_some() {
            return Err(ArchiveProblem::Twice(name));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Files {
        [
            ("MANIFEST", "list"),
            ("events/0001.json", "{}\n"),
            ("Ä.txt", "umlaut"),
            ("empty", ""),
        ]
        .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
        .into()
    }

    #[test]
    fn what_is_packed_is_unpacked_by_us_and_by_the_library() {
        let bytes = write(&sample()).unwrap();
        assert_eq!(read(&bytes).unwrap(), (sample(), true));
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().name().unwrap(), "MANIFEST");
        let mut text = String::new();
        archive
            .by_name("Ä.txt")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "umlaut");
    }

    #[test]
    fn any_changed_added_or_missing_byte_of_the_container_is_noticed() {
        let bytes = write(&sample()).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let found = read(&changed);
                assert!(
                    found.as_ref().map_or(true, |(files, _)| *files != sample()),
                    "byte {at} bit {bit}"
                );
            }
            let mut short = bytes.clone();
            short.remove(at);
            assert!(
                read(&short).map_or(true, |(files, _)| files != sample()),
                "byte {at} removed"
            );
        }
        let mut longer = bytes.clone();
        longer.insert(0, b'x');
        assert!(read(&longer).is_err());
    }
}

//! Tiles (C2SP tlog-tiles): the tree in files of 256 hashes, which never change once they are full.

use super::merkle::Hash;

/// Levels of the tree in one tile.
pub const HEIGHT: u32 = 8;
/// Hashes in a full tile, entries in a full bundle of entries.
pub const WIDTH: u64 = 256;

/// What a path below the log's address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Checkpoint,
    /// Hashes of level `8 * level` of the tree, `width` of them, beginning at `256 * place`.
    Tile {
        level: u32,
        place: u64,
        width: u64,
    },
    /// Entries, `width` of them, beginning at `256 * place`.
    Entries {
        place: u64,
        width: u64,
    },
}

impl Resource {
    /// Reads a path such as `tile/0/x001/234.p/5`. There is one way to write each.
    pub fn parse(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let (place, width) = match rest.split_once(".p/") {
            Some((place, width)) => (
                place,
                number(width).filter(|width| (1..WIDTH).contains(width))?,
            ),
            None => (rest, WIDTH),
        };
        let place = parse_place(place)?;
        let resource = match level {
            "entries" => Self::Entries { place, width },
            _ => {
                let level = number(level).filter(|level| *level < 8)?;
                Self::Tile {
                    level: u32::try_from(level).ok()?,
                    place,
                    width,
                }
            }
        };
        (resource.path() == path).then_some(resource)
    }

    pub fn path(self) -> String {
        match self {
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::Tile {
                level,
                place,
                width,
            } => format!("tile/{level}/{}{}", written(place), part(width)),
            Self::Entries { place, width } => {
                format!("tile/entries/{}{}", written(place), part(width))
            }
        }
    }

    /// Whether the tree of this size has all of it.
    pub fn is_in(self, size: u64) -> bool {
        let (level, place, width) = match self {
            Self::Checkpoint => return true,
            Self::Tile {
                level,
                place,
                width,
            } => (level, place, width),
            Self::Entries { place, width } => (0, place, width),
        };
        let hashes = size >> (HEIGHT * level);
        place
            .checked_mul(WIDTH)
            .and_then(|from| from.checked_add(width))
            .is_some_and(|to| to <= hashes)
    }
}

fn number(text: &str) -> Option<u64> {
    let fits = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number: &u64| fits && number.to_string() == text)
}

/// `x001/x234/067` for 1234067.
fn written(place: u64) -> String {
    let mut text = format!("{:03}", place % 1_000);
    let mut rest = place / 1_000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1_000);
        rest /= 1_000;
    }
    text
}

fn parse_place(text: &str) -> Option<u64> {
    let mut place: u64 = 0;
    let mut parts = text.split('/').peekable();
    while let Some(part) = parts.next() {
        let digits = if parts.peek().is_some() {
            part.strip_prefix('x')?
        } else {
            part
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        place = place
            .checked_mul(1_000)?
            .checked_add(digits.parse().ok()?)?;
    }
    Some(place)
}

fn part(width: u64) -> String {
    if width == WIDTH {
        String::new()
    } else {
        format!(".p/{width}")
    }
}

/// A tile's bytes: its hashes, one after another.
pub fn tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// A bundle of entries: each with its length in front, two bytes, big-endian.
pub fn entries(commitments: &[[u8; 32]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(commitments.len() * 34);
    for commitment in commitments {
        bytes.extend_from_slice(&32_u16.to_be_bytes());
        bytes.extend_from_slice(commitment);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification_and_have_one_form_only() {
        for (path, resource) in [
            ("checkpoint", Resource::Checkpoint),
            (
                "tile/0/x001/x234/067",
                Resource::Tile {
                    level: 0,
                    place: 1_234_067,
                    width: 256,
                },
            ),
            (
                "tile/1/000.p/5",
                Resource::Tile {
                    level: 1,
                    place: 0,
                    width: 5,
                },
            ),
            (
                "tile/entries/x001/000",
                Resource::Entries {
                    place: 1_000,
                    width: 256,
                },
            ),
            (
                "tile/entries/273.p/112",
                Resource::Entries {
                    place: 273,
                    width: 112,
                },
            ),
        ] {
            assert_eq!(Resource::parse(path), Some(resource));
            assert_eq!(resource.path(), path);
        }
        for bad in [
            "",
            "tile",
            "tile/0",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/00/001",
            "tile/8/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/05",
            "tile/0/+01",
            "tile/data/001",
            "tile/0/001/",
            "tile/0/x001/x001",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Resource::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tile_is_there_once_the_tree_has_all_its_hashes() {
        // The sizes of the example in the specification: 70,000 entries.
        let there = |path| Resource::parse(path).is_some_and(|resource| resource.is_in(70_000));
        for path in [
            "tile/0/272",
            "tile/0/273.p/112",
            "tile/1/000",
            "tile/1/001.p/17",
            "tile/2/000.p/1",
            "tile/0/273.p/1",
        ] {
            assert!(there(path), "{path}");
        }
        for path in [
            "tile/0/273",
            "tile/0/273.p/113",
            "tile/1/001.p/18",
            "tile/2/000.p/2",
            "tile/3/000.p/1",
        ] {
            assert!(!there(path), "{path}");
        }
    }
}

//! The head of the log (C2SP tlog-checkpoint): origin, size and root hash, and in extension lines what our own audit rests
//! on; all of it signed.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::merkle::Hash;
use super::note::{Note, NoteProblem, Verifier};
use super::stamps::Stamps;
use crate::domain::time::Timestamp;

/// What stands in a line that has nothing to tell.
const NOTHING: &str = "-";

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    /// By the log's own clock.
    pub signed_at: Timestamp,
    /// The size of the checkpoint before it; none for the first, of an empty log.
    pub follows: Option<u64>,
    /// Everything that was recorded by this time, by the log's own clock, is in it. None where more was waiting than one
    /// checkpoint takes.
    pub complete_at: Option<Timestamp>,
    /// The timestamps that were kept before it was signed.
    pub stamps: Stamps,
}

impl Checkpoint {
    /// The note's text: three lines, and the four extension lines of this log.
    pub fn text(&self) -> String {
        let or_nothing = |told: Option<String>| told.unwrap_or_else(|| NOTHING.to_owned());
        format!(
            "{}\n{}\n{}\nsigned {}\nfollows {}\ncomplete {}\nstamps {}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root),
            self.signed_at,
            or_nothing(self.follows.map(|size| size.to_string())),
            or_nothing(self.complete_at.map(|at| at.to_string())),
            or_nothing(self.stamps.written()),
        )
    }

    /// Reads a note's text; nothing in it is to be trusted before the note was verified.
    pub fn parse(text: &str) -> Result<Self, NoteProblem> {
        let wrong = NoteProblem::Form(
            "its text is not origin, size and root hash with the lines signed, follows, complete and stamps",
        );
        // Written again it must be the same: no leading zeros, no plus sign, no missing newline, no line more.
        Self::read(text)
            .filter(|checkpoint| !checkpoint.origin.is_empty() && checkpoint.text() == text)
            .filter(|checkpoint| checkpoint.follows.is_none_or(|size| size < checkpoint.size))
            .filter(|checkpoint| (checkpoint.size == 0) == checkpoint.follows.is_none())
            .ok_or(wrong)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        Some(Self {
            origin: lines.next()?.to_owned(),
            size: lines.next()?.parse().ok()?,
            root: STANDARD.decode(lines.next()?).ok()?.try_into().ok()?,
            signed_at: Timestamp::parse(lines.next()?.strip_prefix("signed ")?)?,
            follows: match lines.next()?.strip_prefix("follows ")? {
                NOTHING => None,
                size => Some(size.parse().ok()?),
            },
            complete_at: match lines.next()?.strip_prefix("complete ")? {
                NOTHING => None,
                at => Some(Timestamp::parse(at)?),
            },
            stamps: match lines.next()?.strip_prefix("stamps ")? {
                NOTHING => Stamps::default(),
                told => Stamps::read(told)?,
            },
        })
    }

    /// Reads a signed checkpoint of this log.
    pub fn verified(bytes: &[u8], by: &Verifier) -> Result<(Self, Note), NoteProblem> {
        let note = Note::parse(bytes)?;
        note.verify(by)?;
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != by.name {
            return Err(NoteProblem::Form("its origin is another log's"));
        }
        Ok((checkpoint, note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
         signed 2026-11-23T17:34:05.000042Z\nfollows 20852160\ncomplete 2026-11-23T17:34:04.900000Z\n\
         stamps 2 CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_checkpoint_specification_is_read_with_our_lines_and_other_forms_are_refused()
     {
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.follows),
            (20_852_163, Some(20_852_160))
        );
        assert_eq!(checkpoint.text(), TEXT);
        for bad in [
            TEXT.replace("\n208", "\n+208"),
            TEXT.replace("\n208", "\n0208"),
            TEXT.replacen("I=", "J=", 1),
            format!("{TEXT}extension\n"),
            TEXT.trim_end().to_owned(),
            TEXT.replace("example.com/behind-the-sofa", ""),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn malformed_lines_of_our_own_are_refused() {
        let (_, lines) = TEXT.split_at(TEXT.find("signed").unwrap());
        for bad in [
            TEXT.replace(lines, ""),
            TEXT.replace("signed ", "Signed "),
            TEXT.replace(":05.000042Z", ":05Z"),
            TEXT.replace("05.000042Z", "05.000042+00:00"),
            TEXT.replace("follows 208", "follows 0208"),
            TEXT.replace("follows 20852160", "follows 20852163"),
            TEXT.replace("follows 20852160", "follows -"),
            TEXT.replace("follows 20852160", "follows 18446744073709551615"),
            TEXT.replace("complete 2026-11-23T17:34:04.900000Z\n", ""),
            TEXT.replace("complete 2026-11-23T17:34:04.900000Z", "complete never"),
            TEXT.replace("complete 2026-11-23T17:34:04.900000Z", "complete  -"),
            TEXT.replace("\n20852163", "\n0")
                .replace("follows 20852160", "follows 0"),
            TEXT.replace("stamps 2", "stamps 02"),
            TEXT.replace("stamps 2", "stamps 0"),
            TEXT.replace("stamps 2 ", "stamps 2"),
            TEXT.replace("stamps 2 C", "stamps 2 "),
            TEXT.replace(
                "stamps 2 CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
                "",
            ),
        ] {
            assert_ne!(bad, TEXT);
            assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        }
        let first = TEXT
            .replace("\n20852163", "\n0")
            .replace("follows 20852160", "follows -");
        assert_eq!(Checkpoint::parse(&first).unwrap().follows, None);
        let some_wait = TEXT.replace("complete 2026-11-23T17:34:04.900000Z", "complete -");
        assert_eq!(Checkpoint::parse(&some_wait).unwrap().complete_at, None);
    }
}

//! The head of the log (C2SP tlog-checkpoint): origin, size and root hash, signed.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::merkle::Hash;
use super::note::{Note, NoteProblem, Verifier};

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

impl Checkpoint {
    /// The note's text: three lines, no extension lines.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Reads a note's text; nothing in it is to be trusted before the note was verified.
    pub fn parse(text: &str) -> Result<Self, NoteProblem> {
        let wrong = NoteProblem::Form("its text is not origin, size and root hash");
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(wrong);
        };
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| wrong.clone())?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(wrong.clone())?,
        };
        // Written again it must be the same: no leading zeros, no plus sign, no missing newline.
        if checkpoint.origin.is_empty() || checkpoint.text() != text {
            return Err(wrong);
        }
        Ok(checkpoint)
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

    #[test]
    fn the_example_of_the_checkpoint_specification_is_read_and_other_forms_are_refused() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.text().as_str()),
            (20_852_163, text)
        );
        for bad in [
            text.replace("208", "+208"),
            text.replace("208", "0208"),
            text.replace("I=", "J="),
            format!("{text}extension\n"),
            text.trim_end().to_owned(),
            text.replace("example.com/behind-the-sofa", ""),
        ] {
            assert!(Checkpoint::parse(&bad).is_err(), "{bad}");
        }
    }
}

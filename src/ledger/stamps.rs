//! What a checkpoint says of the timestamps that were kept before it was signed: how many, and a chain of hashes over them,
//! so that none can be removed, changed or put in unnoticed.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::merkle::Hash;

/// The timestamps up to one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    pub count: u64,
    /// 32 zero bytes before the first.
    pub chain: Hash,
}

impl Stamps {
    /// With one more: `chain = SHA-256(chain before || SHA-256(response) || name of the authority)`.
    pub fn with(&self, authority: &str, response: &[u8]) -> Self {
        self.with_hash(authority, &Sha256::digest(response).into())
    }

    /// The same, by the hash of the response.
    pub fn with_hash(&self, authority: &str, response: &Hash) -> Self {
        let chain = Sha256::new()
            .chain_update(self.chain)
            .chain_update(response)
            .chain_update(authority)
            .finalize();
        Self {
            count: self.count + 1,
            chain: chain.into(),
        }
    }

    /// Count and chain; none where there are none.
    pub fn written(&self) -> Option<String> {
        (self.count > 0).then(|| format!("{} {}", self.count, STANDARD.encode(self.chain)))
    }

    /// Reads what `written` writes; whoever reads compares what is written again.
    pub fn read(text: &str) -> Option<Self> {
        let (count, chain) = text.split_once(' ')?;
        Some(Self {
            count: count.parse().ok().filter(|count| *count > 0)?,
            chain: STANDARD.decode(chain).ok()?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_tells_order_answer_and_authority_apart() {
        let none = Stamps::default();
        assert_eq!(none.written(), None);
        let one = none.with("one", b"answer");
        let two = one.with("two", b"another");
        for other in [
            none.with("two", b"another").with("one", b"answer"),
            one.with("two", b"answer"),
            one.with("twO", b"another"),
            none.with("two", b"another"),
        ] {
            assert_ne!(other, two);
        }
        assert_eq!(Stamps::read(&two.written().unwrap()), Some(two));
        // By hand: printf of 32 zero bytes, SHA-256 of "answer", "one".
        let chain: [&[u8]; 3] = [&[0; 32], &Sha256::digest(b"answer"), b"one"];
        assert_eq!(one.chain, <Hash>::from(Sha256::digest(chain.concat())));
    }
}

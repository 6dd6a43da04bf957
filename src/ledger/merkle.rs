//! The Merkle tree of RFC 6962, section 2.1, over 32-byte commitments: which nodes a root or a proof is made of, and the
//! checks of proofs. Where the nodes are kept is the caller's matter.

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// A perfect subtree: `2^level` leaves, the `place`-th such from the left, both from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    pub level: u32,
    pub place: u64,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofProblem {
    #[error("the index is not in a tree of this size")]
    OutOfTree,
    #[error("the proof has the wrong number of hashes")]
    Length,
    #[error("the proof does not lead to the root hash")]
    Root,
    #[error("the proof does not begin at the older root hash")]
    OldRoot,
}

/// `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(entry)
        .finalize()
        .into()
}

/// `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0; 65];
    bytes[0] = 1;
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree without leaves: the hash of the empty string.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The perfect subtrees, left to right, that make up the leaves `from..to`. `from` must be a multiple of the size of
/// the first, as it is for every range of RFC 6962.
pub fn subtrees(from: u64, to: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = from;
    while at < to {
        let fits = (to - at).ilog2();
        let aligned = if at == 0 { 63 } else { at.trailing_zeros() };
        let level = fits.min(aligned);
        nodes.push(Node {
            level,
            place: at >> level,
        });
        at += 1 << level;
    }
    nodes
}

/// The hash of a range from the hashes of its perfect subtrees, left to right: the tree splits at the largest power of
/// two below its size, so the left one is always whole and the rest is folded from the right.
pub fn fold(subtrees: &[Hash]) -> Hash {
    let mut hashes = subtrees.iter().rev();
    let Some(last) = hashes.next() else {
        return empty_root();
    };
    hashes.fold(*last, |right, left| node_hash(left, &right))
}

/// The ranges whose hashes make the audit path of a leaf (RFC 6962, section 2.1.1), from the leaf's sibling upwards.
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<(u64, u64)> {
    let mut ranges = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges whose hashes make the consistency proof between two sizes (RFC 6962, section 2.1.2).
pub fn consistency_ranges(old: u64, new: u64) -> Vec<(u64, u64)> {
    if old == 0 || old >= new {
        return Vec::new();
    }
    let mut ranges = Vec::new();
    let (mut from, mut to) = (0, new);
    // Whether the part in hand was a whole tree of its own when the older root was made: then its hash is known.
    let mut whole = true;
    loop {
        if old == to {
            if !whole {
                ranges.push((from, to));
            }
            break;
        }
        let middle = from + split(to - from);
        if old <= middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
            whole = false;
        }
    }
    ranges.reverse();
    ranges
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Checks an audit path (the algorithm of RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofProblem> {
    if index >= size {
        return Err(ProofProblem::OutOfTree);
    }
    let ranges = inclusion_ranges(index, size);
    if ranges.len() != path.len() {
        return Err(ProofProblem::Length);
    }
    let found = ranges
        .iter()
        .zip(path)
        .fold(*leaf, |hash, ((from, _), other)| {
            if *from > index {
                node_hash(&hash, other)
            } else {
                node_hash(other, &hash)
            }
        });
    if found == *root {
        Ok(())
    } else {
        Err(ProofProblem::Root)
    }
}

/// Checks that the tree of `new` leaves continues the one of `old` leaves (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofProblem> {
    if old > new {
        return Err(ProofProblem::OutOfTree);
    }
    if old == new || old == 0 {
        let same = if old == 0 {
            *old_root == empty_root()
        } else {
            old_root == new_root
        };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofProblem::Length),
            (true, false) => Err(ProofProblem::OldRoot),
            (true, true) => Ok(()),
        };
    }
    let ranges = consistency_ranges(old, new);
    if ranges.len() != proof.len() {
        return Err(ProofProblem::Length);
    }
    let mut parts = ranges.iter().zip(proof).peekable();
    // A power of two was a whole tree; the proof leaves its hash out, since the reader has it.
    let start = match parts.peek() {
        Some(&(&(from, _), hash)) if !old.is_power_of_two() => {
            parts.next();
            debug_assert!(from < old);
            *hash
        }
        _ => *old_root,
    };
    let (mut as_old, mut as_new) = (start, start);
    for (&(from, to), hash) in parts {
        if to <= old {
            as_old = node_hash(hash, &as_old);
            as_new = node_hash(hash, &as_new);
        } else {
            debug_assert!(from >= old.min(from));
            as_new = node_hash(&as_new, hash);
        }
    }
    if as_old != *old_root {
        return Err(ProofProblem::OldRoot);
    }
    if as_new != *new_root {
        return Err(ProofProblem::Root);
    }
    Ok(())
}

/// A tree that grows: keeps only the right edge, and tells each perfect subtree as it becomes whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    /// Hashes of the perfect subtrees of the size, left to right.
    edge: Vec<Hash>,
}

impl Growing {
    /// Goes on from the perfect subtrees of a tree, left to right, as `subtrees(0, size)` names them.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    pub const fn size(&self) -> u64 {
        self.size
    }

    pub fn root(&self) -> Hash {
        fold(&self.edge)
    }

    /// Adds a leaf; `whole` is told every perfect subtree that it completes, the leaf itself left out.
    pub fn push(&mut self, leaf: Hash, mut whole: impl FnMut(Node, Hash)) {
        let mut hash = leaf;
        let mut level = 0;
        while self.size >> level & 1 == 1 {
            let Some(left) = self.edge.pop() else { break };
            hash = node_hash(&left, &hash);
            level += 1;
            whole(
                Node {
                    level,
                    place: self.size >> level,
                },
                hash,
            );
        }
        self.edge.push(hash);
        self.size += 1;
    }
}

#[cfg(test)]
mod tests;

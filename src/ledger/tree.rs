//! The tree as it is kept, in tiles: which of them a proof needs, what they answer, and how they grow.
//!
//! A kept tile has up to 256 hashes. At level 0 these are the entries themselves, whose leaf hashes are computed when they
//! are read; at level `n` above, the hashes of the tree's level `8 n`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::merkle::{
    Growing, Hash, Node, consistency_ranges, fold, inclusion_ranges, leaf_hash, node_hash, subtrees,
};
use super::tile::{HEIGHT, WIDTH};

/// Which tile: its level and its place from the left.
pub type TileId = (u32, u64);

/// What is wrong with kept tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileProblem {
    #[error("the tile {1} of level {0} is missing or too short")]
    Missing(u32, u64),
    #[error("the tile {1} of level {0} is not made of whole hashes")]
    Form(u32, u64),
}

/// Tiles that were read.
#[derive(Clone, Debug, Default)]
pub struct Tiles {
    /// Leaf hashes at level 0.
    hashes: HashMap<TileId, Vec<Hash>>,
}

/// The tile that a node's hash is computed from.
const fn tile_of(node: Node) -> TileId {
    let (level, rise) = (node.level / HEIGHT, node.level % HEIGHT);
    (level, (node.place << rise) / WIDTH)
}

/// The tiles from which the hashes of these ranges are computed.
pub fn tiles_of(ranges: &[(u64, u64)]) -> BTreeSet<TileId> {
    ranges
        .iter()
        .flat_map(|(from, to)| subtrees(*from, *to))
        .map(tile_of)
        .collect()
}

/// The tiles at the right edge of a tree that are not full: the ones that grow, and that its root is computed from.
pub fn edge_tiles(size: u64) -> Vec<TileId> {
    (0..8)
        .map(|level| (level, size >> (HEIGHT * level)))
        .filter(|(_, hashes)| hashes % WIDTH > 0)
        .map(|(level, hashes)| (level, hashes / WIDTH))
        .collect()
}

/// How many hashes a tile has in a tree of this size.
pub fn width_in(size: u64, (level, place): TileId) -> u64 {
    (size >> (HEIGHT * level))
        .saturating_sub(place.saturating_mul(WIDTH))
        .min(WIDTH)
}

/// Takes the bytes of a kept tile apart.
pub fn split(id: TileId, bytes: &[u8]) -> Result<Vec<Hash>, TileProblem> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() && hashes.len() as u64 <= WIDTH {
        Ok(hashes.to_vec())
    } else {
        Err(TileProblem::Form(id.0, id.1))
    }
}

impl Tiles {
    /// Takes a kept tile: entries at level 0, hashes above.
    pub fn add(&mut self, id: TileId, bytes: &[u8]) -> Result<(), TileProblem> {
        let mut hashes = split(id, bytes)?;
        if id.0 == 0 {
            for entry in &mut hashes {
                *entry = leaf_hash(entry);
            }
        }
        self.hashes.insert(id, hashes);
        Ok(())
    }

    /// The hashes of a tile, leaf hashes at level 0.
    pub fn get(&self, id: TileId) -> Option<&[Hash]> {
        self.hashes.get(&id).map(Vec::as_slice)
    }

    fn node(&self, node: Node) -> Result<Hash, TileProblem> {
        let id = tile_of(node);
        let rise = node.level % HEIGHT;
        let from = ((node.place << rise) % WIDTH) as usize;
        let mut hashes = self
            .get(id)
            .and_then(|hashes| hashes.get(from..from + (1 << rise)))
            .ok_or(TileProblem::Missing(id.0, id.1))?
            .to_vec();
        while hashes.len() > 1 {
            hashes = hashes
                .chunks(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
        }
        Ok(hashes[0])
    }

    /// The hash of a range of RFC 6962.
    pub fn range(&self, from: u64, to: u64) -> Result<Hash, TileProblem> {
        let nodes: Vec<Hash> = subtrees(from, to)
            .into_iter()
            .map(|node| self.node(node))
            .collect::<Result<_, _>>()?;
        Ok(fold(&nodes))
    }

    /// The root of the tree of this size.
    pub fn root(&self, size: u64) -> Result<Hash, TileProblem> {
        self.range(0, size)
    }

    /// The audit path of an entry.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, TileProblem> {
        self.proof(&inclusion_ranges(index, size))
    }

    /// The proof that the tree of `new` entries continues the one of `old` entries.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, TileProblem> {
        self.proof(&consistency_ranges(old, new))
    }

    fn proof(&self, ranges: &[(u64, u64)]) -> Result<Vec<Hash>, TileProblem> {
        ranges
            .iter()
            .map(|(from, to)| self.range(*from, *to))
            .collect()
    }
}

/// A tree that entries are added to, and the tiles that changed by it.
#[derive(Clone, Debug)]
pub struct Growth {
    tree: Growing,
    /// The unfinished tiles at the right edge, and what was finished since `take`.
    tiles: BTreeMap<TileId, Vec<Hash>>,
}

impl Growth {
    /// Goes on from a tree whose unfinished tiles (`edge_tiles`) are given: their bytes as they are kept. What stands in
    /// them beyond the size is left out.
    pub fn from_edge(
        size: u64,
        kept: impl IntoIterator<Item = (TileId, Vec<u8>)>,
    ) -> Result<Self, TileProblem> {
        let mut tiles = BTreeMap::new();
        let mut read = Tiles::default();
        for (id, bytes) in kept {
            let mut hashes = split(id, &bytes)?;
            hashes.truncate(width_in(size, id) as usize);
            read.add(id, &hashes.concat())?;
            tiles.insert(id, hashes);
        }
        for id in edge_tiles(size) {
            if tiles.get(&id).map(|hashes| hashes.len() as u64) != Some(width_in(size, id)) {
                return Err(TileProblem::Missing(id.0, id.1));
            }
        }
        let edge: Vec<Hash> = subtrees(0, size)
            .into_iter()
            .map(|node| read.node(node))
            .collect::<Result<_, _>>()?;
        let tree = Growing::from_edge(size, edge).ok_or(TileProblem::Missing(0, 0))?;
        Ok(Self { tree, tiles })
    }

    pub fn push(&mut self, entry: Hash) {
        let place = self.tree.size() / WIDTH;
        self.tiles.entry((0, place)).or_default().push(entry);
        let tiles = &mut self.tiles;
        self.tree.push(leaf_hash(&entry), |node, hash| {
            if node.level.is_multiple_of(HEIGHT) {
                let id = (node.level / HEIGHT, node.place / WIDTH);
                tiles.entry(id).or_default().push(hash);
            }
        });
    }

    pub const fn size(&self) -> u64 {
        self.tree.size()
    }

    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The tiles as they stand, the finished ones for the last time.
    pub fn take(&mut self) -> Vec<(TileId, Vec<u8>)> {
        let taken = self
            .tiles
            .iter()
            .map(|(id, hashes)| (*id, hashes.concat()))
            .collect();
        self.tiles.retain(|_, hashes| (hashes.len() as u64) < WIDTH);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::merkle::{verify_consistency, verify_inclusion};

    fn entry(number: u64) -> Hash {
        leaf_hash(&number.to_be_bytes())
    }

    /// A tree of so many entries, grown in steps of so many, going on from what is kept each time.
    fn grown(size: u64, step: u64) -> (BTreeMap<TileId, Vec<u8>>, Hash) {
        let mut kept: BTreeMap<TileId, Vec<u8>> = BTreeMap::new();
        let mut at = 0;
        let mut root = super::super::merkle::empty_root();
        while at < size {
            let edge: Vec<_> = edge_tiles(at)
                .into_iter()
                .map(|id| (id, kept[&id].clone()))
                .collect();
            let mut growth = Growth::from_edge(at, edge).unwrap();
            let to = size.min(at + step);
            (at..to).for_each(|number| growth.push(entry(number)));
            kept.extend(growth.take());
            root = growth.root();
            at = to;
        }
        (kept, root)
    }

    fn read(kept: &BTreeMap<TileId, Vec<u8>>, wanted: &BTreeSet<TileId>) -> Tiles {
        let mut tiles = Tiles::default();
        for id in wanted {
            tiles.add(*id, &kept[id]).unwrap();
        }
        tiles
    }

    #[test]
    fn a_tree_grown_in_steps_has_the_root_and_tiles_of_one_grown_at_once() {
        for size in [
            1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000,
        ] {
            let (kept, root) = grown(size, 70_000);
            let mut plain = Growing::default();
            (0..size).for_each(|number| plain.push(leaf_hash(&entry(number)), |_, _| {}));
            assert_eq!(root, plain.root(), "{size}");
            assert_eq!(grown(size, 997), (kept.clone(), root), "{size}");
            for (id, bytes) in &kept {
                assert_eq!(
                    bytes.len() as u64,
                    32 * width_in(size, *id),
                    "{size} {id:?}"
                );
            }
        }
    }

    #[test]
    fn every_proof_out_of_the_tiles_it_needs_leads_to_the_root() {
        let size = 66_000;
        let (kept, root) = grown(size, 4_096);
        for index in [0, 1, 255, 256, 32_767, 65_535, 65_536, 65_999] {
            let tiles = read(&kept, &tiles_of(&inclusion_ranges(index, size)));
            let path = tiles.inclusion(index, size).unwrap();
            let leaf = leaf_hash(&entry(index));
            verify_inclusion(&leaf, index, size, &path, &root).unwrap();
        }
        for old in [1, 2, 255, 256, 257, 4_096, 65_535, 65_536, 65_537, 65_999] {
            let (_, old_root) = grown(old, old);
            let tiles = read(&kept, &tiles_of(&consistency_ranges(old, size)));
            let proof = tiles.consistency(old, size).unwrap();
            verify_consistency(old, &old_root, size, &root, &proof).unwrap();
        }
    }

    #[test]
    fn what_stands_in_a_tile_beyond_the_size_changes_nothing() {
        let (kept, _) = grown(300, 300);
        let mut growth = Growth::from_edge(
            290,
            edge_tiles(290)
                .into_iter()
                .map(|id| (id, kept[&id].clone())),
        )
        .unwrap();
        (290..300).for_each(|number| growth.push(entry(number)));
        assert_eq!(growth.root(), grown(300, 300).1);
        assert!(growth.take().iter().all(|(id, bytes)| kept[id] == *bytes));
    }

    #[test]
    fn a_missing_or_short_tile_is_named() {
        let (mut kept, _) = grown(300, 300);
        assert_eq!(
            Growth::from_edge(300, []).unwrap_err(),
            TileProblem::Missing(0, 1)
        );
        kept.insert((0, 1), vec![0; 33]);
        assert_eq!(
            Growth::from_edge(300, kept).unwrap_err(),
            TileProblem::Form(0, 1)
        );
        assert_eq!(
            Tiles::default().root(300).unwrap_err(),
            TileProblem::Missing(1, 0)
        );
    }
}

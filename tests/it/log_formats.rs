//! Notes, trees, proofs and tiles beside three implementations by others: `signed_note` and `tlog_tiles` (ported from Go's
//! sumdb) and `ct-merkle`. What we make holds there, and what they make holds here.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign::domain::time::Timestamp;
use countersign::ledger::checkpoint::Checkpoint;
use countersign::ledger::merkle::{
    Growing, Hash, Node, consistency_ranges, empty_root, fold, inclusion_ranges, leaf_hash,
    subtrees, verify_consistency, verify_inclusion,
};
use countersign::ledger::note::{Note, SigningNoteKey, Verifier};
use countersign::ledger::stamps::Stamps;
use countersign::ledger::tile::{self, Resource};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader};

/// Our tree with all its whole subtrees kept.
struct Ours {
    tree: Growing,
    nodes: HashMap<Node, Hash>,
}

impl Ours {
    fn new(entries: &[[u8; 32]]) -> Self {
        let mut ours = Self {
            tree: Growing::default(),
            nodes: HashMap::new(),
        };
        for (place, entry) in (0..).zip(entries) {
            let leaf = leaf_hash(entry);
            ours.nodes.insert(Node { level: 0, place }, leaf);
            let nodes = &mut ours.nodes;
            ours.tree.push(leaf, |node, hash| {
                nodes.insert(node, hash);
            });
        }
        ours
    }

    fn range(&self, (from, to): (u64, u64)) -> Hash {
        let parts = subtrees(from, to);
        fold(
            &parts
                .iter()
                .map(|node| self.nodes[node])
                .collect::<Vec<_>>(),
        )
    }

    fn root(&self, size: u64) -> Hash {
        self.range((0, size))
    }

    fn proof(&self, ranges: Vec<(u64, u64)>) -> Vec<Hash> {
        ranges.into_iter().map(|part| self.range(part)).collect()
    }

    fn tile(&self, level: u32, place: u64, width: u64) -> Vec<u8> {
        let from = place * tile::WIDTH;
        let hashes: Vec<Hash> = (from..from + width)
            .map(|place| {
                let level = level * tile::HEIGHT;
                self.nodes[&Node { level, place }]
            })
            .collect();
        tile::tile(&hashes)
    }
}

/// Serves our nodes in the numbering of Go's sumdb.
impl HashReader for Ours {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| {
            let (level, place) = tlog_tiles::split_stored_hash_index(*index);
            let level = u32::from(level);
            tlog_tiles::Hash(self.nodes[&Node { level, place }])
        };
        Ok(indexes.iter().map(hash).collect())
    }
}

/// Serves our tiles.
struct Served<'a>(&'a Ours);

impl TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let tile = |tile: &Tile| {
            self.0.tile(
                u32::from(tile.level()),
                tile.level_index(),
                u64::from(tile.width()),
            )
        };
        Ok(tiles.iter().map(tile).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().copied().map(tlog_tiles::Hash).collect()
}

fn entries(count: u64, seed: u8) -> Vec<[u8; 32]> {
    let entry = |n: u64| {
        let mut entry = [seed; 32];
        entry[..8].copy_from_slice(&n.to_be_bytes());
        entry
    };
    (0..count).map(entry).collect()
}

fn list(vkey: &str) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).unwrap())])
}

fn root_hash(root: Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new(root.into(), size)
}

proptest! {
    #[test]
    fn notes_are_the_same_to_the_last_byte_as_those_of_signed_note(
        secret in any::<[u8; 32]>(),
        name in "[a-z]{1,9}\\.example(/[a-z0-9]{1,9})?",
        text in "([ -~\u{e4}\u{20ac}]{0,40}\n){1,6}",
        flip in any::<prop::sample::Index>(),
    ) {
        let key = SigningNoteKey::new(&name, &secret).unwrap();
        let ours = key.sign(&text);
        let vkey = key.verifier().vkey();
        let id = vkey.split('+').nth(1).unwrap();
        let secret_key = STANDARD.encode([&[1][..], &secret].concat());
        let signer = StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id}+{secret_key}")).unwrap();
        let mut note = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&signer]).unwrap();
        prop_assert_eq!(String::from_utf8(note.to_bytes()).unwrap(), ours.as_str());
        let known = list(&vkey);
        let there = signed_note::Note::from_bytes(ours.as_bytes()).unwrap();
        prop_assert_eq!(there.verify(&known).unwrap().0.len(), 1);
        let verifier = Verifier::parse(&vkey).unwrap();
        prop_assert!(Note::parse(&note.to_bytes()).unwrap().verify(&verifier).is_ok());
        // A changed byte is accepted by nobody.
        let mut changed = ours.clone().into_bytes();
        let at = flip.index(changed.len());
        changed[at] ^= 1;
        let here = Note::parse(&changed).map(|note| note.verify(&verifier));
        prop_assert!(!matches!(here, Ok(Ok(()))));
        let there = signed_note::Note::from_bytes(&changed);
        prop_assert!(there.is_err() || there.is_ok_and(|note| note.verify(&known).is_err()));
    }

    #[test]
    fn checkpoints_are_read_and_written_as_by_tlog_tiles(
        size in any::<u64>(), root in any::<[u8; 32]>(), at in 0..4_000_000_000_000_000_i64, is_complete in any::<bool>(),
    ) {
        let signed_at = Timestamp::from_micros(at);
        let ours = Checkpoint {
            origin: "example.org/log".to_owned(),
            size,
            root,
            signed_at,
            follows: size.checked_sub(1),
            complete_at: is_complete.then_some(signed_at),
            stamps: if is_complete { Stamps::default() } else { Stamps { count: size.max(1), chain: root } },
        };
        let text = ours.text();
        let there = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        prop_assert_eq!((there.origin(), there.size(), there.hash().0), ("example.org/log", size, root));
        prop_assert!(text.ends_with(there.extension()) && there.extension().starts_with("signed "));
        let written = String::from_utf8(there.to_bytes()).unwrap();
        prop_assert_eq!(Checkpoint::parse(&written).unwrap(), ours);
    }

    #[test]
    fn roots_and_inclusion_proofs_are_those_of_ct_merkle_and_tlog_tiles(
        size in 1_u64..1_200, pick in any::<u64>(), seed in any::<u8>(),
    ) {
        let entries = entries(size, seed);
        let ours = Ours::new(&entries);
        let root = ours.root(size);
        prop_assert_eq!(ours.tree.root(), root);
        let index = pick % size;
        let entry = entries[index as usize];
        let proof = ours.proof(inclusion_ranges(index, size));

        let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
        entries.iter().for_each(|entry| tree.push(*entry));
        let their_root = tree.root();
        prop_assert_eq!(their_root.as_bytes().as_slice(), root);
        let their_proof = tree.prove_inclusion(index as usize);
        prop_assert_eq!(their_proof.as_bytes(), proof.concat());
        let back = InclusionProof::<Sha256>::try_from_bytes(proof.concat()).unwrap();
        prop_assert!(root_hash(root, size).verify_inclusion(&entry, index, &back).is_ok());

        let th = tlog_tiles::tree_hash(size, &ours).unwrap();
        prop_assert_eq!(th.0, root);
        let record = tlog_tiles::record_hash(&entry);
        prop_assert_eq!(record.0, leaf_hash(&entry));
        prop_assert!(tlog_tiles::check_record(&theirs(&proof), size, th, index, record).is_ok());
        let their_proof = tlog_tiles::prove_record(size, index, &ours).unwrap();
        prop_assert_eq!(&their_proof, &theirs(&proof));
        let here: Vec<Hash> = their_proof.iter().map(|hash| hash.0).collect();
        prop_assert!(verify_inclusion(&leaf_hash(&entry), index, size, &here, &root).is_ok());
    }

    #[test]
    fn consistency_proofs_are_those_of_ct_merkle_and_tlog_tiles(
        size in 2_u64..1_200, pick in any::<u64>(), seed in any::<u8>(), flip in 0_usize..32,
    ) {
        let old = 1 + pick % (size - 1);
        let entries = entries(size, seed);
        let ours = Ours::new(&entries);
        let (old_root, root) = (ours.root(old), ours.root(size));
        let proof = ours.proof(consistency_ranges(old, size));

        let mut tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
        entries.iter().for_each(|entry| tree.push(*entry));
        let their_proof = tree.prove_consistency((size - old) as usize);
        prop_assert_eq!(their_proof.as_bytes(), proof.concat());
        let back = ConsistencyProof::<Sha256>::try_from_bytes(proof.concat()).unwrap();
        let (then, now) = (root_hash(old_root, old), root_hash(root, size));
        prop_assert!(now.verify_consistency(&then, &back).is_ok());

        let their_proof = tlog_tiles::prove_tree(size, old, &ours).unwrap();
        prop_assert_eq!(&their_proof, &theirs(&proof));
        let (th, h) = (tlog_tiles::Hash(root), tlog_tiles::Hash(old_root));
        prop_assert!(tlog_tiles::check_tree(&theirs(&proof), size, th, old, h).is_ok());
        prop_assert!(verify_consistency(old, &old_root, size, &root, &proof).is_ok());

        // All three refuse what was forged.
        let mut forged = old_root;
        forged[flip] ^= 1;
        prop_assert!(verify_consistency(old, &forged, size, &root, &proof).is_err());
        prop_assert!(now.verify_consistency(&root_hash(forged, old), &back).is_err());
        let forged = tlog_tiles::Hash(forged);
        prop_assert!(tlog_tiles::check_tree(&theirs(&proof), size, th, old, forged).is_err());
    }

    #[test]
    fn paths_of_tiles_are_those_of_tlog_tiles_but_for_the_height_that_the_specification_leaves_out(
        level in 0_u8..8, place in 0_u64..1_000_000_000, width in 1_u32..=256, is_entries in any::<bool>(),
    ) {
        let level = if is_entries { 0 } else { level };
        let there = Tile::new(8, level, place, width, is_entries).path();
        let path = there.replacen("tile/8/data/", "tile/entries/", 1).replacen("tile/8/", "tile/", 1);
        let width = u64::from(width);
        let ours = if is_entries {
            Resource::Entries { place, width }
        } else {
            Resource::Tile { level: u32::from(level), place, width }
        };
        prop_assert_eq!(ours.path(), path.as_str());
        prop_assert_eq!(Resource::parse(&path), Some(ours));
    }
}

#[test]
fn a_client_of_tlog_tiles_proves_from_our_tiles_alone() {
    let size = 70_000;
    let entries = entries(size, 3);
    let ours = Ours::new(&entries);
    let root = tlog_tiles::Hash(ours.root(size));
    let served = Served(&ours);
    // It checks every tile against the root before it believes it.
    let reader = TileHashReader::new(size, root, &served);
    for index in [0, 1, 255, 256, 65_535, 65_536, 69_999] {
        let proof = tlog_tiles::prove_record(size, index, &reader).unwrap();
        let record = tlog_tiles::record_hash(&entries[index as usize]);
        tlog_tiles::check_record(&proof, size, root, index, record).unwrap();
    }
    for old in [1, 256, 4_097, 65_536, 69_999] {
        let proof = tlog_tiles::prove_tree(size, old, &reader).unwrap();
        let here: Vec<Hash> = proof.iter().map(|hash| hash.0).collect();
        verify_consistency(old, &ours.root(old), size, &root.0, &here).unwrap();
    }
    for tile in Tile::new_tiles(8, 0, size) {
        let bytes = tile.read_data(&ours).unwrap();
        let resource = Resource::Tile {
            level: u32::from(tile.level()),
            place: tile.level_index(),
            width: u64::from(tile.width()),
        };
        assert!(resource.is_in(size));
        let Resource::Tile {
            level,
            place,
            width,
        } = resource
        else {
            continue;
        };
        assert_eq!(bytes, ours.tile(level, place, width), "{}", tile.path());
    }
}

#[test]
fn the_tree_without_leaves_has_the_root_that_the_others_give_it() {
    let tree = MemoryBackedTree::<Sha256, [u8; 32]>::new();
    assert_eq!(tree.root().as_bytes().as_slice(), empty_root());
    assert_eq!(tlog_tiles::EMPTY_HASH.0, empty_root());
}

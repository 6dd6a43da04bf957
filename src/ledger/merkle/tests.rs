use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

/// The definition of RFC 6962, section 2.1, word for word: the slow other side of every check here.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => empty_root(),
        1 => leaves[0],
        n => {
            let k = (n as u64).next_power_of_two() as usize / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    let n = leaves.len();
    if n <= 1 {
        return Vec::new();
    }
    let k = (n as u64).next_power_of_two() as usize / 2;
    if m < k {
        let mut proof = path(m, &leaves[..k]);
        proof.push(mth(&leaves[k..]));
        proof
    } else {
        let mut proof = path(m - k, &leaves[k..]);
        proof.push(mth(&leaves[..k]));
        proof
    }
}

fn subproof(m: usize, leaves: &[Hash], b: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if b { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = (n as u64).next_power_of_two() as usize / 2;
    if m <= k {
        let mut proof = subproof(m, &leaves[..k], b);
        proof.push(mth(&leaves[k..]));
        proof
    } else {
        let mut proof = subproof(m - k, &leaves[k..], false);
        proof.push(mth(&leaves[..k]));
        proof
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count)
        .map(|n| leaf_hash(&(n as u64).to_be_bytes()))
        .collect()
}

fn range(leaves: &[Hash], (from, to): (u64, u64)) -> Hash {
    let parts: Vec<Hash> = subtrees(from, to)
        .iter()
        .map(|node| {
            let (from, width) = (node.place << node.level, 1_u64 << node.level);
            mth(&leaves[from as usize..(from + width) as usize])
        })
        .collect();
    fold(&parts)
}

#[test]
fn roots_and_proofs_of_every_small_tree_are_those_of_the_definition() {
    for size in 1..=70_usize {
        let leaves = leaves(size);
        let root = mth(&leaves);
        assert_eq!(range(&leaves, (0, size as u64)), root);
        let mut growing = Growing::default();
        leaves
            .iter()
            .for_each(|leaf| growing.push(*leaf, |_, _| {}));
        assert_eq!(growing.root(), root);
        for index in 0..size {
            let proof: Vec<Hash> = inclusion_ranges(index as u64, size as u64)
                .into_iter()
                .map(|part| range(&leaves, part))
                .collect();
            assert_eq!(proof, path(index, &leaves));
            verify_inclusion(&leaves[index], index as u64, size as u64, &proof, &root).unwrap();
        }
        for old in 1..size {
            let proof: Vec<Hash> = consistency_ranges(old as u64, size as u64)
                .into_iter()
                .map(|part| range(&leaves, part))
                .collect();
            assert_eq!(proof, subproof(old, &leaves, true));
            verify_consistency(old as u64, &mth(&leaves[..old]), size as u64, &root, &proof)
                .unwrap();
        }
    }
}

#[test]
fn the_roots_published_for_certificate_transparency_are_reached() {
    // The eight leaves and the roots of every size that the reference implementations of RFC 6962 test with.
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Growing::default();
    for (entry, root) in entries.iter().zip(roots) {
        tree.push(leaf_hash(entry), |_, _| {});
        let hex: String = tree
            .root()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, root, "size {}", tree.size());
    }
}

/// Vectors of the transparency-dev project, from the shared test data; its SOURCE.txt names them.
#[test]
fn the_published_inclusion_vectors_are_accepted_and_refused_as_they_say() {
    let mut seen = 0;
    for file in walk(std::path::Path::new(VECTORS)) {
        let text = std::fs::read_to_string(&file).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let hash = |value: &serde_json::Value| -> Option<Hash> {
            STANDARD.decode(value.as_str()?).ok()?.try_into().ok()
        };
        let proof: Option<Vec<Hash>> = match &vector["proof"] {
            serde_json::Value::Null => Some(Vec::new()),
            list => list.as_array().unwrap().iter().map(hash).collect(),
        };
        let number = |name: &str| vector[name].as_u64();
        let holds = match (hash(&vector["leafHash"]), hash(&vector["root"]), proof) {
            (Some(leaf), Some(root), Some(proof)) => {
                match (number("leafIdx"), number("treeSize")) {
                    (Some(index), Some(size)) => {
                        verify_inclusion(&leaf, index, size, &proof, &root).is_ok()
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        assert_eq!(
            !holds,
            vector["wantErr"].as_bool().unwrap(),
            "{}",
            file.display()
        );
        seen += 1;
    }
    assert!(seen > 50, "only {seen} vectors were found");
}

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../shared/data/merkle-inclusion"
);

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files
}

proptest! {
    #[test]
    fn a_proof_holds_for_its_own_leaf_and_place_only(size in 1_u64..3_000, pick in 0_u64..3_000, flip in 0_usize..32) {
        let index = pick % size;
        let leaves = leaves(size as usize);
        let root = mth(&leaves);
        let proof: Vec<Hash> = inclusion_ranges(index, size).into_iter().map(|part| range(&leaves, part)).collect();
        let leaf = leaves[index as usize];
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_ok());
        let mut other = leaf;
        other[flip] ^= 1;
        prop_assert!(verify_inclusion(&other, index, size, &proof, &root).is_err());
        if size > 1 {
            prop_assert!(verify_inclusion(&leaf, (index + 1) % size, size, &proof, &root).is_err());
            let mut broken = proof.clone();
            let last = broken.len() - 1;
            broken[last][flip] ^= 1;
            prop_assert!(verify_inclusion(&leaf, index, size, &broken, &root).is_err());
        }
    }

    #[test]
    fn a_tree_that_grew_is_consistent_with_all_it_was_and_with_nothing_else(new in 2_u64..2_000, pick in 0_u64..2_000, flip in 0_usize..32) {
        let old = 1 + pick % (new - 1);
        let leaves = leaves(new as usize);
        let (old_root, root) = (mth(&leaves[..old as usize]), mth(&leaves));
        let proof: Vec<Hash> = consistency_ranges(old, new).into_iter().map(|part| range(&leaves, part)).collect();
        prop_assert!(verify_consistency(old, &old_root, new, &root, &proof).is_ok());
        let mut forged = old_root;
        forged[flip] ^= 1;
        prop_assert!(verify_consistency(old, &forged, new, &root, &proof).is_err());
        let mut forged = root;
        forged[flip] ^= 1;
        prop_assert!(verify_consistency(old, &old_root, new, &forged, &proof).is_err());
        let mut short = proof.clone();
        short.pop();
        prop_assert!(verify_consistency(old, &old_root, new, &root, &short).is_err());
    }

    #[test]
    fn a_growing_tree_can_be_put_down_and_taken_up_at_any_size(size in 0_u64..600, more in 1_u64..600) {
        let leaves = leaves((size + more) as usize);
        let mut tree = Growing::default();
        leaves[..size as usize].iter().for_each(|leaf| tree.push(*leaf, |_, _| {}));
        let edge: Vec<Hash> = subtrees(0, size).iter().map(|n| range(&leaves, (n.place << n.level, (n.place + 1) << n.level))).collect();
        let mut taken_up = Growing::from_edge(size, edge).unwrap();
        prop_assert_eq!(&taken_up, &tree);
        leaves[size as usize..].iter().for_each(|leaf| taken_up.push(*leaf, |node, hash| {
            assert_eq!(hash, range(&leaves, (node.place << node.level, (node.place + 1) << node.level)));
        }));
        prop_assert_eq!(taken_up.root(), mth(&leaves));
    }
}

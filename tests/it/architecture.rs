//! The layers, held by reading the source as text.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn in_layer(path: &Path, layer: &str) -> bool {
    let rest = path.strip_prefix(src()).unwrap();
    rest.starts_with(layer) || rest == Path::new(&format!("{layer}.rs"))
}

/// Lines of code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn a_public_page_stands_in_its_brands_frame_whose_policy_names_the_logo() {
    for (path, text) in sources(&src().join("web/public")) {
        for line in code(&text) {
            let bare = line.contains("page::render") || line.contains("page::respond");
            assert!(!bare, "{}: {line}", path.display());
        }
    }
}

#[test]
fn a_layer_names_only_the_layers_left_of_it() {
    let forbidden: [(&str, &[&str]); 8] = [
        (
            "domain",
            &[
                "store", "mail", "intake", "app", "web", "cli", "config", "clock", "texts",
            ],
        ),
        ("store", &["mail", "intake", "app", "web", "cli"]),
        ("mail", &["store", "intake", "app", "web", "cli"]),
        (
            "intake",
            &[
                "ledger", "store", "mail", "app", "web", "cli", "config", "clock", "texts",
                "outgoing",
            ],
        ),
        ("app", &["web", "cli"]),
        ("web", &["cli"]),
        ("texts", &["store", "mail", "app", "web", "cli"]),
        ("outgoing", &["store", "mail", "app", "web", "cli"]),
    ];
    for (path, text) in sources(&src()) {
        for (layer, names) in forbidden {
            if !in_layer(&path, layer) {
                continue;
            }
            for name in names {
                let offender = code(&text).find(|line| line.contains(&format!("crate::{name}::")));
                assert!(offender.is_none(), "{}: {offender:?}", path.display());
            }
        }
    }
}

#[test]
fn each_library_and_each_power_has_its_place() {
    let places: [(&str, &[&str]); 12] = [
        // Types of columns are derived where the types are; statements stand in the store only.
        ("sqlx::query", &["store"]),
        ("actix_web::", &["web"]),
        ("lettre::", &["mail"]),
        ("ureq::", &["outgoing", "mail"]),
        ("hickory_resolver::", &["outgoing"]),
        ("rustix::", &["store", "web"]),
        ("quick_xml::", &["intake"]),
        ("flate2::", &["intake", "web"]),
        ("webauthn_rp::", &["app"]),
        ("std::env::var", &["config"]),
        ("SystemTime::now", &["clock"]),
        ("rand::rng", &["clock"]),
    ];
    for (path, text) in sources(&src()) {
        for (name, layers) in places {
            if layers.iter().any(|layer| in_layer(&path, layer)) {
                continue;
            }
            let offender = code(&text).find(|line| line.contains(name));
            assert!(offender.is_none(), "{}: {offender:?}", path.display());
        }
    }
}

#[test]
fn pages_get_their_lists_from_the_verbs_and_never_read_the_store() {
    for (path, text) in sources(&src()) {
        if in_layer(&path, "web") {
            let offender = code(&text).find(|line| {
                line.contains("store::")
                    && !line.contains("StoreError")
                    && !line.contains("OperatorRow")
            });
            assert!(offender.is_none(), "{}: {offender:?}", path.display());
        }
    }
}

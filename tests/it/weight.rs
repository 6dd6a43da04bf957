//! What a page costs to load: limits on what is sent, as `gzip -9` packs it.

use std::path::Path;
use std::process::Command;

fn packed(name: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("static")
        .join(name);
    let done = Command::new("gzip")
        .args(["-9", "-c"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    done.stdout.len()
}

#[test]
fn the_embedded_form_is_at_most_five_kilobytes_on_the_wire() {
    let size = packed("embed.js");
    assert!(size <= 5_120, "embed.js has {size} bytes packed");
}

#[test]
fn the_public_stylesheet_is_at_most_eight_kilobytes_on_the_wire() {
    let size = packed("public.css");
    assert!(size <= 8_192, "public.css has {size} bytes packed");
}

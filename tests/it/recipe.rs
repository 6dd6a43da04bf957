//! docs/how-to-verify.md, run as it stands: its commands by a shell, its script by Python, on good and broken bundles.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::Folder;
use crate::samples::{Sample, Samples};

const STEPS: [&str; 12] = [
    "",
    "container",
    "key",
    "manifest",
    "checkpoint",
    "events",
    "proofs",
    "anchors",
    "times",
    "forms",
    "mails",
    "story",
];

fn is_left_out() -> bool {
    let quick = std::env::var("COUNTERSIGN_TEST_QUICK").is_ok();
    if quick {
        eprintln!("left out in the quick check: the recipe, which needs openssl, unzip and Python");
    }
    quick
}

/// The fenced blocks of this language, one after another.
fn blocks(language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-to-verify.md");
    let text = std::fs::read_to_string(path).unwrap();
    let found: Vec<&str> = text
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!found.is_empty(), "no {language} in the recipe");
    found.join("\n")
}

/// Asserts that the commands and the script of the document pass this bundle.
pub fn passes(bundle: &[u8]) {
    if is_left_out() {
        return;
    }
    let folder = Folder::new();
    std::fs::write(folder.0.join("bundle.zip"), bundle).unwrap();
    std::fs::write(folder.0.join("check.py"), blocks("python")).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command
            .args(arguments)
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {output:?}"
        );
    };
    run("/usr/bin/python3", &["check.py", "bundle.zip"]);
    run("/bin/sh", &["-eu", "-c", &blocks("sh")]);
}

/// Types all commands of the document in a folder that holds the bundle.
fn by_hand(samples: &Samples, name: &str) -> Output {
    let folder = Folder::new();
    std::fs::copy(samples.path(name), folder.0.join("bundle.zip")).unwrap();
    Command::new("/bin/sh")
        .args(["-eu", "-c", &blocks("sh")])
        .current_dir(&folder.0)
        .output()
        .unwrap()
}

fn by_script(samples: &Samples, sample: &Sample) -> Output {
    let folder = Folder::new();
    std::fs::write(folder.0.join("check.py"), blocks("python")).unwrap();
    let mut command = Command::new("/usr/bin/python3");
    command
        .current_dir(&folder.0)
        .arg("check.py")
        .arg(samples.path(&sample.name));
    let trust = &sample.trust;
    if !trust.key.is_empty() {
        command.arg(format!("key={}", trust.key));
    }
    if !trust.witnesses.is_empty() {
        command.arg(format!("witness={}", trust.witnesses));
    }
    if !trust.roots.is_empty() {
        std::fs::write(folder.0.join("roots.pem"), &trust.roots).unwrap();
        command.arg("roots=roots.pem");
    }
    command.output().unwrap()
}

#[test]
fn the_commands_of_the_recipe_succeed_on_good_bundles() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    for (name, anchors) in [
        ("good", 2),
        ("good-small", 0),
        ("good-deflated", 2),
        ("good-removed", 2),
        ("good-folders", 2),
    ] {
        let done = by_hand(&samples, name);
        let said = String::from_utf8_lossy(&done.stdout).into_owned()
            + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name}: {said}");
        let signatures = said.matches("Signature Verified Successfully").count();
        assert_eq!(signatures, 2 + anchors, "{name}: {said}");
        assert_eq!(said.matches("Verification: OK").count(), anchors, "{said}");
    }
}

#[test]
fn the_commands_of_the_recipe_fail_where_a_signature_a_hash_or_a_time_stamp_does_not_hold() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    for name in [
        "container-checksum",
        "manifest-other-key",
        "manifest-changed",
        "manifest-hash",
        "manifest-not-there",
        "checkpoint-other-key",
        "checkpoint-changed",
        "anchor-other-key",
        "response-other-imprint",
        "response-rejected",
        "token-time-changed",
        "token-signature",
        "token-rsa-signature",
        "chain-not-critical",
        "chain-expired",
        "chain-too-new",
        "chain-other-root",
        "circumstances-changed",
        "circumstances-of-another",
        "circumstances-not-named",
        "circumstances-of-nothing",
    ] {
        assert!(!by_hand(&samples, name).status.success(), "{name}");
    }
}

#[test]
fn the_commitment_worked_out_by_hand_is_the_leaf_that_the_proof_begins_with() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    // In a log of one entry the leaf hash is the root.
    let done = by_hand(&samples, "good-one-entry");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}");
    let leaf = said.lines().last().unwrap().split(' ').next().unwrap();
    let root = said
        .lines()
        .skip_while(|line| *line != "1")
        .nth(1)
        .expect("the root stands below the size");
    use base64::Engine as _;
    let root = base64::engine::general_purpose::STANDARD
        .decode(root)
        .unwrap();
    let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(leaf, root);
}

#[test]
fn the_script_of_the_recipe_passes_every_good_bundle_and_refuses_every_broken_one_at_its_step() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    for sample in &samples.list {
        let done = by_script(&samples, sample);
        let said = String::from_utf8_lossy(&done.stdout);
        let errors = String::from_utf8_lossy(&done.stderr);
        let (name, about) = (&sample.name, &sample.about);
        if sample.step == 0 {
            assert!(done.status.success(), "{name} ({about}): {errors}");
            assert!(said.contains("The bundle holds."), "{name}: {said}");
        } else {
            assert_eq!(done.status.code(), Some(1), "{name} ({about}): {said}");
            let begins = format!("does not hold: {}:", STEPS[sample.step]);
            assert!(errors.starts_with(&begins), "{name} ({about}): {errors}");
        }
    }
}

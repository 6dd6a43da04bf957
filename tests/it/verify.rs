//! `countersign verify`, held against bundles that another program made straight from the document.

use std::process::Command;

use countersign::ledger::bundle::{Known, verify};
use countersign::ledger::note::Verifier;
use countersign::ledger::timestamp::Certificate;

use crate::samples::{Samples, Trust};

fn is_left_out() -> bool {
    let left_out = std::env::var("COUNTERSIGN_TEST_QUICK").is_ok();
    if left_out {
        eprintln!("left out in the quick check: sample bundles, which need Python and openssl");
    }
    left_out
}

fn keys(text: &str) -> Vec<Verifier> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| Verifier::parse(line.trim()).unwrap())
        .collect()
}

/// The step and the file that are refused; step 0 where the bundle holds.
fn answer(samples: &Samples, name: &str, trust: &Trust) -> (usize, String) {
    let bytes = std::fs::read(samples.path(name)).unwrap();
    let key = keys(&trust.key);
    let roots = match trust.roots.trim() {
        "" => Vec::new(),
        pem => Certificate::all_from_pem(pem.as_bytes()).unwrap(),
    };
    let witnesses = keys(&trust.witnesses);
    let known = Known {
        key: key.first(),
        roots: &roots,
        witnesses: &witnesses,
    };
    match verify(&bytes, known) {
        Ok(_) => (0, String::new()),
        Err(problem) => (problem.step.number().into(), problem.file),
    }
}

#[test]
fn every_sample_bundle_is_answered_by_the_step_and_the_file_that_the_document_asks_for() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    let wrong: Vec<String> = samples
        .list
        .iter()
        .filter_map(|sample| {
            let (step, file) = answer(&samples, &sample.name, &sample.trust);
            // In a container nothing has a name yet, and whether a chain is spoiled by the token or by the certificates
            // beside it is a matter of taste: there the step says enough.
            let right = match sample.step {
                1 | 7 => step == sample.step,
                _ if sample.file.is_empty() => step == sample.step,
                _ => sample.is_answered_by(step, &file),
            };
            (!right).then(|| {
                let (name, about) = (&sample.name, &sample.about);
                format!(
                    "{name} ({about}): step {step} {file}, not {} {}",
                    sample.step, sample.file
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_command_tells_the_story_of_a_good_bundle_and_names_what_is_wrong_with_a_broken_one() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    let run = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("verify")
            .arg(samples.path(name))
            .output()
            .unwrap()
    };
    let good = run("good");
    let text = String::from_utf8(good.stdout).unwrap();
    assert!(
        good.status.success() && text.starts_with("This bundle holds."),
        "{text}"
    );
    assert!(text.contains("Taken on trust"), "{text}");
    let seen = "from 192.0.2.7, with the browser \"Söme Browser/1 🦊\"";
    let named = format!("    circumstances/0004.json, named by the event: {seen}\n");
    assert!(text.contains(&format!("\n      {seen}\n")), "{text}");
    assert!(text.contains(&named), "{text}");
    let proxy = String::from_utf8(run("good-proxy").stdout).unwrap();
    // Control characters and marks that turn the writing are left out; a quotation mark cannot end the browser's name.
    let seen = r#"from 2001:db8::7, through 10.0.0.9, with the browser "A \"Browser\"/1""#;
    assert!(proxy.contains(seen), "{proxy}");
    let removed = String::from_utf8(run("good-removed").stdout).unwrap();
    let hidden = "\n      network address and browser: not disclosed\n";
    assert_eq!(removed.matches(hidden).count(), 7, "{removed}");
    assert!(!removed.contains("192.0.2.7"), "{removed}");
    let broken = run("form-changed");
    let text = String::from_utf8(broken.stderr).unwrap();
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        text.contains("does not hold") && text.contains("forms/"),
        "{text}"
    );
    assert_eq!(run("no such bundle").status.code(), Some(2));
}

#[test]
fn the_command_takes_what_the_reader_knows_and_tells_a_wrong_key_from_a_wrong_word() {
    if is_left_out() {
        return;
    }
    let samples = Samples::get();
    let run = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .arg("verify")
            .arg(samples.path("good"))
            .args(flags)
            .output()
            .unwrap()
    };
    let files = countersign::ledger::archive::read(&std::fs::read(samples.path("good")).unwrap())
        .unwrap()
        .0;
    let key = String::from_utf8(files["log-key.pub"].clone()).unwrap();
    assert!(run(&["--key", key.trim()]).status.success());
    let other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let told = run(&["--key", other]);
    assert_eq!(told.status.code(), Some(1));
    assert!(
        String::from_utf8(told.stderr)
            .unwrap()
            .contains("log-key.pub")
    );
    assert_eq!(run(&["--key", "no key"]).status.code(), Some(2));
    assert_eq!(run(&["--witness", "no key"]).status.code(), Some(2));
    assert_eq!(run(&["--roots", "no such file"]).status.code(), Some(2));
}

mod attacks;
mod fixture;

use std::io::{Cursor, Write as _};
use std::time::Duration;

use super::*;
use crate::ledger::archive::{self, COMMENT, MANIFEST};
use crate::ledger::note::{SigningNoteKey, Verifier};
use crate::ledger::timestamp::Certificate;
use crate::ledger::timestamp::authority::Authority;
use fixture::{Fixture, at, authority, key};

#[test]
fn what_the_writer_wrote_is_accepted_and_told() {
    let report = Fixture::new().check().unwrap();
    assert_eq!(
        (report.size, report.events.len(), report.anchors.len()),
        (420, 5, 3)
    );
    assert!(report.container_checked);
    assert_eq!(report.brand, "newsletter");
    let kinds: Vec<&str> = report
        .events
        .iter()
        .map(|told| told.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "signed_up",
            "mail_accepted",
            "link_opened",
            "confirmed",
            "withdrawn"
        ]
    );
    assert!(
        report.events[3]
            .sentence
            .contains("by the button behind the mail's link."),
        "{}",
        report.events[3].sentence
    );
    let disclosed = "from 192.0.2.8, with the browser \"A Browser/1\"";
    assert_eq!(
        report.events[3].whence,
        Whence::Disclosed(disclosed.to_owned())
    );
    assert_eq!(report.events[4].whence, Whence::Nowhere);
    let bounds = |told: &Told| (told.logged_after.clone(), told.logged_before.clone());
    let named = |name: &str, time: &str| Some((name.to_owned(), at(time)));
    assert_eq!(
        bounds(&report.events[3]),
        (named("before", "11:00:00"), named("between", "13:00:00"))
    );
    assert_eq!(
        bounds(&report.events[4]),
        (named("between", "13:00:00"), named("last", "15:00:00"))
    );
    // The log, three anchors, and signup, mail and confirmation.
    assert_eq!(report.claims.len(), 7);
    let last = report.claims.last().unwrap();
    assert!(last.says.contains("12:05:10"), "{last:?}");
    assert!(last.rests_on.iter().any(|on| on.contains("mails/0002.eml")));
    let circumstances = format!("circumstances/0004.json, named by the event: {disclosed}");
    assert!(last.rests_on.contains(&circumstances), "{last:?}");
    assert!(report.on_trust[0].contains("no key was given"));
    assert!(report.on_trust[1].contains("no root was given"));
    assert_eq!(
        report.anchors[0].stamp.authority,
        "countersign demo authority - proves nothing to others"
    );
}

#[test]
fn what_the_reader_knows_is_compared_and_no_longer_taken_on_trust() {
    let bytes = write(&Fixture::new().parts(), &key()).unwrap();
    let roots = Certificate::all_from_pem(authority().root_pem().as_bytes()).unwrap();
    let verifier = key().verifier();
    let known = Known {
        key: Some(&verifier),
        roots: &roots,
        witnesses: &[],
    };
    let report = verify(&bytes, known).unwrap();
    assert_eq!(report.on_trust.len(), 2, "{:?}", report.on_trust);
    assert!(report.on_trust[0].starts_with("what report.html and record.jsonld say"));
    let other_key = SigningNoteKey::new(fixture::ORIGIN, &[9; 32])
        .unwrap()
        .verifier();
    let known = Known {
        key: Some(&other_key),
        ..known
    };
    let problem = verify(&bytes, known).unwrap_err();
    assert_eq!(
        (problem.step, problem.file.as_str()),
        (Step::Key, "log-key.pub")
    );
    let other_root = Authority::from_secret(&[9; 32]).root_pem();
    let roots = Certificate::all_from_pem(other_root.as_bytes()).unwrap();
    let known = Known {
        roots: &roots,
        ..Known::default()
    };
    let problem = verify(&bytes, known).unwrap_err();
    assert_eq!(
        (problem.step, problem.file.as_str()),
        (Step::Anchors, "anchors/before.tsr")
    );
}

#[test]
fn a_bundle_without_anchors_and_mails_holds_and_says_what_rests_on_the_servers_clock() {
    let mut fixture = Fixture::new();
    fixture.anchors.clear();
    fixture.events.truncate(1);
    let report = fixture.check().unwrap();
    assert!(report.anchors.is_empty());
    assert!(report.on_trust.iter().any(|on| on.contains("own clock")));
    let files = fixture.files();
    assert_eq!(files["consistency.json"], b"{\"proofs\":[],\"to\":420}\n");
}

#[test]
fn any_changed_byte_of_any_file_is_refused_and_the_file_is_named() {
    let files = Fixture::small().files();
    let mut positions = 0;
    for (name, content) in &files {
        let mut changed = files.clone();
        for at in 0..content.len() {
            changed.get_mut(name).unwrap()[at] ^= 1;
            let problem = verify(&archive::write(&changed).unwrap(), Known::default()).unwrap_err();
            changed.get_mut(name).unwrap()[at] ^= 1;
            match name.as_str() {
                // A changed list is found out by its signature, a changed key by its id or by the signature.
                MANIFEST => assert_eq!(problem.step, Step::Manifest, "{name} {at}"),
                "log-key.pub" => assert_eq!(problem.step, Step::Key, "{name} {at}"),
                _ => assert_eq!(
                    (problem.step, &problem.file),
                    (Step::Manifest, name),
                    "byte {at}"
                ),
            }
            positions += 1;
        }
    }
    assert!(positions > 8_000, "only {positions} positions");
    println!("{positions} positions in {} files", files.len());
}

#[test]
fn no_byte_of_the_evidence_can_change_even_if_the_manifest_is_signed_anew() {
    let files = Fixture::small().files();
    // Left out: the manifest itself, pages for people, and the authority's files, whose tokens have a test of their own
    // and may carry certificates that no chain uses.
    let is_evidence = |name: &str| {
        ![MANIFEST, "report.html"].contains(&name)
            && !name.ends_with(".tsr")
            && !name.ends_with(".pem")
    };
    let mut positions = 0;
    for name in files.keys().filter(|name| is_evidence(name)) {
        for at in 0..files[name].len() {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap()[at] ^= 1;
            let changed = fixture::sign_again(changed);
            let holds = verify_files(&changed, true, Known::default()).is_ok();
            assert!(!holds, "{name}, byte {at}");
            positions += 1;
        }
    }
    println!("{positions} positions");
    assert!(positions > 4_000, "only {positions} positions");
}

#[test]
fn any_changed_byte_of_the_archive_is_refused() {
    let bytes = write(&Fixture::small().parts(), &key()).unwrap();
    verify(&bytes, Known::default()).unwrap();
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            changed[at] ^= bit;
            let result = verify(&changed, Known::default());
            assert!(result.is_err(), "byte {at} with {bit:#x}");
            changed[at] ^= bit;
        }
    }
    println!("{} positions, two bits each", bytes.len());
}

#[test]
fn a_removed_or_added_file_is_refused() {
    let files = Fixture::new().files();
    for name in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(name);
        let problem = verify_files(&fewer, true, Known::default()).unwrap_err();
        assert_eq!(&problem.file, name);
    }
    for name in ["events/0006.json", "anchors/new.tsr", "verify.html"] {
        let mut more = files.clone();
        more.insert(name.to_owned(), b"{}\n".to_vec());
        let problem = verify_files(&more, true, Known::default()).unwrap_err();
        assert_eq!(
            (problem.step, problem.file.as_str()),
            (Step::Manifest, name)
        );
    }
    let mut more = files.clone();
    more.insert("events/../x".to_owned(), Vec::new());
    let problem = verify_files(&more, true, Known::default()).unwrap_err();
    assert_eq!(problem.step, Step::Container);
}

fn packed_again(fixture: &Fixture, comment: Option<&str>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in fixture.files() {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(&content).unwrap();
    }
    if let Some(comment) = comment {
        archive.set_comment(comment).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn files_packed_again_by_another_program_are_checked_and_their_container_is_not() {
    let fixture = Fixture::new();
    let report = verify(&packed_again(&fixture, None), Known::default()).unwrap();
    assert!(!report.container_checked);
    for comment in [
        "countersign bundle v2",
        "x",
        std::str::from_utf8(COMMENT).unwrap(),
    ] {
        let problem = verify(&packed_again(&fixture, Some(comment)), Known::default()).unwrap_err();
        assert_eq!(problem.step, Step::Container, "{comment}");
    }
}

#[test]
fn witnesses_whose_keys_are_known_are_checked_and_others_are_named() {
    let mut fixture = Fixture::new();
    let (witness, line) = cosigned(&fixture, 1_795_430_000);
    fixture.cosignatures = line.clone();
    let bytes = write(&fixture.parts(), &key()).unwrap();
    let unknown = verify(&bytes, Known::default()).unwrap();
    assert_eq!(unknown.witnesses[0].checked_at, None);
    assert!(
        unknown
            .on_trust
            .iter()
            .any(|on| on.contains("witness.example"))
    );
    let witnesses = [witness];
    let known = Known {
        witnesses: &witnesses,
        ..Known::default()
    };
    let report = verify(&bytes, known).unwrap();
    let seen = report.witnesses[0].checked_at.unwrap();
    assert_eq!(seen.unix_seconds(), 1_795_430_000);
    // Over another head of the log.
    let mut other = Fixture::new();
    other.size = 419;
    other.anchors.truncate(2);
    other.cosignatures = line;
    let problem = verify(&write(&other.parts(), &key()).unwrap(), known).unwrap_err();
    assert_eq!(problem.step, Step::Checkpoint);
}

/// A witness's line under the fixture's checkpoint (C2SP tlog-cosignature), and the key to check it with.
fn cosigned(fixture: &Fixture, seconds: u64) -> (Verifier, String) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use ed25519_dalek::{Signer, SigningKey};
    use sha2::{Digest, Sha256};
    let note = fixture::checkpoint(&fixture.leaves(), fixture.size);
    let text = &note[..note.find("\n\n").unwrap() + 1];
    let secret = SigningKey::from_bytes(&[77; 32]);
    let public = secret.verifying_key().to_bytes();
    let name = "witness.example/w1";
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n\x04")
        .chain_update(public)
        .finalize();
    let signature = secret.sign(format!("cosignature/v1\ntime {seconds}\n{text}").as_bytes());
    let line = [&hash[..4], &seconds.to_be_bytes(), &signature.to_bytes()].concat();
    let vkey = [&[4][..], &public].concat();
    let id: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    (
        Verifier::parse(&format!("{name}+{id}+{}", STANDARD.encode(vkey))).unwrap(),
        format!("\u{2014} {name} {}\n", STANDARD.encode(line)),
    )
}

#[test]
fn a_thousand_events_are_checked_in_reasonable_time() {
    let mut fixture = Fixture::new();
    fixture.size = 1_500;
    fixture.anchors.truncate(2);
    for index in 410..1_410 {
        let event = serde_json::json!({
            "id": uuid::Uuid::from_u128(index), "schema": 1, "kind": "link_opened", "brand": fixture::BRAND,
            "contact": fixture::CONTACT, "at": at("14:30:00"), "link": "about",
        });
        fixture.events.push(fixture::Sample {
            event,
            index: index as u64,
            mail: None,
            circumstances: None,
        });
    }
    let bytes = write(&fixture.parts(), &key()).unwrap();
    let started = std::time::Instant::now();
    let report = verify(&bytes, Known::default()).unwrap();
    assert_eq!(report.events.len(), 1_005);
    assert!(started.elapsed() < Duration::from_secs(20));
}

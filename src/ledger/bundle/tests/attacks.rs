//! What somebody with the log's key could try: everything is signed anew and refused all the same, where it belongs.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::fixture::*;
use crate::domain::hex::hex;
use crate::ledger::archive::{Files, MANIFEST};
use crate::ledger::bundle::{BundleProblem, Known, Parts, Step, Whence, verify_files};
use crate::ledger::merkle::consistency_ranges;
use crate::ledger::note::SigningNoteKey;

#[track_caller]
fn refused(result: Result<crate::ledger::bundle::Report, BundleProblem>, at: Step, file: &str) {
    let problem = result.unwrap_err();
    assert_eq!(
        (problem.step, problem.file.as_str()),
        (at, file),
        "{problem}"
    );
}

/// The story changed in the log itself, before anything was signed.
#[track_caller]
fn story(change: impl FnOnce(&mut Fixture), at: Step, file: &str) {
    let mut fixture = Fixture::new();
    change(&mut fixture);
    refused(fixture.check(), at, file);
}

/// Files changed, and the manifest signed anew.
#[track_caller]
fn changed(change: impl FnOnce(&mut Files), at: Step, file: &str) {
    let mut files = Fixture::new().files();
    change(&mut files);
    refused(
        verify_files(&sign_again(files), true, Known::default()),
        at,
        file,
    );
}

/// The mail stands behind the confirmation in the log, and says this time.
fn mail_behind(fixture: &mut Fixture, time: &str) {
    fixture.events[MAIL].index = 311;
    fixture.set(MAIL, "at", json!(at(time)));
    let mail = fixture.events.remove(MAIL);
    // The confirmation's place now.
    fixture.events.insert(CONFIRMED, mail);
}

#[test]
fn a_confirmation_before_its_mail_is_refused() {
    // Whatever the times say: it is the order of the log that counts.
    for time in ["12:05:16", "11:55:09"] {
        story(|f| mail_behind(f, time), Step::Story, "events/0003.json");
    }
    // Two that were written down at nearly the same time are forgiven, and so is a mail that may have gone out before.
    let accepted = |change: &dyn Fn(&mut Fixture)| {
        let mut fixture = Fixture::new();
        mail_behind(&mut fixture, "12:30:00");
        change(&mut fixture);
        fixture.check().map(|report| report.remarks)
    };
    for time in ["12:05:15", "11:55:10"] {
        let at_once = accepted(&|f| f.set(CONFIRMED, "at", json!(at(time))));
        assert_eq!(at_once, Ok(vec![]));
    }
    let ambiguous = accepted(&|f| f.set(CONFIRMED, "ambiguous", json!(true)));
    assert_eq!(ambiguous, Ok(vec![]));
    assert_eq!(
        accepted(&|f| f.set(CONFIRMED, "tries", json!(2))),
        Ok(vec![])
    );
    assert!(accepted(&|f| f.set(CONFIRMED, "ambiguous", json!(false))).is_err());
}

#[test]
fn a_clock_that_was_set_back_between_a_mail_and_its_confirmation_is_remarked() {
    let mut fixture = Fixture::new();
    fixture.set(CONFIRMED, "at", json!(at("11:30:00")));
    let report = fixture.check().unwrap();
    for file in ["events/0001.json", "events/0002.json"] {
        let told = format!(
            "{file} stands before events/0004.json in the log and says a later time: the clock was set back between them"
        );
        assert!(report.remarks.contains(&told), "{:?}", report.remarks);
    }
    assert_eq!(Fixture::new().check().unwrap().remarks, [""; 0]);
}

#[test]
fn a_mail_whose_last_reply_was_lost_is_enough_and_one_that_was_surely_refused_is_not() {
    let failed = |ambiguous: bool| {
        let mut fixture = Fixture::new();
        fixture.events[MAIL].mail = None;
        fixture.set(MAIL, "kind", json!("mail_failed"));
        fixture.set(MAIL, "reason", json!("gone"));
        fixture.set(MAIL, "ambiguous", json!(ambiguous));
        fixture
    };
    let report = failed(true).check().unwrap();
    assert!(
        report.remarks[0].starts_with(
            "no mail server said that it took the mail which events/0004.json answers"
        )
    );
    let lost = |claim: &crate::ledger::bundle::Claim| claim.says.contains("whose reply was lost");
    assert!(report.claims.iter().any(lost), "{:?}", report.claims);
    refused(failed(false).check(), Step::Story, "events/0004.json");
}

#[test]
fn a_clock_that_was_off_by_its_own_word_is_remarked_and_one_that_was_off_by_more_refused() {
    // Logged behind the anchor of 11:00 by a clock that was an hour and a half behind.
    let said = |minutes: i64| json!({"state": "unknown", "ahead_micros": minutes * 60_000_000});
    let behind = |minutes: i64| {
        let mut fixture = Fixture::new();
        fixture.set(2, "at", json!(at("10:00:00")));
        fixture.set(2, "clock", said(minutes));
        fixture.check()
    };
    let report = behind(-90).unwrap();
    let told = "events/0003.json says 2026-11-23T10:00:00.000000Z, yet its clock was off, as it says itself: by an authority's \
                clock that was 2026-11-23T11:30:00.000000Z";
    assert_eq!(report.remarks, [told]);
    for minutes in [-49, -200, 90, -1_441] {
        refused(behind(minutes), Step::Times, "events/0003.json");
    }
}

#[test]
fn a_confirmation_after_its_time_is_refused() {
    for expiry in ["12:05:10", "12:05:09"] {
        story(
            |f| f.set(SIGNED_UP, "confirmation_expires_at", json!(at(expiry))),
            Step::Story,
            "events/0004.json",
        );
    }
}

#[test]
fn a_request_whose_mail_was_asked_for_again_may_be_confirmed_until_the_time_that_was_said_then() {
    let again = |index: u64, request: Value, until: &str| {
        let mut fixture = Fixture::new();
        fixture.set(SIGNED_UP, "confirmation_expires_at", json!(at("12:03:00")));
        let mut sample = Sample {
            event: fixture.events[2].event.clone(),
            index,
            mail: None,
            circumstances: None,
        };
        sample.event["kind"] = json!("mail_requested");
        sample.event["at"] = json!(at("12:04:00"));
        sample.event["request"] = request;
        sample.event["confirmation_expires_at"] = json!(at(until));
        fixture.events.push(sample);
        fixture.events.sort_by_key(|sample| sample.index);
        fixture.check()
    };
    let own = || json!(REQUEST);
    assert!(again(304, own(), "18:00:00").is_ok());
    refused(
        again(304, own(), "12:05:10"),
        Step::Story,
        "events/0005.json",
    );
    let other = json!(Uuid::from_u128(5));
    refused(
        again(304, other, "18:00:00"),
        Step::Story,
        "events/0005.json",
    );
    // It was asked for behind the confirmation only.
    refused(
        again(311, own(), "18:00:00"),
        Step::Story,
        "events/0004.json",
    );
}

#[test]
fn a_confirmation_of_nothing_that_was_asked_for_is_refused() {
    story(
        |f| f.set(CONFIRMED, "purposes", json!(["news", "partners"])),
        Step::Story,
        "events/0004.json",
    );
    story(
        |f| f.set(CONFIRMED, "request", json!(Uuid::from_u128(5))),
        Step::Story,
        "events/0004.json",
    );
    let without = |f: &mut Fixture| {
        f.events[CONFIRMED]
            .event
            .as_object_mut()
            .unwrap()
            .remove("request");
    };
    story(without, Step::Story, "events/0004.json");
    // The signup stands behind the confirmation in the log.
    let behind = |f: &mut Fixture| {
        f.events[SIGNED_UP].index = 320;
        f.events.swap(SIGNED_UP, CONFIRMED);
        f.events.sort_by_key(|sample| sample.index);
    };
    story(behind, Step::Story, "events/0003.json");
}

#[test]
fn another_wording_than_the_one_named_is_refused() {
    let hash = hex(&Sha256::digest(FORM));
    let file = format!("forms/{hash}.html");
    changed(
        |files| files.get_mut(&file).unwrap()[20] ^= 1,
        Step::Forms,
        &file,
    );
    let other = "ab".repeat(32);
    story(
        |f| f.set(SIGNED_UP, "form_version", json!(other)),
        Step::Forms,
        &format!("forms/{other}.html"),
    );
    let unnamed = format!("forms/{}.html", hex(&Sha256::digest(b"more")));
    story(|f| f.forms.push(b"more".to_vec()), Step::Forms, &unnamed);
    story(
        |f| f.set(SIGNED_UP, "form_version", json!("x")),
        Step::Events,
        "events/0001.json",
    );
}

#[test]
fn the_mail_of_another_request_address_or_event_is_refused() {
    let to = "Ann@example.net";
    story(
        |f| f.send(mail(to, Uuid::from_u128(6))),
        Step::Story,
        "events/0004.json",
    );
    story(
        |f| f.send(mail("bob@example.net", REQUEST)),
        Step::Mails,
        "mails/0002.eml",
    );
    story(
        |f| f.set(MAIL, "message_id", json!("2@example.org")),
        Step::Mails,
        "mails/0002.eml",
    );
    story(
        |f| f.events[MAIL].mail = Some(mail(to, REQUEST)),
        Step::Mails,
        "mails/0002.eml",
    );
    story(
        |f| f.events[MAIL].mail = None,
        Step::Mails,
        "mails/0002.eml",
    );
    story(
        |f| f.events[CONFIRMED].mail = Some(mail(to, REQUEST)),
        Step::Mails,
        "mails/0004.eml",
    );
    // Two recipients' headers: readers differ in which they show.
    let twice = |f: &mut Fixture| {
        let text = String::from_utf8(mail(to, REQUEST)).unwrap();
        f.send(format!("To: bob@example.net\r\n{text}").into_bytes());
    };
    story(twice, Step::Mails, "mails/0002.eml");
    // A link outside the text is none: here it stands in a header.
    let in_header = |f: &mut Fixture| {
        let text = String::from_utf8(mail(to, Uuid::from_u128(6))).unwrap();
        f.send(format!("X-Link: {}\r\n{text}", link(REQUEST)).into_bytes());
    };
    story(in_header, Step::Story, "events/0004.json");
}

#[test]
fn a_confirmation_without_any_mail_is_refused() {
    let without = |f: &mut Fixture| {
        f.events.remove(MAIL);
    };
    story(without, Step::Story, "events/0003.json");
}

#[test]
fn a_missing_or_doubled_event_is_refused() {
    let drop = |files: &mut Files| {
        files.remove("events/0002.json");
        files.remove("proofs/0002.tlog-proof");
    };
    changed(drop, Step::Events, "events/0002.json");
    changed(
        |files| {
            files.remove("proofs/0003.tlog-proof");
        },
        Step::Events,
        "proofs/0003.tlog-proof",
    );
    let again = |files: &mut Files| {
        for (from, to) in [
            ("events/0005.json", "events/0006.json"),
            ("proofs/0005.tlog-proof", "proofs/0006.tlog-proof"),
        ] {
            files.insert(to.to_owned(), files[from].clone());
        }
    };
    changed(again, Step::Events, "events/0006.json");
    let unproved = |files: &mut Files| {
        files.insert("proofs/0006.tlog-proof".to_owned(), Vec::new());
    };
    changed(unproved, Step::Events, "proofs/0006.tlog-proof");
    changed(
        |files| {
            files.retain(|name, _| !name.starts_with("events/") && !name.starts_with("proofs/"))
        },
        Step::Events,
        "events/0001.json",
    );
}

#[test]
fn an_event_of_another_contact_or_brand_or_in_another_form_is_refused() {
    story(
        |f| f.set(2, "contact", json!(Uuid::from_u128(1))),
        Step::Events,
        "events/0003.json",
    );
    story(
        |f| f.set(2, "brand", json!(Uuid::from_u128(1))),
        Step::Events,
        "events/0003.json",
    );
    story(
        |f| f.events[4].index = 420,
        Step::Events,
        "events/0005.json",
    );
    story(|f| f.events.swap(1, 2), Step::Events, "events/0003.json");
    let time = json!("2026-11-23T12:05:00Z");
    story(|f| f.set(2, "at", time), Step::Events, "events/0003.json");
    for (from, to) in [
        ("\"schema\":1", "\"schema\": 1"),
        ("\"schema\":1", "\"schema\":1.0"),
        ("\"schema\":1", "\"schema\":1,\"schema\":1"),
        ("\"index\":301", "\"index\":301,\"more\":1"),
        ("\"index\":301", "\"index\":301.0"),
    ] {
        let rewrite = |files: &mut Files| {
            let event = files.get_mut("events/0002.json").unwrap();
            let text = String::from_utf8(event.clone()).unwrap();
            assert!(text.contains(from));
            *event = text.replacen(from, to, 1).into_bytes();
        };
        changed(rewrite, Step::Events, "events/0002.json");
    }
}

#[test]
fn circumstances_that_their_event_does_not_name_are_refused_and_missing_ones_are_not_disclosed() {
    let file = "circumstances/0004.json";
    let of = |number: usize| format!("circumstances/{number:04}.json");
    let put = |number: usize| {
        move |files: &mut Files| {
            files.insert(of(number), files["circumstances/0001.json"].clone());
        }
    };
    // Those of another event, of one that names none, and of none at all.
    for number in [4, 2, 6] {
        changed(put(number), Step::Events, &of(number));
    }
    let address = |files: &mut Files| {
        let text = String::from_utf8(files[file].clone()).unwrap();
        files.insert(file.to_owned(), text.replace(".8", ".9").into_bytes());
    };
    changed(address, Step::Events, file);
    let mut files = Fixture::new().files();
    files.remove(file);
    let report = verify_files(&sign_again(files), true, Known::default()).unwrap();
    assert_eq!(report.events[3].whence, Whence::NotDisclosed);
    assert!(matches!(report.events[0].whence, Whence::Disclosed(_)));
    let last = report.claims.last().unwrap();
    let said = "its network address and browser are not disclosed";
    assert!(last.rests_on.iter().any(|on| on == said), "{last:?}");
}

#[test]
fn circumstances_can_be_read_in_one_way_only_even_if_their_event_names_them() {
    let salt = r#""salt":"AAAAAAAAAAAAAAAAAAAAAA==""#;
    let disclosed = |kept: String| {
        let mut fixture = Fixture::new();
        fixture.disclose(CONFIRMED, kept);
        fixture.check()
    };
    let told = disclosed(format!("{{{salt}}}")).unwrap();
    let nothing = "from a network address and browser that were not noted";
    assert_eq!(told.events[3].whence, Whence::Disclosed(nothing.to_owned()));
    for kept in [
        format!(r#"{{"ip":"192.0.2.1","ip":"192.0.2.2",{salt}}}"#),
        format!(r#"{{{salt},"ip":"192.0.2.1"}}"#),
        format!(r#"{{"ip": "192.0.2.1",{salt}}}"#),
        format!("{{\"ip\":\"192.0.2.1\",{salt}}}\n"),
        format!(r#"{{"ip":7,{salt}}}"#),
        r#"{"ip":"192.0.2.1"}"#.to_owned(),
        r#"{"ip":"192.0.2.1","salt":"AAAA"}"#.to_owned(),
        format!("[{}]", r#""192.0.2.1""#),
        String::new(),
    ] {
        refused(disclosed(kept), Step::Events, "circumstances/0004.json");
    }
}

#[test]
fn swapped_foreign_or_changed_proofs_are_refused() {
    let swap = |files: &mut Files| {
        let one = files["proofs/0001.tlog-proof"].clone();
        let other = files
            .insert("proofs/0002.tlog-proof".to_owned(), one)
            .unwrap();
        files.insert("proofs/0001.tlog-proof".to_owned(), other);
    };
    changed(swap, Step::Proofs, "proofs/0001.tlog-proof");
    // The same event with another word in it.
    let word = |files: &mut Files| {
        let event = files.get_mut("events/0004.json").unwrap();
        let text = String::from_utf8(event.clone()).unwrap();
        *event = text.replace("link_button", "same_browser").into_bytes();
    };
    changed(word, Step::Proofs, "proofs/0004.tlog-proof");
    let extra = |files: &mut Files| {
        let proof = files.get_mut("proofs/0001.tlog-proof").unwrap();
        let text = String::from_utf8(proof.clone()).unwrap();
        *proof = text
            .replacen("\nindex", "\nextra AAAA\nindex", 1)
            .into_bytes();
    };
    changed(extra, Step::Proofs, "proofs/0001.tlog-proof");
    // A proof of an older head of the same log is good, but not the one that the bundle stands on.
    let older = |files: &mut Files| {
        let mut fixture = Fixture::new();
        fixture.size = 415;
        fixture.anchors.truncate(2);
        let name = "proofs/0001.tlog-proof";
        files.insert(name.to_owned(), fixture.files()[name].clone());
    };
    changed(older, Step::Proofs, "proofs/0001.tlog-proof");
}

#[test]
fn times_that_an_anchor_contradicts_are_refused() {
    // Logged behind the anchor of 11:00, so it cannot be of 10:49.
    story(
        |f| f.set(SIGNED_UP, "at", json!(at("10:49:59"))),
        Step::Times,
        "events/0001.json",
    );
    // Logged before the anchor of 13:00, so it cannot be of 13:11.
    story(
        |f| f.set(2, "at", json!(at("13:10:01"))),
        Step::Times,
        "events/0003.json",
    );
    let mut fixture = Fixture::new();
    fixture.set(SIGNED_UP, "at", json!(at("10:50:00")));
    fixture.set(2, "at", json!(at("13:10:00")));
    fixture.check().unwrap();
}

#[test]
fn an_anchor_of_a_log_that_was_rewritten_is_refused() {
    // The authority saw another log of 350 entries: one that the bundle's log does not continue.
    let mut seen = Fixture::new();
    seen.set(CONFIRMED, "grade", json!("code"));
    let other = seen.leaves();
    let mut parts = Fixture::new().parts();
    let ranges = consistency_ranges(350, 420);
    let forged = ranges.into_iter().map(|part| range(&other, part)).collect();
    parts.anchors[1] = anchor("between", checkpoint(&other, 350), at("13:00:00"), forged);
    let check = |parts: &Parts| {
        let files = crate::ledger::bundle::files(parts, &key()).unwrap();
        verify_files(&files, true, Known::default())
    };
    refused(check(&parts), Step::Anchors, "anchors/between.checkpoint");
    // The proof of the honest log does not help it.
    parts.anchors[1].consistency = Fixture::new().parts().anchors[1].consistency.clone();
    refused(check(&parts), Step::Anchors, "anchors/between.checkpoint");
    // Nor does the same size as the bundle's.
    let mut parts = Fixture::new().parts();
    parts.anchors[2] = anchor("last", checkpoint(&other, 420), at("15:00:00"), Vec::new());
    refused(check(&parts), Step::Anchors, "anchors/last.checkpoint");
}

#[test]
fn an_anchor_of_another_log_or_of_other_bytes_is_refused() {
    let swap = |files: &mut Files| {
        let one = files["anchors/before.tsr"].clone();
        files.insert("anchors/between.tsr".to_owned(), one);
    };
    changed(swap, Step::Anchors, "anchors/between.tsr");
    for ending in ["checkpoint", "tsr", "pem"] {
        let file = format!("anchors/before.{ending}");
        let drop = |files: &mut Files| {
            files.remove(&file);
        };
        changed(drop, Step::Anchors, &file);
    }
    let foreign = |files: &mut Files| {
        let key = SigningNoteKey::new("example.org/other", &[1; 32]).unwrap();
        let text = String::from_utf8(files["anchors/before.checkpoint"].clone()).unwrap();
        let body = text[..text.find("\n\n").unwrap() + 1].to_owned();
        files.insert(
            "anchors/before.checkpoint".to_owned(),
            key.sign(&body).into(),
        );
    };
    changed(foreign, Step::Anchors, "anchors/before.checkpoint");
    // An anchor of a larger log than the bundle's.
    let larger = |files: &mut Files| {
        let mut fixture = Fixture::new();
        fixture.size = 430;
        let note = checkpoint(&fixture.leaves(), 430);
        files.insert("anchors/last.checkpoint".to_owned(), note.into());
    };
    changed(larger, Step::Anchors, "anchors/last.checkpoint");
    for (from, to) in [
        ("\"to\":420", "\"to\":421"),
        ("\"from\":200", "\"from\":201"),
        ("}\n", "}"),
        ("{\"proofs\"", "{ \"proofs\""),
    ] {
        let rewrite = |files: &mut Files| {
            let file = files.get_mut("consistency.json").unwrap();
            let text = String::from_utf8(file.clone()).unwrap();
            *file = text.replace(from, to).into_bytes();
        };
        changed(rewrite, Step::Anchors, "consistency.json");
    }
}

#[test]
fn a_manifest_that_is_not_the_logs_own_is_refused() {
    let files = Fixture::new().files();
    let text = |files: &Files| String::from_utf8(files[MANIFEST].clone()).unwrap();
    let body = |files: &Files| {
        let text = text(files);
        text[..text.find("\n\n").unwrap() + 1].to_owned()
    };
    let with = |manifest: String| {
        let mut files = files.clone();
        files.insert(MANIFEST.to_owned(), manifest.into_bytes());
        verify_files(&files, true, Known::default())
    };
    let sign = |text: &str| key().sign(text);
    assert!(with(sign(&body(&files))).is_ok());
    let stranger = SigningNoteKey::new(ORIGIN, &[4; 32]).unwrap();
    for manifest in [
        stranger.sign(&body(&files)),
        // A second signature line, which nothing checks.
        sign(&body(&files)) + stranger.sign("x\n").lines().last().unwrap() + "\n",
        sign(&body(&files).replace("origin example.org/log", "origin example.org/other")),
        sign(&body(&files).replace(
            "made 2026-11-23T16:00:00.000000Z",
            "made 2026-11-23T16:00:00Z",
        )),
        sign(&(body(&files) + "one more line\n")),
        sign(&body(&files).replace("bundle/v1", "bundle/v2")),
    ] {
        refused(with(manifest), Step::Manifest, MANIFEST);
    }
    let mut lines: Vec<String> = body(&files).lines().map(str::to_owned).collect();
    let last = lines.len() - 1;
    lines.swap(last, last - 1);
    refused(
        with(sign(&(lines.join("\n") + "\n"))),
        Step::Manifest,
        MANIFEST,
    );
    // Another contact than the events'.
    let other = body(&files).replace(&CONTACT.to_string(), &Uuid::from_u128(1).to_string());
    refused(with(sign(&other)), Step::Events, "events/0001.json");
}

#[test]
fn a_checkpoint_of_another_key_or_with_more_lines_is_refused() {
    let note = |text: &str, key: SigningNoteKey| {
        let text = text.to_owned();
        move |files: &mut Files| {
            files.insert("checkpoint".to_owned(), key.sign(&text).into_bytes());
        }
    };
    let files = Fixture::new().files();
    let whole = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let body = whole[..whole.find("\n\n").unwrap() + 1].to_owned();
    let stranger = SigningNoteKey::new(ORIGIN, &[4; 32]).unwrap();
    changed(note(&body, stranger), Step::Checkpoint, "checkpoint");
    changed(
        note(&(body.clone() + "extension\n"), key()),
        Step::Checkpoint,
        "checkpoint",
    );
    changed(
        note(&body.replace(ORIGIN, "example.org/other"), key()),
        Step::Checkpoint,
        "checkpoint",
    );
}

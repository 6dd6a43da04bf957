//! Reading reports: a corpus of real ones, and what must not be read as one.

use std::path::PathBuf;

use countersign::domain::fate::{Severity, is_complaint};
use countersign::mail::bounce::{Action, Delivery, Kind, MESSAGE_AT_MOST, Report, read};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/bounces");

/// A message of the corpus, with what its own expectations say (see `SOURCE.txt` beside it for where it is from).
struct Sample {
    name: String,
    bytes: Vec<u8>,
    reasons: Vec<String>,
    hard: bool,
}

fn samples() -> Vec<Sample> {
    let path = PathBuf::from(FOLDER);
    let expected = std::fs::read(path.join("expected.json"))
        .unwrap_or_else(|error| panic!("{FOLDER}: {error}"));
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let mut samples: Vec<Sample> = expected
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, told)| {
            let told = told.as_array().unwrap();
            Sample {
                name: name.clone(),
                bytes: std::fs::read(path.join(format!("{name}.eml"))).unwrap(),
                reasons: told
                    .iter()
                    .map(|one| one["reason"].as_str().unwrap().to_owned())
                    .collect(),
                hard: told.iter().any(|one| one["hardbounce"] == true),
            }
        })
        .collect();
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(samples.len() > 80, "only {} samples", samples.len());
    samples
}

fn worst(report: &Report) -> Option<Severity> {
    let Kind::Delivery(told) = &report.kind else {
        return None;
    };
    worst_of(told)
}

fn worst_of(told: &[Delivery]) -> Option<Severity> {
    let failed = told.iter().filter(|one| one.action == Action::Failed);
    failed
        .map(Delivery::severity)
        .max_by_key(|severity| *severity == Severity::Hard)
}

#[test]
fn every_feedback_report_of_the_corpus_is_read_as_one_and_complaints_are_told_apart() {
    let mut seen = 0;
    // One provider forwards the mail as it is instead: that is no report by the standard.
    let by_the_standard = |one: &&Sample| {
        let text = String::from_utf8_lossy(&one.bytes).to_lowercase();
        one.name.starts_with("arf-") && text.contains("message/feedback-report")
    };
    for sample in samples().iter().filter(by_the_standard) {
        let read = read(&sample.bytes);
        let Some(Report {
            kind: Kind::Feedback(kind),
            ..
        }) = read
        else {
            panic!("{}: {read:?}", sample.name);
        };
        assert!(
            sample.reasons.iter().all(|reason| reason == "feedback"),
            "{}",
            sample.name
        );
        let wanted = ["abuse", "opt-out", "auth-failure"].contains(&kind.as_str());
        assert!(wanted, "{}: {kind}", sample.name);
        assert_eq!(is_complaint(&kind), kind != "auth-failure");
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn what_is_taken_for_good_is_for_good_by_the_corpus_too() {
    let (mut reports, mut hard) = (0, 0);
    for sample in samples().iter().filter(|one| !one.name.starts_with("arf-")) {
        let Some(report) = read(&sample.bytes) else {
            continue;
        };
        reports += 1;
        if worst(&report) == Some(Severity::Hard) {
            hard += 1;
            assert!(
                sample.hard,
                "{}: {:?} for {:?}",
                sample.name, report.kind, sample.reasons
            );
        }
    }
    assert!(
        reports >= 30,
        "only {reports} of the corpus are delivery reports by RFC 3464"
    );
    assert!(hard >= 6, "only {hard} are taken for good");
}

#[test]
fn a_disabled_mailbox_is_not_for_good_by_the_corpus_either() {
    let mut seen = 0;
    for sample in samples() {
        let Some(Report {
            kind: Kind::Delivery(told),
            ..
        }) = read(&sample.bytes)
        else {
            continue;
        };
        if told.iter().any(|one| one.status == "5.2.1") {
            seen += 1;
            assert!(!sample.hard, "{}: {:?}", sample.name, sample.reasons);
            assert_ne!(worst_of(&told), Some(Severity::Hard), "{}", sample.name);
        }
    }
    assert!(seen >= 1, "{seen}");
}

#[test]
fn of_messages_that_are_no_report_by_the_standard_nothing_is_guessed() {
    // Servers that write a letter to a person instead: what it says is not acted upon.
    let letters = samples();
    let letters = letters.iter().filter(|one| {
        let text = String::from_utf8_lossy(&one.bytes).to_lowercase();
        !text.contains("message/delivery-status")
            && !text.contains("message/feedback-report")
            && !text.contains("global-delivery-status")
    });
    let mut seen = 0;
    for letter in letters {
        assert_eq!(read(&letter.bytes), None, "{}", letter.name);
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn every_beginning_of_every_sample_is_read_without_harm() {
    for sample in samples() {
        for end in (0..sample.bytes.len().min(6_000)).step_by(97) {
            let _ = read(&sample.bytes[..end]);
        }
    }
}

#[test]
fn a_huge_or_strange_message_is_none() {
    assert_eq!(read(&vec![b'a'; MESSAGE_AT_MOST + 1]), None);
    assert_eq!(read(b""), None);
    assert_eq!(read(&[0xff; 4_000]), None);
    let deep = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(2_000);
    let _ = read(deep.as_bytes());
    let fields = format!(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n{}",
        "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; x\r\n\r\n".repeat(10_000)
    );
    let report = read(fields.as_bytes()).unwrap();
    let Kind::Delivery(told) = report.kind else {
        panic!()
    };
    assert!(told.len() <= 100);
}

#[test]
fn a_status_that_says_nothing_gives_way_to_the_servers_own_words() {
    let message =
        super::bounces::report("x@y.example", "failed", "5.0.0", "550 5.1.1 user unknown");
    let Kind::Delivery(told) = read(message.as_bytes()).unwrap().kind else {
        panic!()
    };
    assert_eq!(told[0].status, "5.1.1");
    let message = super::bounces::report("x@y.example", "failed", "5.0.0", "451 4.7.1 later");
    let Kind::Delivery(told) = read(message.as_bytes()).unwrap().kind else {
        panic!()
    };
    assert_eq!(
        told[0].status, "5.0.0",
        "of another class it is another matter"
    );
}

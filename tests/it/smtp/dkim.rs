//! DKIM signatures, verified by Debian's python3-dkim.

use countersign::mail::dkim::{DkimKey, DkimProblem};

use super::packaged::Scratch;
use super::peers::{MESSAGE, is_left_out};

/// 2026-11-23, in the past of whoever runs this: a verifier may refuse signatures from the future.
const NOW: u64 = 1_795_435_200;

/// Reads a message and verifies each way in which it may not be changed, with a fixed answer from DNS.
const VERIFY: &str = r#"
import sys, dkim
record = ("v=DKIM1; k=%s; p=%s" % (sys.argv[1], sys.argv[2])).encode()
def answer(name, timeout=5):
    assert name == b"mail2026._domainkey.example.org.", name
    return record
message = open("message", "rb").read()
def verify(message):
    return dkim.verify(message, dnsfunc=answer, minkey=1024)
assert verify(message), "as signed"
assert verify(message.replace(b"Subject: ", b"subject:   ", 1)), "relaxed header"
assert verify(message + b"\r\n\r\n"), "relaxed body"
for old, new in [
    (b"Please confirm", b"Please pay"), (b"\r\nHello", b"\r\nHowdy"), (b"ann@example.net", b"bob@example.net"),
    (b"bye\r\n", b"bye\r\nmore\r\n"), (b"From: ", b"From: x@example.org\r\nFrom: "),
    (b"\r\n\r\nHello", b"\r\nSubject: Second\r\n\r\nHello"), (b"<1@example", b"<2@example"),
    (b"One-Click", b"Two-Clicks"), (b"auto-generated", b"no"), (b"text/plain", b"text/html"),
]:
    changed = message.replace(old, new, 1)
    assert changed != message, old
    assert not verify(changed), old
print("verified")
"#;

async fn key(scratch: &Scratch, command: &str) -> Vec<u8> {
    scratch
        .run("openssl", &command.split_whitespace().collect::<Vec<_>>())
        .await;
    std::fs::read(scratch.path().join("key.pem")).unwrap()
}

fn message() -> Vec<u8> {
    let more: &[u8] = b"Auto-Submitted: auto-generated\r\n\
        List-Unsubscribe: <https://example.org/u/abc>,\r\n <mailto:u@example.org>\r\n\
        List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
    [more, MESSAGE].concat()
}

#[tokio::test]
async fn both_algorithms_verify_with_another_implementation() {
    if is_left_out("DKIM against python3-dkim") {
        return;
    }
    for (command, algorithm) in [
        ("genpkey -algorithm ed25519 -out key.pem", "ed25519"),
        (
            "genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out key.pem",
            "rsa",
        ),
        ("genrsa -traditional -out key.pem 2048", "rsa"),
    ] {
        let scratch = Scratch::new();
        let key =
            DkimKey::from_pem(&key(&scratch, command).await, "mail2026", "example.org").unwrap();
        let field = key.sign(&message(), NOW).unwrap();
        std::fs::write(scratch.path().join("message"), [field, message()].concat()).unwrap();
        let record = key.dns_record();
        let (kind, public) = record
            .strip_prefix("v=DKIM1; k=")
            .unwrap()
            .split_once("; p=")
            .unwrap();
        assert_eq!(
            (kind, public),
            (algorithm, published(&scratch, algorithm).await.as_str())
        );
        let arguments = ["-c", VERIFY, kind, public];
        let said = scratch.run("/usr/bin/python3", &arguments).await;
        assert_eq!(said, "verified\n");
    }
}

/// The public key as openssl knows it, in the form of the record (RFC 6376, section 3.6.1; RFC 8463, section 4).
async fn published(scratch: &Scratch, algorithm: &str) -> String {
    let command = "pkey -in key.pem -pubout -outform DER -out public.der";
    scratch
        .run("openssl", &command.split(' ').collect::<Vec<_>>())
        .await;
    let der = std::fs::read(scratch.path().join("public.der")).unwrap();
    let start = if algorithm == "ed25519" {
        der.len() - 32
    } else {
        0
    };
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(&der[start..])
}

/// An Ed25519 key made for this test alone.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn a_signature_names_what_it_covers_and_has_no_length() {
    let key = DkimKey::from_pem(KEY.as_bytes(), "mail2026", "example.org").unwrap();
    let field = String::from_utf8(key.sign(&message(), NOW).unwrap()).unwrap();
    assert!(field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; s=mail2026; d=example.org;"));
    assert!(field.ends_with(";\r\n"), "{field}");
    for line in field.lines() {
        assert!(line.len() <= 100, "{line}");
    }
    let tags: Vec<(&str, String)> = field["DKIM-Signature: ".len()..]
        .split(';')
        .filter_map(|tag| tag.trim().split_once('='))
        .map(|(name, value)| (name, value.split_whitespace().collect()))
        .collect();
    let tag = |name: &str| {
        tags.iter()
            .find(|(tag, _)| *tag == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(
        (tag("c"), tag("l"), tag("t")),
        (Some("relaxed/relaxed"), None, Some("1795435200"))
    );
    let covered = tag("h").unwrap().to_ascii_lowercase();
    for name in [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "auto-submitted",
        "list-unsubscribe",
        "list-unsubscribe-post",
    ] {
        let count = covered
            .split(':')
            .filter(|covered| *covered == name)
            .count();
        assert_eq!(
            count, 2,
            "{name} is covered once more than it occurs: {covered}"
        );
    }
    assert_eq!(
        key.sign(&message(), NOW).unwrap(),
        field.as_bytes(),
        "the clock is the caller's"
    );
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let key = DkimKey::from_pem(KEY.as_bytes(), "mail2026", "example.org").unwrap();
    for message in [
        "",
        "To: a@example.org\r\n\r\nx\r\n",
        "From a\r\n\r\n",
        "Fr\u{f6}m: a\r\n\r\n",
    ] {
        assert_eq!(
            key.sign(message.as_bytes(), NOW),
            Err(DkimProblem::Message),
            "{message:?}"
        );
    }
    let problem = |pem: &[u8], selector, domain| DkimKey::from_pem(pem, selector, domain).err();
    assert_eq!(problem(b"no key", "a", "b"), Some(DkimProblem::Key));
    for (selector, domain) in [("", "b"), ("a; x=1", "b"), ("a", "b\r\nc"), ("a", "b..c")] {
        assert_eq!(
            problem(KEY.as_bytes(), selector, domain),
            Some(DkimProblem::Name)
        );
    }
    assert!(!format!("{key:?}").contains("MC4"));
}

#[tokio::test]
async fn a_short_key_is_refused() {
    if is_left_out("a DKIM key by openssl") {
        return;
    }
    let scratch = Scratch::new();
    for command in [
        "genrsa -traditional -out key.pem 1024",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
    ] {
        let pem = key(&scratch, command).await;
        assert_eq!(
            DkimKey::from_pem(&pem, "a", "b").err(),
            Some(DkimProblem::Key),
            "{command}"
        );
    }
}

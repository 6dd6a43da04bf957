//! Where passkeys may live. What is refused of answers is tested through the pages (`tests/it/admin/passkeys.rs`).

use super::*;

#[test]
fn passkeys_live_at_a_name_over_https_or_at_localhost() {
    for (url, id, origin) in [
        (
            "https://confirm.example.org",
            "confirm.example.org",
            "https://confirm.example.org",
        ),
        (
            "https://Confirm.Example.org:443",
            "confirm.example.org",
            "https://confirm.example.org",
        ),
        (
            "https://confirm.example.org:8443",
            "confirm.example.org",
            "https://confirm.example.org:8443",
        ),
        (
            "http://localhost:8080",
            "localhost",
            "http://localhost:8080",
        ),
        (
            "http://signup.localhost",
            "signup.localhost",
            "http://signup.localhost",
        ),
    ] {
        let home = Home::of(url).unwrap();
        assert_eq!(
            (home.id.as_ref(), home.origin.as_str()),
            (id, origin),
            "{url}"
        );
    }
    for (url, why) in [
        ("http://127.0.0.1:8080", NoHome::Address),
        ("https://192.0.2.1", NoHome::Address),
        ("https://[2001:db8::1]:8443", NoHome::Address),
        ("http://confirm.example.org", NoHome::Plain),
        ("https://confirm..example.org", NoHome::Name),
        ("https://bücher.example", NoHome::Name),
        ("confirm.example.org", NoHome::Name),
    ] {
        assert_eq!(Home::of(url).unwrap_err(), why, "{url}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_nothing_panics() {
    let home = Home::of("https://confirm.example.org").unwrap();
    let operator = OperatorId(uuid::Uuid::from_u128(7));
    let asked = ask_to_make(&home, operator, "olga", &[]).unwrap();
    for answer in [
        "",
        "null",
        "{}",
        "{\"response\":{}}",
        "{\"response\":{\"clientDataJSON\":\"e30\",\"attestationObject\":\"oA\"}}",
    ] {
        assert!(made(&home, &asked.state, answer).is_err(), "{answer}");
        assert!(
            signed(&home, operator, &[], &asked.state, answer).is_err(),
            "{answer}"
        );
    }
    for cut in 0..asked.state.len() {
        assert_eq!(
            made(&home, &asked.state[..cut], "{}").unwrap_err(),
            Refusal::Unreadable
        );
    }
    assert_eq!(ask_to_sign(&home, &[]).unwrap_err(), Refusal::Unknown);
}

use super::authority::Authority;
use super::*;

const STAMPED: &[u8] = b"example.org/log\n1\nAAAA\n";
const NONCE: u64 = 0x8000_0000_0000_0001;

fn at() -> Timestamp {
    Timestamp::parse("2026-11-23T17:34:05.000420Z").unwrap()
}

fn answered(nonce: u64) -> (Authority, Vec<u8>) {
    let authority = Authority::from_secret(&[7; 32]);
    let response = authority.respond(&request(STAMPED, nonce, None).unwrap(), at());
    (authority, response)
}

fn roots(authority: &Authority) -> Vec<Certificate> {
    Certificate::all_from_pem(authority.root_pem().as_bytes()).unwrap()
}

fn against(response: &[u8], trusted: &[Certificate]) -> Result<Stamp, TimestampProblem> {
    let asked = Asked {
        nonce: Some(NONCE),
        policy: None,
    };
    let certificates = Certificates {
        trusted,
        beside: &[],
    };
    check(response, STAMPED, asked, certificates)
}

#[test]
fn the_demo_authority_stamps_and_says_what_it_is() {
    let (authority, response) = answered(NONCE);
    let trusted = roots(&authority);
    let stamp = against(&response, &trusted).unwrap();
    assert_eq!(stamp.at, at());
    assert_eq!(stamp.policy, "2.999.3161");
    assert_eq!(
        stamp.authority,
        "countersign demo authority - proves nothing to others"
    );
    assert_eq!(stamp.root_fingerprint, trusted[0].fingerprint());
    assert!(!stamp.root_on_trust);
    assert!(stamp.certificates_pem.ends_with(&authority.root_pem()));
    let chain = Certificate::all_from_pem(stamp.certificates_pem.as_bytes()).unwrap();
    assert_eq!(chain.len(), 2);
    let alone = against(&response, &[]).unwrap();
    assert!(alone.root_on_trust);
    assert_eq!(alone.root_fingerprint, stamp.root_fingerprint);
}

#[test]
fn times_are_written_without_zeros_at_their_end() {
    for text in [
        "2026-11-23T17:34:05.000420Z",
        "2026-11-23T17:34:00.000000Z",
        "2026-11-23T10:00:00.500000Z",
        "2030-10-10T10:10:10.000000Z",
    ] {
        let at = Timestamp::parse(text).unwrap();
        let authority = Authority::from_secret(&[7; 32]);
        let response = authority.respond(&request(STAMPED, NONCE, None).unwrap(), at);
        assert_eq!(
            against(&response, &roots(&authority)).unwrap().at,
            at,
            "{text}"
        );
    }
}

#[test]
fn any_changed_byte_of_a_response_is_refused() {
    let (authority, response) = answered(NONCE);
    let trusted = roots(&authority);
    against(&response, &trusted).unwrap();
    // The status alone is signed by nobody, and granted (0) and granted with modifications (1) are as good.
    let status = response.windows(3).position(|at| at == [2, 1, 0]).unwrap() + 2;
    for at in 0..response.len() {
        for bit in [0x01, 0x40, 0x80] {
            let mut changed = response.clone();
            changed[at] ^= bit;
            let holds = against(&changed, &trusted).is_ok();
            assert_eq!(holds, (at, bit) == (status, 1), "byte {at} with {bit:#x}");
        }
        let mut short = response.clone();
        short.remove(at);
        assert!(against(&short, &trusted).is_err(), "byte {at} removed");
    }
    let longer = [&response[..], &[0]].concat();
    assert_eq!(against(&longer, &trusted), Err(TimestampProblem::Form));
}

#[test]
fn what_was_asked_for_must_be_answered() {
    let (authority, response) = answered(NONCE);
    let trusted = roots(&authority);
    let certificates = Certificates {
        trusted: &trusted,
        beside: &[],
    };
    let checked = |stamped: &[u8], asked: Asked<'_>| check(&response, stamped, asked, certificates);
    assert_eq!(
        checked(b"other bytes", Asked::default()),
        Err(TimestampProblem::Imprint)
    );
    for nonce in [0, 1, NONCE + 1] {
        let asked = Asked {
            nonce: Some(nonce),
            policy: None,
        };
        assert_eq!(checked(STAMPED, asked), Err(TimestampProblem::Nonce));
    }
    let asked = Asked {
        nonce: None,
        policy: Some("1.2.3"),
    };
    assert!(matches!(
        checked(STAMPED, asked),
        Err(TimestampProblem::Policy { .. })
    ));
    assert!(checked(STAMPED, Asked::default()).is_ok());
}

#[test]
fn another_root_is_refused_even_by_the_same_name() {
    let (_, response) = answered(NONCE);
    let other = roots(&Authority::from_secret(&[8; 32]));
    assert!(matches!(
        against(&response, &other),
        Err(TimestampProblem::Unknown { .. } | TimestampProblem::Chain { .. })
    ));
}

#[test]
fn the_demo_authority_refuses_in_the_words_of_the_standard() {
    let authority = Authority::from_secret(&[7; 32]);
    let trusted = roots(&authority);
    let refused = |request: &[u8]| match against(&authority.respond(request, at()), &trusted) {
        Err(TimestampProblem::Rejected(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(b"nonsense"),
        "rejected, it could not read the request"
    );
    assert_eq!(
        refused(&request(STAMPED, 1, Some("1.2.3")).unwrap()),
        "rejected, it does not know the policy"
    );
    let mut other_hash = request(STAMPED, 1, None).unwrap();
    let at = other_hash
        .windows(oid::SHA_256.len())
        .position(|at| at == oid::SHA_256)
        .unwrap();
    other_hash[at + oid::SHA_256.len() - 1] = 2;
    assert_eq!(refused(&other_hash), "rejected, it does not know the hash");
    assert!(request(STAMPED, 1, Some("one.two")).is_err());
}

#[test]
fn hostile_bytes_are_refused_and_nothing_more() {
    for bytes in [
        &b""[..],
        &[0x30],
        &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0; 64],
    ] {
        assert_eq!(against(bytes, &[]), Err(TimestampProblem::Form));
    }
    assert_eq!(
        against(&vec![0; RESPONSE_AT_MOST + 1], &[]),
        Err(TimestampProblem::Large)
    );
    for pem in [
        &b""[..],
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
    ] {
        assert!(matches!(
            Certificate::all_from_pem(pem),
            Err(TimestampProblem::Pem(_))
        ));
    }
}

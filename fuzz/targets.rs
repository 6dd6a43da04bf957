//! What must hold of readers whatever bytes come in. Each target panics where it does not.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::OnceLock;

use countersign::domain::email_address::{AddressRules, EmailAddress, clean_name};
use countersign::domain::keys::Keys;
use countersign::domain::policy::{Source, Zone};
use countersign::domain::time::Timestamp;
use countersign::domain::token::Purpose;
use countersign::intake::candidate::{Batch, Reading};
use countersign::intake::formula::{neutralised, taken_back};
use countersign::intake::header::Columns;
use countersign::intake::{Options, Rows};
use countersign::ledger::timestamp::authority::Authority;
use countersign::ledger::timestamp::{Asked, Certificate, Certificates, check, request, told};
use countersign::mail::bounce;

/// The longest address that SMTP takes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const ADDRESS_AT_MOST: usize = 254;
/// Rows of a list that are read.
const ROWS: usize = 10_000;

/// Every way to sign.
const PURPOSES: [Purpose; 8] = [
    Purpose::Confirm,
    Purpose::About,
    Purpose::Inbox,
    Purpose::Browser,
    Purpose::PageOpened,
    Purpose::Device,
    Purpose::Unsubscribe,
    Purpose::Preferences,
];

/// An address reads as itself again, folds to one key only, and cannot leave its line; a name is one that a mail may say.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for any_domain in [false, true] {
        let rules = AddressRules { any_domain };
        let Ok(address) = EmailAddress::parse(&text, &rules) else {
            continue;
        };
        let deliverable = address.deliverable();
        assert!(deliverable.len() <= ADDRESS_AT_MOST, "{deliverable}");
        let steers =
            |letter: char| letter.is_control() || letter.is_whitespace() || "<>".contains(letter);
        assert!(!deliverable.contains(steers), "{deliverable:?}");
        for again in [deliverable, address.key()] {
            let again = EmailAddress::parse(again, &rules);
            assert!(
                again
                    .as_ref()
                    .is_ok_and(|again| again.key() == address.key()),
                "{:?} {again:?}",
                address.key()
            );
        }
        assert!(!address.masked().contains(steers));
        let _ = (
            address.mailbox(),
            address.is_role(),
            address.display(),
            address.suggestion(),
        );
    }
    if let Some(name) = clean_name(&text) {
        let is_plain = |letter: char| !letter.is_control() && !"<>\"@:/\\&".contains(letter);
        assert!(name.chars().all(is_plain), "{name:?}");
    }
}

fn keys() -> &'static (Keys, String) {
    static KEYS: OnceLock<(Keys, String)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let secret: Vec<u8> = (0..32).collect();
        let keys = Keys::derive(&[secret.into()]).unwrap();
        let token = keys.sign(Purpose::Confirm, 7, uuid::Uuid::from_u128(7), END);
        (keys, token)
    })
}

const END: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// No text but the very token is taken, and that one for its own purpose only.
pub fn token(data: &[u8]) {
    let (keys, genuine) = keys();
    let text = String::from_utf8_lossy(data);
    for purpose in PURPOSES {
        let taken = keys.verify(
            purpose,
            &text,
            END.minus(std::time::Duration::from_secs(60)),
        );
        let is_genuine = text == genuine.as_str() && purpose == Purpose::Confirm;
        assert_eq!(taken.is_ok(), is_genuine, "{text}");
    }
}

/// A message is a report or is none; what it says is on one line each.
pub fn report(data: &[u8]) {
    if let Some(report) = bounce::read(data) {
        let told = format!("{report:?}");
        assert!(
            told.len() < 1 << 20,
            "a report of {} characters",
            told.len()
        );
    }
}

/// A list ends, its broken lines are told, and a formula that was taken out of a cell comes back as it was.
pub fn list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(taken_back(&neutralised(&text)), text);
    let Some(file) = unnamed(data) else { return };
    let Ok(mut rows) = Rows::of(file, &Options::default()) else {
        return;
    };
    let Ok(header) = rows.header() else { return };
    let width = header.cells.len();
    let Ok(columns) = Columns::of(&header.cells, &[], Some(Source::Purchase)) else {
        return;
    };
    let reading = Reading {
        columns,
        batch: Batch::default(),
        order: None,
        rules: AddressRules { any_domain: true },
        proofs: None,
        zone: Zone::default(),
    };
    for row in rows.take(ROWS).map_while(Result::ok).flatten() {
        assert!(row.cells.len() <= width);
        let _ = reading.candidate(&row);
    }
}

/// The bytes as a file that nobody else sees.
fn unnamed(data: &[u8]) -> Option<std::fs::File> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("countersign-fuzz-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .ok()?;
    std::fs::remove_file(&path).ok()?;
    file.write_all(data).ok()?;
    file.seek(SeekFrom::Start(0)).ok()?;
    Some(file)
}

const STAMPED: &[u8] = b"example.org/log\n1\nAAAA\n";

fn authority() -> &'static (Vec<Certificate>, Vec<u8>) {
    static AUTHORITY: OnceLock<(Vec<Certificate>, Vec<u8>)> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let authority = Authority::from_secret(&[7; 32]);
        let trusted = Certificate::all_from_pem(authority.root_pem().as_bytes()).unwrap();
        let response = authority.respond(&request(STAMPED, 1, None).unwrap(), END);
        (trusted, response)
    })
}

/// No answer but that of the trusted authority stamps, and it says its own time.
pub fn timestamp(data: &[u8]) {
    let (trusted, genuine) = authority();
    for trusted in [trusted.as_slice(), &[]] {
        let certificates = Certificates {
            trusted,
            beside: &[],
        };
        if let Ok(stamp) = check(data, STAMPED, Asked::default(), certificates) {
            assert!(trusted.is_empty() || stamp.at == END, "{}", stamp.at);
        }
    }
    // Status, and words on it, are signed by nobody: the token is.
    if data == genuine.as_slice() {
        let certificates = Certificates {
            trusted,
            beside: &[],
        };
        assert!(check(data, STAMPED, Asked::default(), certificates).is_ok());
    }
    let _ = (
        told(data),
        Certificate::parse(data),
        Certificate::all_from_pem(data),
    );
}

/// Samples to begin with.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = match target {
        "address" => &[
            b"anna@example.org",
            b"Anna.O'Neil+news@Mail.Example.COM",
            "j\u{fc}rgen@m\u{fc}ller.example".as_bytes(),
            b"\"a b\"@example.org",
            b"a@[192.0.2.1]",
            b"info@xn--mller-kva.example",
            b"Anna Example <anna@example.org>",
        ],
        "token" => return vec![keys().1.as_bytes().to_vec()],
        "report" => &[
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nFrom: MAILER-DAEMON@mx.example\r\n\r\n\
              --b\r\nContent-Type: text/plain\r\n\r\nlost\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
              Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; anna@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\
              Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <x@example.org>\r\n\r\nhi\r\n--b--\r\n",
            b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nspam\r\n\
              --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n\
              --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <x@example.org>\r\n\r\nhi\r\n--b--\r\n",
        ],
        "list" => &[
            b"email,order,date\nanna@example.org,7,2026-01-01\n\"be\"\"n\"@example.org,8,01.02.2026\n",
            b"\xef\xbb\xbfE-Mail;Name\r\nanna@example.org;=1+1\r\n",
            b"\xff\xfee\0m\0a\0i\0l\0\n\0a\0@\0b\0.\0d\0e\0\n\0",
            b"email\tsource\tproof\n\"a\nb@example.org\"\tpurchase\t\n",
        ],
        "timestamp" => return vec![authority().1.clone()],
        _ => &[],
    };
    texts.iter().map(|text| text.to_vec()).collect()
}

//! RFC 3161 against the openssl program on both sides: its authority answers us, and it reads what ours answers.

use std::path::PathBuf;
use std::process::{Command, Output};

use countersign::domain::time::Timestamp;
use countersign::ledger::timestamp::authority::Authority;
use countersign::ledger::timestamp::{
    Asked, Certificate, Certificates, Stamp, TimestampProblem, check, request,
};

use crate::harness::Folder;

const STAMPED: &[u8] = b"example.org/log\n42\nq83vEjRWeJA=\n";
const NONCE: u64 = 0xFEDC_BA98_7654_3210;
const ASKED: Asked<'static> = Asked {
    nonce: Some(NONCE),
    policy: None,
};
/// The policies that the authority of these tests knows; the first is its default.
const POLICIES: [&str; 2] = ["1.2.3.4.1", "1.2.3.4.5.6"];

pub fn is_left_out() -> bool {
    let quick = std::env::var("COUNTERSIGN_TEST_QUICK").is_ok();
    if quick {
        eprintln!("left out in the quick check: timestamps by the openssl program");
    }
    quick
}

/// An authority that the openssl program plays: root, intermediate, signer.
pub struct OpenSsl(Folder);

/// How the authority is made.
#[derive(Clone, Copy)]
pub struct Kind {
    pub key: &'static str,
    pub hash: &'static str,
    pub usage: &'static str,
    /// `ts` section: which id names the signer's certificate, how fine its clock is.
    pub ess: &'static str,
    pub digits: u8,
    /// Validity of the signer's certificate, as `openssl ca` takes it.
    pub dates: &'static str,
}

pub const PLAIN: Kind = Kind {
    key: "rsa:2048",
    hash: "sha256",
    usage: "critical,timeStamping",
    ess: "sha256",
    digits: 0,
    dates: "-days 300",
};

impl OpenSsl {
    pub fn new(kind: Kind) -> Self {
        let made = Self(Folder::new());
        made.write("index.txt", b"");
        made.write("index.txt.attr", b"unique_subject = no\n");
        made.write("serial", b"1000\n");
        made.write("tsa-serial", b"01\n");
        made.write("ts.cnf", configuration(kind).as_bytes());
        let new_key = match kind.key.split_once(':') {
            Some(("ec", curve)) => format!("-newkey ec -pkeyopt ec_paramgen_curve:{curve}"),
            _ => format!("-newkey {}", kind.key),
        };
        made.run(&format!(
            "req -x509 {new_key} -nodes -days 3650 -{} -config ts.cnf -extensions root \
             -keyout root.key -out root.pem -subj /CN=Test-root",
            kind.hash
        ));
        for (name, section, by, dates) in [
            ("middle", "middle", "root", "-days 3000"),
            ("signer", "signer", "middle", kind.dates),
        ] {
            made.run(&format!(
                "req -new {new_key} -nodes -config ts.cnf -keyout {name}.key -out {name}.csr \
                 -subj /O=Tests/CN=Test-{name}"
            ));
            made.run(&format!(
                "ca -batch -notext -config ts.cnf -extensions {section} -cert {by}.pem -keyfile {by}.key \
                 -in {name}.csr -out {name}.pem {dates}"
            ));
        }
        made
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn try_run(&self, arguments: &str) -> Output {
        Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(&self.0.0)
            .output()
            .expect("openssl is needed for this test; ./check installs it")
    }

    pub fn run(&self, arguments: &str) -> String {
        let output = self.try_run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Answers our own request.
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.write("request.tsq", request);
        self.run(
            "ts -reply -config ts.cnf -queryfile request.tsq -signer signer.pem -inkey signer.key \
             -chain middle.pem -out response.tsr",
        );
        self.read("response.tsr")
    }

    fn stamped(&self) -> Vec<u8> {
        self.answer(&request(STAMPED, NONCE, None).unwrap())
    }

    /// The `TSTInfo` of a good token.
    fn content(&self) -> Vec<u8> {
        self.content_for(&request(STAMPED, NONCE, None).unwrap())
    }

    /// The `TSTInfo` of the token that this request gets.
    pub fn content_for(&self, request: &[u8]) -> Vec<u8> {
        self.answer(request);
        self.run("ts -reply -in response.tsr -token_out -out token.der");
        self.run("cms -verify -noverify -inform DER -in token.der -out info.der");
        self.read("info.der")
    }

    /// A token over this content that the CMS part of the program signed, wrapped as granted.
    pub fn signed_by_cms(&self, info: &[u8], options: &str) -> Vec<u8> {
        self.write("info.der", info);
        self.run(&format!(
            "cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 -in info.der \
             -signer signer.pem -inkey signer.key -certfile middle.pem -md sha256 -outform DER -out signed.der {options}"
        ));
        let token = self.read("signed.der");
        let status = [0x30, 3, 2, 1, 0];
        let length = u16::try_from(token.len() + status.len()).unwrap();
        let mut response = vec![0x30, 0x82];
        response.extend_from_slice(&length.to_be_bytes());
        response.extend_from_slice(&status);
        response.extend_from_slice(&token);
        response
    }

    fn certificates(&self, name: &str) -> Vec<Certificate> {
        Certificate::all_from_pem(&self.read(name)).unwrap()
    }

    fn check(&self, response: &[u8]) -> Result<Stamp, TimestampProblem> {
        checked(response, &self.certificates("root.pem"))
    }
}

fn checked(response: &[u8], trusted: &[Certificate]) -> Result<Stamp, TimestampProblem> {
    let certificates = Certificates {
        trusted,
        beside: &[],
    };
    check(response, STAMPED, ASKED, certificates)
}

fn configuration(kind: Kind) -> String {
    format!(
        "[req]\ndistinguished_name=dn\n[dn]\n\
         [root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n\
         [middle]\nbasicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n\
         [signer]\nbasicConstraints=CA:false\nkeyUsage=critical,digitalSignature\n{}\n\
         [ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\ndefault_md={}\npolicy=p\n\
         [p]\ncommonName=supplied\norganizationName=optional\n\
         [tsa]\ndefault_tsa=t\n[t]\nserial=tsa-serial\ncrypto_device=builtin\nsigner_digest={}\ndefault_policy={}\n\
         other_policies={}\ndigests=sha256,sha512\naccuracy=secs:1\nclock_precision_digits={}\nordering=yes\n\
         tsa_name=yes\ness_cert_id_chain=no\ness_cert_id_alg={}\n",
        if kind.usage.is_empty() {
            String::new()
        } else {
            format!("extendedKeyUsage={}", kind.usage)
        },
        kind.hash,
        kind.hash,
        POLICIES[0],
        POLICIES[1],
        kind.digits,
        kind.ess,
    )
}

#[test]
fn openssl_reads_our_request() {
    if is_left_out() {
        return;
    }
    let folder = OpenSsl(Folder::new());
    folder.write(
        "request.tsq",
        &request(STAMPED, NONCE, Some("1.2.840.113549.1")).unwrap(),
    );
    let text = folder.run("ts -query -in request.tsq -text");
    for line in [
        "Version: 1",
        "Hash Algorithm: sha256",
        "Policy OID: RSA Data Security",
        "Nonce: 0xFEDCBA9876543210",
        "Certificate required: yes",
        "Extensions:",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    folder.write("stamped", STAMPED);
    let own = folder.run("ts -query -data stamped -sha256 -no_nonce -text");
    let imprint = |text: &str| {
        let lines = text.lines().filter(|line| line.contains(" - "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(imprint(&text), imprint(&own));
}

#[test]
fn tokens_of_every_kind_of_key_and_hash_are_accepted() {
    if is_left_out() {
        return;
    }
    for (key, hash, ess, digits) in [
        ("rsa:2048", "sha256", "sha1", 0),
        ("rsa:3072", "sha384", "sha256", 3),
        ("rsa:2048", "sha512", "sha512", 6),
        ("ec:P-256", "sha256", "sha1", 1),
        ("ec:P-256", "sha384", "sha384", 0),
        ("ec:P-384", "sha384", "sha256", 0),
        ("ec:P-256", "sha512", "sha256", 0),
        ("ec:P-384", "sha512", "sha256", 2),
    ] {
        let authority = OpenSsl::new(Kind {
            key,
            hash,
            ess,
            digits,
            ..PLAIN
        });
        let response = authority.stamped();
        let stamp = authority
            .check(&response)
            .unwrap_or_else(|problem| panic!("{key} {hash}: {problem}"));
        assert_eq!(stamp.authority, "Test-signer");
        assert_eq!(stamp.policy, POLICIES[0]);
        assert_eq!(stamp.serial, "02");
        assert_eq!(stamp.root_name, "Test-root");
        assert!(!stamp.root_on_trust);
        let chain = Certificate::all_from_pem(stamp.certificates_pem.as_bytes()).unwrap();
        let names: Vec<String> = chain.iter().map(Certificate::name).collect();
        assert_eq!(names, ["Test-signer", "Test-middle", "Test-root"]);
        // The file of certificates alone is enough, with its root taken on trust; and openssl takes the same file.
        let again = Certificates {
            trusted: &[],
            beside: &chain,
        };
        let alone = check(&response, STAMPED, ASKED, again).unwrap();
        assert!(alone.root_on_trust);
        assert_eq!(alone.certificates_pem, stamp.certificates_pem);
        authority.write("chain.pem", stamp.certificates_pem.as_bytes());
        authority.write("stamped", STAMPED);
        authority.run("ts -verify -data stamped -in response.tsr -CAfile chain.pem");
        let nothing = checked(&response, &[]);
        assert!(
            matches!(nothing, Err(TimestampProblem::Unknown { .. })),
            "{nothing:?}"
        );
    }
}

#[test]
fn fractions_of_a_second_are_kept_to_the_microsecond() {
    if is_left_out() {
        return;
    }
    let authority = OpenSsl::new(Kind { digits: 6, ..PLAIN });
    let mut fractions = 0;
    for _ in 0..5 {
        let response = authority.stamped();
        let stamp = authority.check(&response).unwrap();
        let text = authority.run("ts -reply -in response.tsr -text");
        let line = text
            .lines()
            .find(|line| line.starts_with("Time stamp:"))
            .unwrap();
        // "Nov 24 08:31:54.123456 2026 GMT"
        let shown = line.split_whitespace().nth(4).unwrap();
        let ours = stamp.at.to_string();
        assert!(ours.contains(shown), "{ours} and {line}");
        fractions += usize::from(stamp.at.micros() % 1_000_000 != 0);
    }
    assert!(fractions > 0);
}

#[test]
fn what_was_not_asked_for_is_refused() {
    if is_left_out() {
        return;
    }
    let authority = OpenSsl::new(PLAIN);
    let response = authority.stamped();
    let trusted = authority.certificates("root.pem");
    let certificates = Certificates {
        trusted: &trusted,
        beside: &[],
    };
    let with = |stamped: &[u8], asked| check(&response, stamped, asked, certificates);
    assert_eq!(with(b"other", ASKED), Err(TimestampProblem::Imprint));
    let other_nonce = Asked {
        nonce: Some(NONCE - 1),
        ..ASKED
    };
    assert_eq!(with(STAMPED, other_nonce), Err(TimestampProblem::Nonce));
    let other_policy = Asked {
        policy: Some(POLICIES[1]),
        ..ASKED
    };
    assert_eq!(
        with(STAMPED, other_policy),
        Err(TimestampProblem::Policy {
            wanted: POLICIES[1].to_owned(),
            found: POLICIES[0].to_owned()
        })
    );
    let asked = request(STAMPED, NONCE, Some(POLICIES[1])).unwrap();
    let response = authority.answer(&asked);
    check(&response, STAMPED, other_policy, certificates).unwrap();
    // Made with SHA-512, over the same bytes.
    authority.write("stamped", STAMPED);
    authority.run("ts -query -data stamped -sha512 -cert -out request.tsq");
    let response = authority.answer(&authority.read("request.tsq"));
    assert_eq!(
        check(&response, STAMPED, Asked::default(), certificates),
        Err(TimestampProblem::ImprintAlgorithm)
    );
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    if is_left_out() {
        return;
    }
    let authority = OpenSsl::new(PLAIN);
    let response = authority.answer(&request(STAMPED, NONCE, Some("1.2.3.4.9")).unwrap());
    let Err(TimestampProblem::Rejected(why)) = authority.check(&response) else {
        panic!("a refusal was accepted");
    };
    assert!(why.contains("it does not know the policy"), "{why}");
}

#[test]
fn any_changed_byte_of_a_token_is_refused() {
    if is_left_out() {
        return;
    }
    for key in ["rsa:2048", "ec:P-256"] {
        let authority = OpenSsl::new(Kind {
            key,
            digits: 3,
            ..PLAIN
        });
        let response = authority.stamped();
        let trusted = authority.certificates("root.pem");
        checked(&response, &trusted).unwrap();
        // Nothing signs the status, and granted (0) and granted with modifications (1) are as good.
        let status = response.windows(3).position(|at| at == [2, 1, 0]).unwrap() + 2;
        for at in 0..response.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = response.clone();
                changed[at] ^= bit;
                let holds = checked(&changed, &trusted).is_ok();
                assert_eq!(holds, (at, bit) == (status, 1), "byte {at} with {bit:#x}");
            }
        }
    }
}

#[test]
fn a_signer_whose_time_was_over_is_refused() {
    if is_left_out() {
        return;
    }
    let authority = OpenSsl::new(Kind {
        dates: "-startdate 20200101000000Z -enddate 20210101000000Z",
        ..PLAIN
    });
    let problem = authority.check(&authority.stamped()).unwrap_err();
    assert!(
        matches!(&problem, TimestampProblem::Expired { certificate, .. } if certificate == "Test-signer"),
        "{problem}"
    );
    assert!(problem.to_string().contains("2021-01-01"), "{problem}");
}

/// openssl's authority does not sign with such certificates, but its CMS does, over the same content.
#[test]
fn a_certificate_that_is_for_something_else_is_refused() {
    if is_left_out() {
        return;
    }
    let info = OpenSsl::new(PLAIN).content();
    for (usage, expected) in [
        ("", "it does not say so"),
        ("timeStamping", "the statement is not marked critical"),
        (
            "critical,timeStamping,codeSigning",
            "it is for something else as well",
        ),
        ("critical,serverAuth", "it is for something else"),
    ] {
        let authority = OpenSsl::new(Kind { usage, ..PLAIN });
        let response = authority.signed_by_cms(&info, "-cades");
        assert_eq!(
            authority.check(&response),
            Err(TimestampProblem::Usage(expected))
        );
    }
}

#[test]
fn tokens_of_other_makers_are_accepted_if_their_attributes_bind_the_signer() {
    if is_left_out() {
        return;
    }
    for (key, options) in [
        ("rsa:2048", ""),
        ("rsa:2048", "-keyid"),
        (
            "rsa:2048",
            "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32",
        ),
        ("ec:P-256", "-keyid"),
    ] {
        let authority = OpenSsl::new(Kind { key, ..PLAIN });
        // Made after the certificates, so that it lies in their time.
        let info = OpenSsl::new(PLAIN).content();
        let unbound = authority.signed_by_cms(&info, options);
        assert_eq!(
            authority.check(&unbound),
            Err(TimestampProblem::Attribute("signing-certificate"))
        );
        let bound = authority.signed_by_cms(&info, &format!("-cades {options}"));
        let checked = authority.check(&bound);
        assert!(checked.is_ok(), "{key} {options}: {checked:?}");
    }
    // Without certificates it needs them from elsewhere.
    let authority = OpenSsl::new(PLAIN);
    let bare = authority.signed_by_cms(&authority.content(), "-cades -nocerts");
    let trusted = authority.certificates("root.pem");
    assert_eq!(checked(&bare, &trusted), Err(TimestampProblem::NoSigner));
    let beside = [
        authority.certificates("signer.pem"),
        authority.certificates("middle.pem"),
    ]
    .concat();
    let certificates = Certificates {
        trusted: &trusted,
        beside: &beside,
    };
    check(&bare, STAMPED, ASKED, certificates).unwrap();
}

#[test]
fn another_root_is_refused() {
    if is_left_out() {
        return;
    }
    let (one, other) = (OpenSsl::new(PLAIN), OpenSsl::new(PLAIN));
    let response = one.stamped();
    let problem = other.check(&response).unwrap_err();
    assert!(
        matches!(
            problem,
            TimestampProblem::Unknown { .. } | TimestampProblem::Chain { .. }
        ),
        "{problem}"
    );
    // Beside the right one it does no harm.
    let mut both = other.certificates("root.pem");
    both.extend(one.certificates("root.pem"));
    checked(&response, &both).unwrap();
}

#[test]
fn openssl_verifies_what_the_demo_authority_answers() {
    if is_left_out() {
        return;
    }
    let authority = Authority::from_secret(&[42; 32]);
    let folder = OpenSsl(Folder::new());
    folder.write("stamped", STAMPED);
    folder.write("root.pem", authority.root_pem().as_bytes());
    let at = Timestamp::parse("2026-11-23T17:34:05.000042Z").unwrap();
    // Our request and openssl's own.
    folder.write("ours.tsq", &request(STAMPED, NONCE, None).unwrap());
    folder.run("ts -query -data stamped -sha256 -cert -out theirs.tsq");
    for query in ["ours.tsq", "theirs.tsq"] {
        folder.write("response.tsr", &authority.respond(&folder.read(query), at));
        for against in [format!("-queryfile {query}"), "-data stamped".to_owned()] {
            let said = folder.run(&format!(
                "ts -verify {against} -in response.tsr -CAfile root.pem -x509_strict"
            ));
            assert!(said.contains("Verification: OK"), "{said}");
        }
        let text = folder.run("ts -reply -in response.tsr -text");
        assert!(text.contains("Nov 23 17:34:05.000042 2026 GMT"), "{text}");
    }
    folder.write("response.tsr", &authority.respond(b"nonsense", at));
    let text = folder.run("ts -reply -in response.tsr -text");
    assert!(text.contains("Status: Rejected"), "{text}");
}

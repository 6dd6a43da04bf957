use super::*;
use crate::ledger::note::{COSIGNATURE, SigningNoteKey, Verifier};
use crate::mail::provider::sns::Topic;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, SettingsProblem> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::parse(text, environment, Path::new("/etc/countersign"))
}

#[test]
fn one_message_names_every_wrong_setting() {
    let problem = parse(
        "[server]\nlisten = \"here\"\nbase_url = \"http://example.org\"\ncolour = 1\n[smtp]\nport = 0\n",
        &[("COUNTERSIGN_SMTP_HSOT", "x")],
    )
    .unwrap_err()
    .to_string();
    for name in [
        "listen",
        "base_url",
        "colour",
        "port",
        "root",
        "COUNTERSIGN_SMTP_HSOT",
    ] {
        assert!(problem.contains(name), "{name} is missing in: {problem}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_a_secret_never_shows() {
    let config = parse(
        "[server]\nbase_url = \"https://a.example\"\n[smtp]\nuser = \"u\"\npassword = \"hunter2hunter2\"\n",
        &[
            ("COUNTERSIGN_SERVER_BASE_URL", "https://b.example/"),
            ("COUNTERSIGN_SECRETS_ROOT", SECRET),
            ("COUNTERSIGN_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ],
    )
    .unwrap();
    assert_eq!(config.base_url, "https://b.example");
    assert_eq!(config.trusted_proxies.len(), 2);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(SECRET));
}

#[test]
fn the_commented_file_is_read_back() {
    let file = commented_file(&[
        ("server", "base_url", "https://a.example".to_owned()),
        ("secrets", "root", SECRET.to_owned()),
    ]);
    let config = parse(&file, &[]).unwrap();
    assert_eq!(config.host(), "a.example");
    assert!(matches!(config.database, Location::Sqlite(path) if path.starts_with("/etc")));
}

#[test]
fn a_broken_file_is_refused_without_quoting_it() {
    let problem = parse("[secrets]\nroot = \"hunter2", &[]).unwrap_err();
    assert!(!problem.to_string().contains("hunter2"));
}

fn told_by(section: &str) -> Result<Hooks, String> {
    let text = format!(
        "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n[hook]\n{section}"
    );
    let config = parse(&text, &[]).map_err(|problem| problem.to_string())?;
    Ok(config.hooks)
}

#[test]
fn a_provider_is_set_up_by_what_it_is_known_by_and_wrong_values_say_what_to_give() {
    assert_eq!(told_by("").unwrap().providers().count(), 0);
    // A key on P-256 as SendGrid's settings show one.
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErPkxZDKLjDE8egDR1d0W1J3EDhdRdNGplWihSMUBhO+pZM63RFMJ14YZ7ujXbrtnNy2Nh/ZDqBnSXNjVbHepwg==";
    assert!(
        told_by(&format!("sendgrid_key = \"{key}\""))
            .unwrap()
            .sendgrid
            .is_some()
    );
    let all = told_by(
        "ses_topics = [\"arn:aws:sns:eu-west-1:123456789012:mail\", \"arn:aws-cn:sns:cn-north-1:123456789012:mail\"]\n\
         postmark_secret = \"01234567890123456789\"\nmailgun_key = \"key\"\n\
         brevo_secret = \"01234567890123456789\"\nbrevo_networks = [\"192.0.2.0/24\", \"2001:db8::1\"]\n",
    )
    .unwrap();
    let hosts: Vec<&str> = all
        .ses
        .iter()
        .flat_map(|ses| &ses.topics)
        .map(Topic::host)
        .collect();
    assert_eq!(
        hosts,
        [
            "sns.eu-west-1.amazonaws.com",
            "sns.cn-north-1.amazonaws.com.cn"
        ]
    );
    assert_eq!(all.brevo.as_ref().unwrap().networks.len(), 2);
    assert!(!format!("{all:?}").contains("0123456789012345678"));
    for (section, told) in [
        ("ses_topics = [\"mail\"]", "its ARN"),
        (
            "ses_topics = [\"arn:aws:sns:eu/west:123456789012:mail\"]",
            "its ARN",
        ),
        (
            "ses_topics = [\"arn:evil:sns:eu-west-1:123456789012:mail\"]",
            "its ARN",
        ),
        (
            "ses_gateway = \"https://sns.example\"",
            "give ses_topics too",
        ),
        (
            "ses_topics = [\"arn:aws:sns:eu-west-1:123456789012:mail\"]\nses_certificates = [\"/nowhere.pem\"]",
            "/nowhere.pem",
        ),
        (
            "ses_topics = [\"arn:aws:sns:eu-west-1:123456789012:mail\"]\nses_gateway = \"sns.example\"",
            "must begin with https://",
        ),
        ("postmark_secret = \"short\"", "20 characters"),
        (
            "postmark_networks = [\"192.0.2.0/24\"]",
            "give postmark_secret too",
        ),
        (
            "brevo_secret = \"01234567890123456789\"\nbrevo_networks = [\"here\"]",
            "is no network",
        ),
        ("sendgrid_key = \"MFkw\"", "is not the verification key"),
        (
            &format!("sendgrid_key = \"{}\"", key.replacen("DhdRdN", "AhdRdN", 1)),
            "is not the verification key",
        ),
    ] {
        let problem = told_by(section).unwrap_err();
        assert!(problem.contains(told), "{section}: {problem}");
    }
}

fn stamped_by(section: &str) -> Result<Timestamps, String> {
    let text = format!(
        "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n[timestamp]\n{section}"
    );
    let config = parse(&text, &[]).map_err(|problem| problem.to_string())?;
    Ok(config.timestamps)
}

#[test]
fn authorities_are_named_with_their_urls_and_policies_in_the_file_and_in_the_environment() {
    let read = stamped_by(
        "authorities = [\"one=https://one.example/tsr?a=b\", \"two.b=http://two.example\"]\n\
         policies = [\"two.b=1.2.3.4\"]\nevery_minutes = 5\n",
    )
    .unwrap();
    let found: Vec<_> = read
        .authorities
        .iter()
        .map(|a| (a.name.as_str(), a.url.as_str(), a.policy.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("one", "https://one.example/tsr?a=b", None),
            ("two.b", "http://two.example", Some("1.2.3.4"))
        ]
    );
    assert_eq!(read.every, Duration::from_secs(300));
    let config = parse(
        "[server]\nbase_url = \"https://a.example\"\n",
        &[
            ("COUNTERSIGN_SECRETS_ROOT", SECRET),
            (
                "COUNTERSIGN_TIMESTAMP_AUTHORITIES",
                "one=https://one.example, two=https://two.example/",
            ),
        ],
    )
    .unwrap();
    assert_eq!(config.timestamps.authorities.len(), 2);
}

#[test]
fn what_is_wrong_with_an_authority_is_told_at_the_start() {
    for (section, told) in [
        (
            "authorities = [\"https://one.example/\"]",
            "is not NAME=VALUE",
        ),
        (
            "authorities = [\"a b=https://one.example/\"]",
            "is not NAME=VALUE",
        ),
        (
            "authorities = [\"a=ftp://one.example/\"]",
            "must begin with",
        ),
        ("authorities = [\"a=http://127.0.0.1/\"]", "is this machine"),
        ("authorities = [\"a=http://10.0.0.1/\"]", "is private"),
        (
            "authorities = [\"a=https://one.example\", \"a=https://two.example\"]",
            "stands twice",
        ),
        (
            "authorities = [\"a=https://one.example\"]\npolicies = [\"a=one\"]",
            "no object identifier",
        ),
        (
            "authorities = [\"a=https://one.example\"]\nroots = [\"a=nowhere.pem\"]",
            "nowhere.pem",
        ),
        (
            "policies = [\"b=1.2.3\"]",
            "does not stand under authorities",
        ),
        ("every_minutes = 0", "every_minutes"),
    ] {
        let problem = stamped_by(section).unwrap_err();
        assert!(problem.contains(told), "{section}: {problem}");
    }
    let private = "authorities = [\"a=http://127.0.0.1/\"]\nallow_private = true";
    assert_eq!(stamped_by(private).unwrap().authorities.len(), 1);
}

/// The vkey of the same key for cosignatures (C2SP tlog-cosignature).
fn as_witness(log: &Verifier) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    let key = [&[COSIGNATURE][..], log.public_key()].concat();
    let hash = Sha256::digest([log.name.as_bytes(), b"\n", &key].concat());
    let id: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}+{id}+{}", log.name, STANDARD.encode(key))
}

#[test]
fn a_witness_is_its_key_and_its_url_and_what_is_wrong_with_it_is_told_at_the_start() {
    let read = |list: &str| {
        let text = format!(
            "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n[witness]\nwitnesses = [{list}]"
        );
        let config = parse(&text, &[]).map_err(|problem| problem.to_string())?;
        Ok::<_, String>(config.witnesses.witnesses)
    };
    let log = SigningNoteKey::new("w.example/1", &[9; 32])
        .unwrap()
        .verifier();
    let witness = as_witness(&log);
    let good = read(&format!("\"{witness} https://w.example/submit/\"")).unwrap();
    assert_eq!(
        (good[0].key.name.as_str(), good[0].url.as_str()),
        ("w.example/1", "https://w.example/submit")
    );
    for (list, told) in [
        (format!("\"{witness}\""), "with a space between"),
        (
            format!("\"{} https://w.example/\"", log.vkey()),
            "is a log's key",
        ),
        ("\"w.example+1+x https://w.example/\"".to_owned(), "no key"),
        (format!("\"{witness} http://10.0.0.1/\""), "is private"),
        (
            format!("\"{witness} https://w.example/?a=b\""),
            "must not hold a ?",
        ),
        (
            format!("\"{witness} https://a.example/\", \"{witness} https://b.example/\""),
            "stands twice",
        ),
    ] {
        let problem = read(&list).unwrap_err();
        assert!(problem.contains(told), "{list}: {problem}");
    }
}

#[test]
fn addresses_for_complaints_are_read_as_a_list_and_need_a_listener() {
    let with = |more: &str| {
        let text = format!(
            "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n[bounce]\n{more}\n"
        );
        parse(&text, &[])
    };
    let listen = "listen = \"127.0.0.1:2525\"\n";
    let one = with(&format!("{listen}feedback = \"FBL@acme.example\"")).unwrap();
    assert_eq!(one.bounces.feedback, ["fbl@acme.example"]);
    let two = with(&format!(
        "{listen}domain = \"bounces.acme.example\"\nfeedback = [\"fbl@acme.example\", \"abuse@acme.example\"]"
    ));
    assert_eq!(two.unwrap().bounces.feedback.len(), 2);
    let many = vec!["\"fbl@acme.example\""; 21].join(", ");
    for (wrong, says) in [
        (
            "feedback = \"fbl@acme.example\"".to_owned(),
            "give [bounce] listen too",
        ),
        (listen.to_owned(), "give [bounce] domain or feedback too"),
        (format!("{listen}feedback = \"fbl\""), "no address"),
        (
            format!("{listen}feedback = [{many}]"),
            "20 addresses at most",
        ),
    ] {
        let problem = with(&wrong).unwrap_err().to_string();
        assert!(problem.contains(says), "{problem}");
    }
}

#[test]
fn terms_of_links_and_of_asking_again_are_those_of_the_file_and_checked() {
    let file = |leaving: &str, campaign: &str| {
        parse(
            &format!(
                "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n{leaving}{campaign}"
            ),
            &[],
        )
    };
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let usual = file("", "").unwrap();
    assert_eq!(
        (usual.links.mailed, usual.links.handed_out),
        (days(7), days(90))
    );
    assert_eq!(usual.asked_again_after, 12);
    let chosen = file(
        "[leaving]\nmailed_link_days = 2\nprogram_link_days = 400\n",
        "[campaign]\nasked_again_months = 6\n",
    )
    .unwrap();
    assert_eq!(
        (chosen.links.mailed, chosen.links.handed_out),
        (days(2), days(400))
    );
    assert_eq!(chosen.asked_again_after, 6);
    let wrong = file(
        "[leaving]\nmailed_link_days = 0\nprogram_link_days = 4000\n",
        "[campaign]\nasked_again_months = 361\n",
    );
    let wrong = wrong.unwrap_err().to_string();
    for name in [
        "mailed_link_days",
        "program_link_days",
        "asked_again_months",
    ] {
        assert!(wrong.contains(name), "{wrong}");
    }
}

#[test]
fn what_could_never_work_is_named_at_the_start() {
    let problems = |more: &str| {
        let text = format!("[secrets]\nroot = \"{SECRET}\"\n{more}");
        match Config::parse(&text, BTreeMap::new(), Path::new("")) {
            Ok(config) => Ok(config.base_url),
            Err(SettingsProblem(problems)) => Err(problems.join("\n")),
        }
    };
    let at = |url: &str| problems(&format!("[server]\nbase_url = \"{url}\"\n"));
    for wrong in [
        "https://a.example/optin",
        "https://user@a.example",
        "https://a.example?x",
        "https://bücher.example",
    ] {
        assert!(at(wrong).unwrap_err().contains("base_url"), "{wrong}");
    }
    for (given, known) in [
        ("HTTPS://A.example:443/", "https://a.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://a.example:8443", "https://a.example:8443"),
    ] {
        assert_eq!(at(given).unwrap(), known);
    }
    let here = "[server]\nbase_url = \"https://a.example\"\n";
    for (more, named) in [
        ("[smtp]\npassword = \"p\"\n", "[smtp] password"),
        (
            "[smtp]\noauth_client_id = \"p\"\n",
            "[smtp] oauth_client_id",
        ),
        ("[dkim]\nselector = \"s\"\n", "[dkim] selector"),
    ] {
        let problem = problems(&format!("{here}{more}")).unwrap_err();
        assert!(problem.contains(named), "{problem}");
    }
}

#[test]
fn what_kubernetes_tells_of_a_service_of_this_name_is_no_setting() {
    let text =
        format!("[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n");
    let names = [
        "COUNTERSIGN_SERVICE_HOST",
        "COUNTERSIGN_PORT",
        "COUNTERSIGN_PORT_8080_TCP_ADDR",
    ];
    let told = names.map(|name| (name.to_owned(), "10.0.0.1".to_owned()));
    assert!(Config::parse(&text, told.into(), Path::new("")).is_ok());
}

#[test]
fn what_would_fail_when_mail_or_the_database_is_begun_is_in_the_one_message() {
    let no_pem = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let problem = parse(
        &format!(
            "[server]\nbase_url = \"https://a.example\"\ntrusted_proxies = [10]\n\
             [database]\nurl = \"postgres://u:hunter2@h:99999/n\"\n\
             [secrets]\nroot = \"{SECRET} {SECRET}\"\n\
             [smtp]\nhost = \"\"\nhello_name = \"bad name\"\nca_file = \"{no_pem}\"\n\
             user = \"u\\u0001\"\npassword = \"p\\u0001\"\n\
             [dkim]\ndomain = \"a example\"\nselector = \"s\"\nkey = \"notpem\"\n"
        ),
        &[],
    )
    .unwrap_err();
    let told = problem.to_string();
    for (setting, mend) in [
        ("[server] trusted_proxies", "in quotes"),
        ("[database] url", "postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("[secrets] root", "keep it once"),
        ("[smtp] host", "such as mail.example.org"),
        ("[smtp] hello_name", "mail.example.org"),
        ("[smtp] ca_file", "BEGIN CERTIFICATE"),
        ("[smtp] user", "U+0001"),
        ("[smtp] password", "U+0001"),
        ("[dkim] domain", "as it stands in DNS"),
        ("[dkim] key", "openssl genpkey"),
    ] {
        let line = told
            .lines()
            .find(|line| line.contains(&format!("{setting}: ")));
        assert!(
            line.is_some_and(|line| line.contains(mend)),
            "{setting}: {told}"
        );
    }
    assert_eq!(problem.0.len(), 10, "{told}");
    assert!(!told.contains("hunter2") && !told.contains("notpem") && !told.contains(SECRET));
}

#[test]
fn mail_without_encryption_is_for_this_machine_as_far_as_an_address_tells_at_the_start() {
    let plain_to = |host: &str| {
        let text = format!(
            "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n\
             [smtp]\nhost = \"{host}\"\ntls = \"plain\"\n"
        );
        parse(&text, &[]).map_err(|problem| problem.to_string())
    };
    for host in ["192.0.2.1", "::", "[2001:db8::1]", "::ffff:192.0.2.1"] {
        let problem = plain_to(host).unwrap_err();
        assert!(
            problem.contains("[smtp] tls: plain goes to") && problem.contains(host),
            "{problem}"
        );
    }
    for host in [
        "127.0.0.1",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "localhost",
        "mail.example.org",
    ] {
        plain_to(host).unwrap();
    }
}

#[test]
fn a_name_for_ehlo_is_asked_for_where_that_of_the_public_address_cannot_stand_there() {
    let hello = |base_url: &str, more: &str| {
        let text = format!(
            "[server]\nbase_url = \"{base_url}\"\n[secrets]\nroot = \"{SECRET}\"\n[smtp]\n{more}"
        );
        parse(&text, &[]).map_err(|problem| problem.0)
    };
    let told = hello("https://my_host.example", "").unwrap_err();
    assert!(
        told.len() == 1 && told[0].starts_with("[smtp] hello_name: give one"),
        "{told:?}"
    );
    let own = hello("https://my_host.example", "hello_name = \"[192.0.2.1]\"\n").unwrap();
    assert_eq!(own.smtp.hello_name, "[192.0.2.1]");
    let one = hello("ftp://a.example", "").unwrap_err();
    assert_eq!(
        one.len(),
        1,
        "only the public address itself is told: {one:?}"
    );
}

#[test]
fn secrets_that_could_not_be_told_apart_are_named_with_their_setting() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let with = |previous: &str| {
        let text = format!(
            "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\nprevious = \"{previous}\"\n"
        );
        parse(&text, &[]).map_err(|problem| problem.0)
    };
    let twice = with(SECRET).unwrap_err();
    assert!(
        twice.len() == 1 && twice[0].starts_with("[secrets] previous: names a secret"),
        "{twice:?}"
    );
    let (mut good, mut same) = (0, 0);
    for number in 0_u32..2_000 {
        let other = STANDARD.encode([&[7; 28][..], &number.to_be_bytes()].concat());
        match with(&other) {
            Ok(config) => good += config.root_secrets.len() / 2,
            Err(told) => {
                assert!(
                    told.len() == 1 && told[0].starts_with("[secrets] previous: has by chance"),
                    "{told:?}"
                );
                same += 1;
            }
        }
    }
    assert!(good > 1_900 && same > 0, "{good} {same}");
}

#[test]
fn the_databases_url_may_lie_in_a_file_and_its_password_never_shows() {
    let file = std::env::temp_dir().join(format!("countersign-url-{}", std::process::id()));
    std::fs::write(&file, "postgres://u:hunter2@db.example/n\n").unwrap();
    let path = file.to_str().unwrap();
    let start = format!(
        "[server]\nbase_url = \"https://a.example\"\n[secrets]\nroot = \"{SECRET}\"\n[database]\n"
    );
    let named = format!("{start}url_file = \"{path}\"\n");
    let own = format!("{start}url = \"sqlite://other.db\"\n");
    for (text, environment) in [
        (&named, &[][..]),
        (&own, &[("COUNTERSIGN_DATABASE_URL_FILE", path)][..]),
    ] {
        let config = parse(text, environment).unwrap();
        assert!(
            matches!(&config.database, Location::Postgres(url) if url == "postgres://u:hunter2@db.example/n")
        );
        let shown = format!("{config:?} {:#?}", config.database);
        assert!(
            !shown.contains("hunter2") && shown.contains("Postgres"),
            "{shown}"
        );
        assert_eq!(config.secret_files, [Path::new(path)]);
    }
    let missing = parse(&format!("{start}url_file = \"nowhere\"\n"), &[]).unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("[database] url_file: /etc/countersign/nowhere"),
        "{missing}"
    );
    std::fs::remove_file(&file).unwrap();
    let holds = |url: &str| {
        let text =
            format!("[server]\nbase_url = \"https://a.example\"\n[database]\nurl = \"{url}\"\n");
        parse(&text, &[("COUNTERSIGN_SECRETS_ROOT", SECRET)])
            .unwrap()
            .file_holds_secrets
    };
    assert!(holds("postgres://u:hunter2@db.example/n") && !holds("sqlite://countersign.db"));
}

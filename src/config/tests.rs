use super::*;

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

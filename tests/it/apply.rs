//! Declaring brands, purposes and forms.

use countersign::app::apply::{Consenting, Step, apply, newly_judged, parse, plan, planned};
use countersign::domain::brand::Slug;
use countersign::domain::form::VersionHash;
use countersign::domain::ids::ContactId;
use countersign::store::contacts;

use crate::harness::{DECLARATIONS, Folder, World};
use crate::on_both_engines;

on_both_engines! {
    async fn applying_again_changes_nothing_and_new_wording_makes_a_new_version(engine: Engine) {
        let world = World::on(engine).await;
        let same = parse(DECLARATIONS).unwrap();
        assert_eq!(plan(&world.app.catalog(), &same).unwrap(), []);
        let before = world.app.catalog().form("news").unwrap().current.clone();
        let changed = parse(&DECLARATIONS.replace("Invitations.", "Invitations to talks.")).unwrap();
        let steps = apply(&world.app, &changed).await.unwrap();
        assert!(steps.iter().any(|step| matches!(step, Step::NewVersion(form, _) if form == "news")));
        assert!(!steps.iter().any(|step| matches!(step, Step::NewVersion(form, _) if form == "news-two")));
        let catalog = world.app.catalog();
        let form = catalog.form("news").unwrap();
        assert_ne!(form.current, before);
        assert!(form.content(&before).is_some(), "the old version stays");
        for (version, words) in [(&before, "Invitations."), (&form.current, "Invitations to talks.")] {
            let page = world.app.form_as_shown(version).await.unwrap().unwrap();
            assert_eq!(VersionHash::of_page(page.as_bytes()), *version, "the kept bytes have the version's name");
            assert!(page.contains(words) && page.contains("not ticked in advance"), "{page}");
        }
        let unknown = VersionHash::of_page(b"never shown");
        assert_eq!(world.app.form_as_shown(&unknown).await.unwrap(), None);
        world.finish().await;
    }

    async fn a_plan_says_whose_people_stay_as_they_were_judged_when_terms_change(engine: Engine) {
        let world = World::on(engine).await;
        let same = parse(DECLARATIONS).unwrap();
        assert!(newly_judged(&world.app.catalog(), &same).is_empty());
        let stricter = DECLARATIONS.replacen("from_address = \"letters@acme.example\"", "from_address = \"letters@acme.example\"\noverlays = [\"de\"]", 1);
        assert_eq!(newly_judged(&world.app.catalog(), &parse(&stricter).unwrap()), ["acme"]);
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        std::fs::write(folder.0.join("brands.toml"), stricter).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
        let output = command.current_dir(&folder.0).args(["apply", "brands.toml", "--plan"]).output().unwrap();
        let says = String::from_utf8(output.stdout).unwrap();
        assert!(says.contains("~ brand acme") && says.contains("brand acme: the consent policy judges by the new terms"), "{says}");
        world.finish().await;
    }

    async fn the_name_of_a_form_that_a_brand_retired_is_no_other_brands_to_take(engine: Engine) {
        let world = World::on(engine).await;
        let mut without = parse(DECLARATIONS).unwrap();
        without.brands[0].forms.retain(|form| form.slug.as_str() != "news");
        apply(&world.app, &without).await.unwrap();
        let mut other = parse(DECLARATIONS).unwrap();
        other.brands[0].slug = Slug::try_from("spring".to_owned()).unwrap();
        other.brands[0].forms.retain(|form| form.slug.as_str() == "news");
        let refused = plan(&world.app.catalog(), &other).unwrap_err().to_string();
        assert!(refused.contains("belonged to another brand, which retired it"), "{refused}");
        let steps = apply(&world.app, &parse(DECLARATIONS).unwrap()).await.unwrap();
        assert!(steps.iter().any(|step| matches!(step, Step::AddForm(form) if form == "news")), "its own brand takes it up again");
        world.finish().await;
    }

    async fn a_change_of_any_wording_box_purpose_or_language_makes_a_new_version(engine: Engine) {
        let world = World::on(engine).await;
        let mut seen = vec![world.app.catalog().form("news").unwrap().current.clone()];
        for (old, new) in [
            ("choices = [\"events\"]", "choices = []"),
            ("purposes = [\"newsletter\"]\nchoices = [\"events\"]", "purposes = [\"newsletter\", \"events\"]"),
            ("asks_name = true", "asks_name = false"),
            ("Neues zweimal im Monat.", "Neues einmal im Monat."),
            ("asks_name = true", "asks_name = true\nlanguages = [\"en\", \"de\"]"),
            ("asks_name = true", "asks_name = true\nbutton = { fr = \"Oui\" }"),
            ("legal_name = \"Acme Letters Ltd\"", "legal_name = \"Acme Letters Inc\""),
        ] {
            let changed = DECLARATIONS.replacen(old, new, 1);
            assert_ne!(changed, DECLARATIONS);
            apply(&world.app, &parse(&changed).unwrap()).await.unwrap();
            let version = world.app.catalog().form("news").unwrap().current.clone();
            assert!(!seen.contains(&version), "{new}");
            seen.push(version);
        }
        apply(&world.app, &parse(DECLARATIONS).unwrap()).await.unwrap();
        let version = world.app.catalog().form("news").unwrap().current.clone();
        assert_eq!(version, seen[0], "the old words have their old name");
        world.finish().await;
    }

    async fn settings_that_nobody_reads_make_no_version(engine: Engine) {
        let world = World::on(engine).await;
        let before = world.app.catalog().form("news").unwrap().current.clone();
        let changed = parse(&DECLARATIONS.replace("https://www.acme.example", "https://acme.example")).unwrap();
        let steps = apply(&world.app, &changed).await.unwrap();
        assert_eq!(steps, [Step::ChangeForm("news".to_owned())]);
        assert_eq!(world.app.catalog().form("news").unwrap().current, before);
        world.finish().await;
    }

    async fn a_purpose_that_is_declared_no_more_is_a_step_that_tells_how_many_hold_consent_for_it(engine: Engine) {
        let world = World::on(engine).await;
        for email in ["anna@example.org", "bert@example.org"] {
            let taken = world.client("192.0.2.1").post("/f/news", &[("email", email), ("purpose", "events")]).await;
            assert_eq!(taken.status, 303, "{}", taken.text());
        }
        world.signed_up("carl@example.org", "192.0.2.1").await;
        let mail = world.mail_to("bert@example.org").await;
        let mut bert = world.client("198.51.100.7");
        assert_eq!(bert.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        let without = DECLARATIONS
            .replacen("[[brand.purpose]]\nslug = \"events\"\nname = { en = \"Events\" }\nwording = { en = \"Invitations.\" }\n", "", 1)
            .replacen("choices = [\"events\"]", "choices = []", 1);
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        std::fs::write(folder.0.join("brands.toml"), &without).unwrap();
        let says = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            let output = command.current_dir(&folder.0).args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let plan = says(&["apply", "brands.toml", "--plan"]);
        let told = "- purpose events of brand acme: 2 contacts hold consent for it, which stays on record; permission answers for it no more\n";
        assert!(plan.contains(told), "implicit and explicit consent count: {plan}");
        // Contacts are looked at in parts; of two purposes each has its own.
        let brand = world.app.catalog().brand_by_slug("acme").unwrap().id;
        let mut conn = world.app.store.read().await.unwrap();
        for (purpose, consenting) in [("events", 2), ("newsletter", 1), ("event", 0)] {
            let (mut found, mut after) = (Vec::new(), ContactId(uuid::Uuid::nil()));
            while let [one] = contacts::list_consenting(&mut conn, brand, purpose, after, 1).await.unwrap()[..] {
                after = one.0;
                found.push(one.1);
            }
            let holding = found.iter().filter(|holds| **holds).count();
            assert_eq!((found.len(), holding), (3, consenting), "{purpose}");
        }
        drop(conn);
        let many = Consenting { contacts: 10_000, or_more: true };
        assert!(many.to_string().starts_with("10000 or more contacts hold consent"), "{many}");
        says(&["withdraw", "bert@example.org", "--brand", "acme", "--purpose", "events"]);
        let step = Step::RemovePurpose {
            brand: "acme".to_owned(),
            purpose: "events".to_owned(),
            consenting: Some(Consenting { contacts: 1, or_more: false }),
        };
        assert!(step.to_string().contains(": 1 contact holds consent"), "{step}");
        let without = parse(&without).unwrap();
        assert!(planned(&world.app, &without).await.unwrap().contains(&step));
        assert!(apply(&world.app, &without).await.unwrap().contains(&step));
        assert_eq!(planned(&world.app, &without).await.unwrap(), [], "it is told once");
        world.finish().await;
    }

    async fn a_form_that_is_declared_no_more_takes_no_signup_but_its_links_work(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mail = world.mail_to("anna@example.org").await;
        let mut without = parse(DECLARATIONS).unwrap();
        without.brands[0].forms.retain(|form| form.slug.as_str() != "news");
        apply(&world.app, &without).await.unwrap();
        let mut client = world.client("198.51.100.7");
        assert_eq!(client.get("/f/news").await.status, 404);
        assert_eq!(client.post(&mail.confirm(), &[]).await.heading(), "Confirmed");
        world.finish().await;
    }
}

#[test]
fn one_message_names_everything_wrong_with_a_file() {
    let text = DECLARATIONS
        .replace("purposes = [\"newsletter\"]", "purposes = [\"nonsense\"]")
        .replace("https://www.acme.example", "www.acme.example")
        .replace("postal_address = [\"2 Mill Lane\"]", "postal_address = []");
    let problem = parse(&text).unwrap_err().to_string();
    for part in ["nonsense", "www.acme.example", "postal_address"] {
        assert!(problem.contains(part), "{part} in {problem}");
    }
}

#[test]
fn origins_are_written_as_browsers_name_them_and_redirects_lead_to_what_a_page_can_name() {
    for (origin, such) in [
        ("https://Www.Acme.example", Some("https://www.acme.example")),
        (
            "https://www.acme.example:443",
            Some("https://www.acme.example"),
        ),
        (
            "https://www.acme.example/",
            Some("https://www.acme.example"),
        ),
        ("https://user@www.acme.example", None),
        ("https://bücher.example", None),
        ("https://a.example;x", None),
    ] {
        let text = DECLARATIONS.replace("https://www.acme.example", origin);
        let problem = parse(&text).unwrap_err().to_string();
        let such = such.unwrap_or("https://www.example.org");
        assert!(
            problem.contains(origin) && problem.contains(such),
            "{problem}"
        );
    }
    for url in [
        "https://user@acme.example/",
        "https://bücher.example/",
        "https://",
    ] {
        let form = format!("slug = \"news\"\nredirect_after_signup = \"{url}\"\n");
        let text = DECLARATIONS.replacen("slug = \"news\"\n", &form, 1);
        let problem = parse(&text).unwrap_err().to_string();
        assert!(problem.contains("redirect"), "{url}: {problem}");
    }
}

#[test]
fn a_brand_that_could_never_send_is_told_all_of_it_with_what_to_write_instead() {
    let text = DECLARATIONS
        .replacen("letters@acme.example", "nonsense", 1)
        .replacen("from_address", "reply_to = \"x y\"\nfrom_address", 1)
        .replacen("contact = \"privacy@acme.example\"", "contact = \"\"", 1)
        .replacen("\"1 Mill Lane\"", "\"\", \"  \"", 1)
        .replacen("en = \"Events\"", "en = \"\"", 1)
        .replacen("en = \"Invitations.\"", "en = \"  \"", 1)
        .replacen(
            "purposes = [\"newsletter\"]\nchoices = [\"events\"]",
            "purposes = [\"newsletter\", \"newsletter\"]\nchoices = [\"events\", \"events\"]\n\
             languages = [\"en\", \"de\", \"en\"]\nbutton = { de = \" \" }",
            1,
        )
        .replacen(
            "[\"https://www.acme.example\"]",
            "[\"https://www.acme.example\", \"https://www.acme.example\"]",
            1,
        );
    let problem = parse(&text).unwrap_err().to_string();
    for part in [
        "from_address \"nonsense\" is no address",
        "reply_to \"x y\" is no address",
        "contact says whom people write to",
        "postal_address has a blank line",
        "purpose \"events\" has a blank name.en",
        "purpose \"events\" has a blank wording.en",
        "purposes has \"newsletter\" twice",
        "choices has \"events\" twice",
        "languages has \"en\" twice",
        "origins has \"https://www.acme.example\" twice",
        "button.de is blank",
    ] {
        assert!(problem.contains(part), "{part} in {problem}");
    }
    assert_eq!(problem.lines().count(), 12, "each is told once: {problem}");
}

#[test]
fn a_sender_is_written_as_it_goes_over_the_wire() {
    let sent_by = |field: &str, given: &str| {
        let own = format!("{field} = \"{given}\"");
        let text = match field {
            "reply_to" => DECLARATIONS.replacen("from_address", &format!("{own}\nfrom_address"), 1),
            _ => DECLARATIONS.replacen("from_address = \"letters@acme.example\"", &own, 1),
        };
        parse(&text).map_err(|problem| problem.to_string())
    };
    for field in ["from_address", "reply_to"] {
        for (given, told) in [
            (
                "letters@bücher.example",
                "\"letters@xn--bcher-kva.example\"",
            ),
            (" letters@acme.example", "\"letters@acme.example\""),
            ("bücher@acme.example", "ASCII letters before the @"),
            ("letters@acme.example, more@acme.example", "is no address"),
            ("Acme <letters@acme.example>", "is no address"),
            ("", "is no address"),
        ] {
            let problem = sent_by(field, given).unwrap_err();
            assert!(
                problem.contains(field) && problem.contains(told),
                "{given}: {problem}"
            );
        }
        for given in ["letters@xn--bcher-kva.example", "L.etters+1@mail.acme.test"] {
            sent_by(field, given).unwrap();
        }
    }
}

#[test]
fn people_write_about_their_data_to_an_address_a_page_or_as_is_written() {
    let written = |contact: &str| {
        let own = format!("contact = \"{contact}\"");
        parse(&DECLARATIONS.replacen("contact = \"privacy@acme.example\"", &own, 1))
            .map_err(|problem| problem.to_string())
    };
    for good in [
        "https://acme.example/@privacy",
        "by letter, or by phone: 020 123 45 67",
    ] {
        written(good).unwrap();
    }
    for (bad, told) in [
        ("javascript://x", "must begin with https://"),
        ("Privacy <privacy@acme.example>", "the address alone"),
        ("privacy@", "the address alone"),
        (" ", "an address or a URL"),
        ("a\\nb", "an address or a URL"),
    ] {
        let problem = written(bad).unwrap_err();
        assert!(problem.contains(told), "{bad}: {problem}");
    }
}

#[test]
fn a_purpose_has_words_in_english_or_in_every_language_of_the_forms_that_offer_it() {
    let offers = |words: &str, languages: &str| {
        let text = DECLARATIONS
            .replacen(
                "name = { en = \"Events\" }",
                &format!("name = {{ {words} }}"),
                1,
            )
            .replacen(
                "wording = { en = \"Invitations.\" }",
                &format!("wording = {{ {words} }}"),
                1,
            )
            .replacen("asks_name = true", languages, 1);
        parse(&text).map_err(|problem| problem.to_string())
    };
    offers("en = \"Events\"", "").unwrap();
    offers("de = \"Treffen\"", "languages = [\"de\"]").unwrap();
    offers(
        "de = \"Treffen\", fr = \"Fêtes\"",
        "languages = [\"de\", \"fr\"]",
    )
    .unwrap();
    let german = offers("de = \"Treffen\"", "languages = [\"de\", \"fr\", \"en\"]").unwrap_err();
    for what in ["name.en", "wording.en"] {
        let told = format!(
            "purpose \"events\" needs {what}, which also stands in for languages without one; its forms are in en, fr"
        );
        assert!(german.contains(&told), "{german}");
    }
    let none = offers("", "languages = [\"de\"]").unwrap_err();
    assert!(none.contains("purpose \"events\" needs name.en"), "{none}");
}

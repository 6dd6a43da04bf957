use super::super::VersionHash;
use super::*;
use crate::domain::brand::Slug;

fn slug(text: &str) -> Slug {
    Slug::try_from(text.to_owned()).unwrap()
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs
        .iter()
        .map(|(language, text)| ((*language).to_owned(), (*text).to_owned()))
        .collect()
}

fn say(texts: &mut Texts, language: &str, text: &str) {
    texts.insert(language.to_owned(), text.to_owned());
}

fn content() -> FormContent {
    FormContent {
        form: slug("news"),
        brand: slug("acme"),
        brand_name: "Acme".to_owned(),
        legal_name: "Acme Ltd".to_owned(),
        privacy_version: None,
        privacy_url: Some("https://acme.example/privacy".to_owned()),
        languages: vec!["en".to_owned(), "de".to_owned()],
        asks_name: true,
        purposes: vec![
            ShownPurpose {
                slug: slug("letters"),
                name: texts(&[("en", "Letters"), ("de", "Briefe")]),
                wording: texts(&[("en", "Twice a month."), ("de", "Zweimal im Monat.")]),
                choice: false,
            },
            ShownPurpose {
                slug: slug("events"),
                name: texts(&[("en", "Events")]),
                wording: texts(&[("en", "Invitations.")]),
                choice: true,
            },
        ],
        title: texts(&[("en", "Subscribe"), ("de", "Abonnieren")]),
        intro: texts(&[("en", "One mail first."), ("de", "Erst eine Mail.")]),
        consent: texts(&[("en", "You agree."), ("de", "Sie willigen ein.")]),
        button: texts(&[("en", "Yes"), ("de", "Ja")]),
    }
}

#[test]
fn any_change_of_wording_box_purpose_or_language_changes_the_name_of_the_version() {
    let changes: [fn(&mut FormContent); 15] = [
        |c| c.form = slug("other"),
        |c| c.brand = slug("other"),
        |c| c.brand_name.push('.'),
        |c| c.legal_name.push('.'),
        |c| c.privacy_url = None,
        |c| c.languages.truncate(1),
        |c| c.languages.reverse(),
        |c| c.asks_name = false,
        |c| c.purposes.truncate(1),
        |c| c.purposes.reverse(),
        |c| c.purposes[0].slug = slug("mails"),
        |c| c.purposes[0].choice = true,
        |c| c.purposes[1].choice = false,
        |c| say(&mut c.purposes[0].name, "de", "Post"),
        |c| say(&mut c.purposes[1].wording, "de", "Einladungen."),
    ];
    let mut seen = vec![content().hash()];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = content();
        change(&mut changed);
        let hash = changed.hash();
        assert!(!seen.contains(&hash), "change {number}");
        seen.push(hash);
    }
    let texts: [fn(&mut FormContent) -> &mut Texts; 4] = [
        |c| &mut c.title,
        |c| &mut c.intro,
        |c| &mut c.consent,
        |c| &mut c.button,
    ];
    for text in texts {
        for language in ["en", "de"] {
            let mut changed = content();
            say(text(&mut changed), language, "New words");
            assert_ne!(changed.hash(), content().hash(), "{language}");
        }
    }
}

#[test]
fn the_page_hashes_to_the_versions_name_and_is_the_same_each_time() {
    let (one, other) = (content().shown(), content().shown());
    assert_eq!(one, other);
    assert_eq!(VersionHash::of_page(one.as_bytes()), content().hash());
}

#[test]
fn a_text_that_nobody_is_shown_changes_nothing() {
    let mut changed = content();
    say(&mut changed.title, "fr", "S’abonner");
    assert_eq!(changed.hash(), content().hash());
}

#[test]
fn each_language_has_its_section_with_the_words_that_stood_in_for_missing_ones() {
    let page = content().shown();
    let german = section_of(&page, "de").unwrap();
    for words in [
        "Abonnieren",
        "Zweimal im Monat.",
        "Invitations.",
        "Sie willigen ein.",
        "not ticked in advance",
    ] {
        assert!(german.contains(words), "{words} in {german}");
    }
    assert!(!german.contains("Subscribe"));
    assert_eq!(section_of(&page, "fr"), None);
}

#[test]
fn everything_declared_is_text_and_the_page_needs_nothing_from_outside() {
    let hostile = "</section><script>alert(1)</script>\"'&";
    let mut evil = content();
    evil.brand_name = hostile.to_owned();
    evil.legal_name = hostile.to_owned();
    evil.privacy_url = Some(format!("https://x.example/{hostile}"));
    for texts in [
        &mut evil.title,
        &mut evil.intro,
        &mut evil.consent,
        &mut evil.button,
    ] {
        texts.insert("de".to_owned(), hostile.to_owned());
    }
    evil.purposes[0]
        .name
        .insert("de".to_owned(), hostile.to_owned());
    evil.purposes[0]
        .wording
        .insert("de".to_owned(), hostile.to_owned());
    let page = evil.shown();
    for part in [
        "<script",
        "src=",
        "href=",
        "url(",
        "@import",
        "alert(1)</script",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(
        section_of(&page, "de")
            .unwrap()
            .ends_with("</p>\n</section>")
    );
}

#[test]
fn a_page_that_an_earlier_program_drew_shows_the_same_words_and_no_others() {
    let content = content();
    let earlier = content.shown().replace(PAGE_STYLE, "body{margin:0}");
    assert!(content.is_shown_by(&content.shown()) && content.is_shown_by(&earlier));
    let changes: [fn(&mut FormContent); 5] = [
        |c| say(&mut c.title, "de", "Bestellen"),
        |c| say(&mut c.purposes[0].wording, "en", "Every day."),
        |c| c.legal_name = "Other Ltd".to_owned(),
        |c| c.privacy_url = Some("https://other.example/".to_owned()),
        |c| c.languages.push("fr".to_owned()),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut other = content.clone();
        change(&mut other);
        assert!(!other.is_shown_by(&earlier), "{number}");
    }
}

//! Every text exists in every language, with the same places to fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const LANGUAGES: [&str; 5] = ["en", "nl", "de", "fr", "es"];

/// Text keys with the names of their variables, from a file's own lines.
fn messages(language: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in ["public.ftl", "mail.ftl"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("locales")
            .join(language)
            .join(file);
        let text = fs::read_to_string(path).unwrap();
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =")
                && !line.starts_with(' ')
            {
                key = name.to_owned();
                assert!(
                    found.insert(key.clone(), BTreeSet::new()).is_none(),
                    "{language}: {key} stands there twice"
                );
            }
            let mut rest = line;
            while let Some((_, after)) = rest.split_once("{ $") {
                let name: String = after
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                found.get_mut(&key).unwrap().insert(name);
                rest = after;
            }
        }
    }
    found
}

#[test]
fn every_language_has_every_text_with_the_same_variables() {
    let english = messages("en");
    assert!(english.len() > 80);
    for language in LANGUAGES {
        assert_eq!(messages(language), english, "{language}");
    }
}

#[test]
fn every_language_parses_without_an_error() {
    for language in LANGUAGES {
        for file in ["public.ftl", "mail.ftl"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("locales")
                .join(language)
                .join(file);
            let text = fs::read_to_string(&path).unwrap();
            let parsed = fluent_bundle::FluentResource::try_new(text);
            assert!(parsed.is_ok(), "{}: {:?}", path.display(), parsed.err());
        }
    }
}

/// Keys that the templates and the code name.
fn used() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    collect(&root.join("templates"), &mut texts);
    let mut keys = BTreeSet::new();
    for text in texts {
        for call in ["t.get(\"", "t.arg(\"", "t.arg2(\""] {
            for (at, _) in text.match_indices(call) {
                let rest = &text[at + call.len()..];
                keys.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
    }
    keys
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_text_that_a_template_names_exists() {
    let english = messages("en");
    let missing: Vec<String> = used()
        .into_iter()
        .filter(|key| !english.contains_key(key))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_language_addresses_people_in_one_way_and_calls_leaving_by_one_name() {
    // Dutch says "je"; leaving is no contract that is ended, nor does anybody go anywhere.
    let not: [(&str, &[&str]); 4] = [
        ("nl", &["u", "uw", "uzelf", "weggaan"]),
        ("de", &["du", "dein", "deine", "ich gehe", "oder gehen"]),
        (
            "fr",
            &["tu", "ton", "résilier", "quitter", "ou partir", "je pars"],
        ),
        ("es", &["tú", "tus", "me voy", "irse"]),
    ];
    for (language, words) in not {
        for file in ["public.ftl", "mail.ftl"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("locales")
                .join(language)
                .join(file);
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let mut bare = String::from(" ");
                for word in line.split(|c: char| !c.is_alphanumeric()) {
                    bare.push_str(word);
                    bare.push(' ');
                }
                for word in words {
                    let found = bare.contains(&format!(" {word} "));
                    assert!(!found, "{}: {word} in {line}", path.display());
                }
            }
        }
    }
}

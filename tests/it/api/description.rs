//! The API as it describes itself.

use std::collections::BTreeSet;
use std::path::Path;

use countersign::domain::api_key::Scope;
use countersign::domain::brand::{BrandDeclaration, KeepProof, PurposeDeclaration};
use countersign::domain::form::FormDeclaration;
use countersign::domain::reconfirm::Reconfirm;
use countersign::store::Engine;
use countersign::web::api::openapi;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{problem, program};
use crate::harness::World;

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json")
}

/// Every operation: method, path, and the operation itself.
fn operations() -> Vec<(String, String, Value)> {
    let paths = openapi::document()["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations
            .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    each.collect()
}

#[test]
fn the_description_in_docs_is_that_of_the_code() {
    let mut text = serde_json::to_string_pretty(openapi::document()).unwrap();
    text.push('\n');
    let there = std::fs::read_to_string(kept()).unwrap_or_default();
    if there != text {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
        std::fs::write(&new, &text).unwrap();
        panic!(
            "docs/openapi.json is not what the code says; copy {} there if the change is meant",
            new.display()
        );
    }
}

/// The members that a declaration may have, as its reader tells them of one that it does not know.
fn members<T: DeserializeOwned>() -> BTreeSet<String> {
    let unknown = serde_json::from_value::<T>(json!({"nobody": 1})).err();
    let told = unknown.unwrap().to_string();
    let quoted = told.split('`').skip(1).step_by(2).map(str::to_owned);
    quoted.filter(|name| name != "nobody").collect()
}

#[test]
fn declarations_are_described_with_all_their_members() {
    let described = |name: &str| -> BTreeSet<String> {
        let schema = &openapi::document()["components"]["schemas"][name]["properties"];
        let properties = schema.as_object().unwrap_or_else(|| panic!("no {name}"));
        properties.keys().cloned().collect()
    };
    for (name, members) in [
        ("BrandInput", members::<BrandDeclaration>()),
        ("PurposeInput", members::<PurposeDeclaration>()),
        ("FormInput", members::<FormDeclaration>()),
        ("KeepProofInput", members::<KeepProof>()),
        ("ReconfirmInput", members::<Reconfirm>()),
    ] {
        assert!(members.len() > 1, "{name}");
        assert_eq!(described(name), members, "{name}");
    }
}

#[tokio::test]
async fn every_described_operation_is_there_needs_a_key_and_names_its_scope() {
    let world = World::on(Engine::Sqlite).await;
    let mut nobody = world.client(super::BACKEND);
    let mut scopes = BTreeSet::new();
    for (method, path, operation) in operations() {
        let path = path
            .replace("{id}", "0191b1b2-0000-7000-8000-000000000000")
            .replace("{file}", "0191b1b2-0000-7000-8000-000000000000")
            .replace("{event}", "0191b1b2-0000-7000-8000-000000000000")
            .replace("{number}", "1")
            .replace("{brand}", "acme")
            .replace("{form}", "news");
        let (kind, body): (_, &[u8]) = match method.as_str() {
            "POST" => (Some("application/json"), b"{}"),
            _ => (None, b""),
        };
        let reply = nobody.send(&method, &path, kind, body).await;
        assert_eq!(problem(&reply).0, 401, "{method} {path}");
        let scope = operation["security"][0]["key"][0]
            .as_str()
            .unwrap()
            .to_owned();
        let known = Scope::parse(&scope).unwrap();
        let others: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|scope| *scope != known)
            .collect();
        let reply = program(&world, &others)
            .await
            .send(&method, &path, kind, body)
            .await;
        assert_eq!(problem(&reply).0, 403, "{method} {path} without {scope}");
        scopes.insert(scope);
    }
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api.rs"))
            .unwrap();
    let routes = text.matches("().to(").count();
    let unlisted = text.matches("().to(openapi::").count() + text.matches("().to(docs::").count();
    assert_eq!(
        routes - unlisted,
        operations().len(),
        "a route without a description"
    );
    world.finish().await;
}

#[tokio::test]
async fn the_description_is_served_at_both_addresses_to_anybody() {
    let world = World::on(Engine::Sqlite).await;
    for path in ["/api/openapi.json", "/api/v1/openapi.json"] {
        let reply = world.client(super::BACKEND).get(path).await;
        assert_eq!(&reply.json(), openapi::document(), "{path}");
    }
    world.finish().await;
}

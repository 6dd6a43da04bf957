//! `GET /api/docs`: the description of the API as a page. It needs no script and loads nothing from elsewhere.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::{openapi, problem};
use crate::web::Web;
use crate::web::page::render;

#[derive(Template)]
#[template(path = "api/docs.html")]
struct Docs {
    icon: String,
    css: String,
    about: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
    problems: &'static [(&'static str, u16, &'static str)],
}

struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    scope: String,
    parameters: Vec<Line>,
    /// The name of the body's schema; empty without one.
    body: String,
    answers: Vec<Line>,
}

struct Line {
    name: String,
    kind: String,
    about: String,
}

struct Schema {
    name: String,
    about: String,
    fields: Vec<Line>,
}

pub async fn show(shared: web::Data<Web>) -> HttpResponse {
    let document = openapi::document();
    let docs = Docs {
        icon: shared.assets.icon.clone(),
        css: shared.assets.docs_css.clone(),
        about: text(&document["info"]["description"]),
        groups: groups(document),
        schemas: schemas(document),
        problems: problem::KINDS,
    };
    render(StatusCode::OK, &docs)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The members of an object, in their order.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, operations) in members(&document["paths"]) {
        for (method, operation) in members(operations) {
            let name = text(&operation["tags"][0]);
            let operation = read(path, method, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group {
                    name,
                    operations: vec![operation],
                }),
            }
        }
    }
    groups
}

fn read(path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = items(&operation["parameters"]).map(|parameter| Line {
        name: text(&parameter["name"]),
        kind: kind(&parameter["schema"]),
        about: text(&parameter["description"]),
    });
    let answers = members(&operation["responses"]).map(|(status, answer)| Line {
        name: status.clone(),
        kind: schema_of(answer),
        about: text(&answer["description"]),
    });
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        scope: text(&operation["security"][0]["key"][0]),
        parameters: parameters.collect(),
        body: schema_of(&operation["requestBody"]),
        answers: answers.collect(),
    }
}

/// The name of the schema of a body, where it has one of its own.
fn schema_of(with_content: &Value) -> String {
    let contents = members(&with_content["content"]);
    let mut names = contents.filter_map(|(_, content)| name_of(&content["schema"]));
    names.next().unwrap_or_default()
}

fn name_of(schema: &Value) -> Option<String> {
    let reference = schema["$ref"].as_str()?;
    reference.rsplit('/').next().map(ToOwned::to_owned)
}

/// The kind of a value, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return name;
    }
    if let Some(several) = schema.get("oneOf").or_else(|| schema.get("allOf")) {
        return items(several).map(kind).collect::<Vec<_>>().join(" or ");
    }
    let own = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    match (own.as_str(), schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        (_, Some(format)) => format!("{own} ({format})"),
        _ => own,
    }
}

fn schemas(document: &Value) -> Vec<Schema> {
    let all = members(&document["components"]["schemas"]);
    let all = all.map(|(name, schema)| {
        let fields = fields(schema);
        Schema {
            name: name.clone(),
            about: text(&schema["description"]),
            fields,
        }
    });
    all.collect()
}

/// The fields of an object, those of what it is put together from among them.
fn fields(schema: &Value) -> Vec<Line> {
    let needed: Vec<String> = items(&schema["required"]).map(text).collect();
    let own = members(&schema["properties"]).map(|(name, field)| Line {
        name: name.clone(),
        kind: format!(
            "{}{}",
            kind(field),
            if needed.contains(name) {
                ", always there"
            } else {
                ""
            }
        ),
        about: text(&field["description"]),
    });
    let mut all: Vec<Line> = own.collect();
    for part in items(&schema["allOf"]) {
        all.extend(fields(part));
    }
    all
}

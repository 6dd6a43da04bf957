//! `/admin/policy`: the table that every address is judged by, what each brand sets of it, and one case explained.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ReqData};
use askama::Template;
use serde::Deserialize;

use super::frame::Frame;
use super::table::{self, Asked, Cell, Rows, Table, Wrong, as_file};
use crate::domain::brand::RoleAddresses;
use crate::domain::operator::Operator;
use crate::domain::policy::{
    ADDRESS_RULES, AddressFacts, Claim, GENERAL_RULES, NO_LEGAL_ADVICE, OVERLAYS, OrganizerLists,
    Overlay, OverlayRow, POLICY_VERSION, PRECEDENCE, ProofKey, READING_DATES, Row, Rule, SOURCES,
    Source, Terms, Verdict, judge,
};
use crate::web::Web;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// What of the address chooses the case: no address of a person.
#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    source: Option<String>,
    brand: Option<String>,
}

/// A brand with what it sets.
struct BrandRow {
    name: String,
    zone: String,
    overlays: String,
    more: String,
}

/// A case to be explained, as it was entered.
struct Case {
    source: Option<Source>,
    brand: String,
    obtained_on: String,
    as_of: String,
    overlays: Vec<Overlay>,
    proofs: Vec<(&'static ProofKey, String)>,
    role: bool,
    confirm_lists: bool,
}

#[derive(Template)]
#[template(path = "admin/policy.html")]
struct PolicyPage {
    frame: Frame,
    version: &'static str,
    note: &'static str,
    sources: Table,
    rules: Table,
    general: &'static [Rule],
    precedence: &'static [&'static str],
    dates: &'static [&'static str],
    overlays: &'static [OverlayRow],
    overlays_table: Table,
    brands: Table,
    choices: Vec<(String, String, bool)>,
    rows: Vec<(&'static str, &'static str, bool)>,
    case: Case,
    /// The verdict, line by line.
    lines: Vec<(&'static str, String)>,
}

impl PolicyPage {
    fn has(&self, overlay: &Overlay) -> bool {
        self.case.overlays.contains(overlay)
    }
}

const fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "good",
        Verdict::ConfirmFirst => "wait",
        Verdict::Refuse => "bad",
    }
}

fn source_row(row: &Row) -> Vec<Cell> {
    vec![
        Cell::text(row.rule.id()),
        Cell::Code(row.name.to_owned()),
        Cell::State(row.verdict.as_str().to_owned(), tone(row.verdict)),
        Cell::text(row.outreach.as_str()),
        Cell::text(row.rule.says()),
        Cell::text(row.conditions),
        Cell::text(row.lasts()),
        Cell::text(row.proof_in_words()),
    ]
}

fn sources() -> Rows {
    Rows {
        caption: "From where an address came, and what may be done with it".to_owned(),
        columns: [
            "Rule",
            "Source",
            "Verdict",
            "Outreach",
            "What it is",
            "Conditions",
            "Lasts",
            "Proof",
        ]
        .map(|name| (name, false))
        .into(),
        rows: SOURCES.iter().map(source_row).collect(),
        empty: String::new(),
    }
}

const PATH: &str = "/admin/policy";

fn brands_table(shared: &Web, operator: &Operator) -> Rows {
    let rows = brands(shared, operator).into_iter();
    Rows {
        caption: "Brands".to_owned(),
        columns: ["Brand", "Time zone", "Overlays", "What else it sets"]
            .map(|name| (name, false))
            .into(),
        rows: rows
            .map(|brand| [brand.name, brand.zone, brand.overlays, brand.more].map(Cell::Text).into())
            .collect(),
        empty: "No brand yet. Under Settings an owner makes one; countersign apply FILE takes its declaration, which sets time zone and overlays.".to_owned(),
    }
}

fn rules_table() -> Rows {
    Rows {
        caption: "Rules about address, date and proof".to_owned(),
        columns: ["Rule", "What it says", "Verdict", "Outreach"]
            .map(|name| (name, false))
            .into(),
        rows: ADDRESS_RULES
            .iter()
            .map(|(rule, verdict, outreach)| {
                vec![
                    Cell::text(rule.id()),
                    Cell::text(rule.says()),
                    Cell::State(verdict.as_str().to_owned(), tone(*verdict)),
                    Cell::text(*outreach),
                ]
            })
            .collect(),
        empty: String::new(),
    }
}

fn overlays_table() -> Rows {
    Rows {
        caption: "Overlays".to_owned(),
        columns: ["Overlay", "Country", "Effect"]
            .map(|name| (name, false))
            .into(),
        rows: OVERLAYS
            .iter()
            .map(|row| {
                let effects = row.effects.iter();
                vec![
                    Cell::Code(row.overlay.as_str().to_owned()),
                    Cell::text(row.country),
                    Cell::Lines(effects.map(|says| (*says).to_owned()).collect()),
                ]
            })
            .collect(),
        empty: String::new(),
    }
}

fn brands(shared: &Web, operator: &Operator) -> Vec<BrandRow> {
    let catalog = shared.app.catalog();
    let theirs = catalog
        .brands
        .iter()
        .filter(|brand| operator.works_for(brand.id));
    theirs
        .map(|brand| {
            let terms = shared.app.terms(brand);
            let overlays: Vec<&str> = terms.overlays.iter().map(|one| one.as_str()).collect();
            let mut more = vec![format!(
                "A member counts as active for {} months",
                terms.active_within_months
            )];
            if terms.hold_until_confirmed {
                more.push("its own form gives no consent before it is confirmed".to_owned());
            }
            if terms.role_addresses == RoleAddresses::ConfirmFirst {
                let who = terms.responsible.clone().unwrap_or_default();
                more.push(format!(
                    "role addresses may be asked; {who} answers for them"
                ));
            }
            BrandRow {
                name: brand.declared.name.clone(),
                zone: terms.zone.name().to_owned(),
                overlays: if overlays.is_empty() {
                    "none".to_owned()
                } else {
                    overlays.join(", ")
                },
                more: more.join("; ") + ".",
            }
        })
        .collect()
}

/// What comes of asking: lines of a verdict, or why there is none.
type Answer = (Option<String>, Vec<(&'static str, String)>);

fn page(
    shared: &Web,
    operator: &Operator,
    asked: &Asked,
    case: Case,
    answer: Answer,
) -> HttpResponse {
    let now = shared.app.clock.now();
    let frame = Frame::new(shared, operator, "Policy").at("/admin/policy");
    let arranged = |rows: Rows, asked: &Asked| rows.arrange(asked, PATH, now, frame.may_take());
    let tables = || {
        Ok::<_, Wrong>((
            arranged(sources(), asked)?,
            arranged(brands_table(shared, operator), &asked.of("brands_"))?,
            arranged(overlays_table(), &asked.of("overlays_"))?,
            arranged(rules_table(), &asked.of("rules_"))?,
        ))
    };
    let (table, brands, overlays, rules) = match tables() {
        Ok(tables) => tables,
        Err(wrong) => return table::refuse(shared, operator, &wrong),
    };
    let files = [
        (&table, "policy"),
        (&brands, "policy-of-brands"),
        (&overlays, "policy-overlays"),
        (&rules, "policy-rules"),
    ];
    if let Some(file) = as_file(&files) {
        return file;
    }
    let (problem, lines) = answer;
    let catalog = shared.app.catalog();
    let choices = catalog
        .brands
        .iter()
        .filter(|brand| operator.works_for(brand.id))
        .map(|brand| {
            let slug = brand.declared.slug.to_string();
            let chosen = slug == case.brand;
            (slug, brand.declared.name.clone(), chosen)
        })
        .collect();
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    render(
        status,
        &PolicyPage {
            version: POLICY_VERSION,
            note: NO_LEGAL_ADVICE,
            sources: table,
            rules,
            general: &GENERAL_RULES,
            precedence: &PRECEDENCE,
            dates: &READING_DATES,
            overlays: &OVERLAYS,
            overlays_table: overlays,
            brands,
            choices,
            rows: SOURCES
                .iter()
                .map(|row| (row.name, row.rule.id(), case.source == Some(row.source)))
                .collect(),
            frame: frame.failing(problem),
            case,
            lines,
        },
    )
}

/// `GET /admin/policy`
pub async fn show(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    (chosen, asked): (Query<Chosen>, Query<Asked>),
) -> HttpResponse {
    let source = chosen.source.as_deref().and_then(Source::parse);
    let case = Case {
        source,
        brand: chosen.brand.clone().unwrap_or_default(),
        obtained_on: String::new(),
        as_of: String::new(),
        overlays: Vec::new(),
        proofs: keys_of(source, |_| String::new()),
        role: false,
        confirm_lists: false,
    };
    page(&shared, &operator, &asked, case, (None, Vec::new()))
}

fn keys_of(
    source: Option<Source>,
    given: impl Fn(&str) -> String,
) -> Vec<(&'static ProofKey, String)> {
    let keys = source.map_or(&[][..], |source| source.row().proof);
    keys.iter().map(|key| (key, given(key.key))).collect()
}

/// `POST /admin/policy`: changes nothing; the case is not kept.
pub async fn explain(
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let source = fields.one("source").and_then(Source::parse);
    let text = |name: &str| fields.one(name).unwrap_or_default().to_owned();
    let case = Case {
        source,
        brand: text("brand"),
        obtained_on: text("obtained_on"),
        as_of: text("as_of"),
        overlays: fields
            .all("overlay")
            .iter()
            .filter_map(|name| Overlay::parse(name))
            .collect(),
        proofs: keys_of(source, |key| text(&format!("proof_{key}"))),
        role: fields.one("role").is_some(),
        confirm_lists: fields.one("confirm_organizer_list").is_some(),
    };
    let answer = match explained(&shared, &operator, &case) {
        Ok(lines) => (None, lines),
        Err(problem) => (Some(problem), Vec::new()),
    };
    page(&shared, &operator, &Asked::default(), case, answer)
}

fn explained(
    shared: &Web,
    operator: &Operator,
    case: &Case,
) -> Result<Vec<(&'static str, String)>, String> {
    let source = case.source.ok_or("Choose a source.")?;
    let catalog = shared.app.catalog();
    let mut terms = if case.brand.is_empty() {
        Terms::default()
    } else {
        let brand = catalog
            .brand_by_slug(&case.brand)
            .filter(|brand| operator.works_for(brand.id))
            .ok_or("Choose one of the brands in the list.")?;
        shared.app.terms(brand)
    };
    terms = terms.with_overlays(case.overlays.iter().copied());
    if case.confirm_lists {
        terms.organizer_lists = OrganizerLists::ConfirmFirst;
    }
    let as_of = if case.as_of.is_empty() {
        shared.app.clock.now()
    } else {
        terms
            .zone
            .instant(&case.as_of)
            .ok_or("“As of” is no time; write it like 2026-11-23.")?
    };
    let claim = Claim::new(source, Some(&case.obtained_on));
    let claim = case
        .proofs
        .iter()
        .try_fold(claim, |claim, (key, value)| claim.prove(key.key, value))
        .map_err(|problem| problem.to_string())?;
    let address = AddressFacts {
        role: case.role,
        closed: None,
    };
    Ok(judge(&[claim], address, &terms, as_of).lines(&terms.zone))
}

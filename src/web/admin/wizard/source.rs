//! Step 3: from where the addresses came, when, and what proves it in words and files, with what the policy says beside it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::columns::changed;
use super::papers::{self, Papers};
use super::{Head, draft, frame, path};
use crate::app::drafts::{Draft, ImportDraft, Look, LookProblem, Said};
use crate::domain::brand::Brand;
use crate::domain::operator::Operator;
use crate::domain::policy::{
    Judgement, NO_LEGAL_ADVICE, Need, POLICY_VERSION, Row, SOURCES, Source, Verdict,
};
use crate::web::Web;
use crate::web::admin::brands::Choice;
use crate::web::admin::frame::Frame;
use crate::web::admin::imports::words;
use crate::web::admin::jobs::tone;
use crate::web::admin::see;
use crate::web::error;
use crate::web::page::render;

/// The choice for lists whose rows tell their source.
const EACH_ROW: &str = "each-row";

/// What stands behind `?`: the source that is looked at.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    pub source: Option<String>,
}

/// A piece of proof to be typed.
struct Proof {
    key: &'static str,
    label: String,
    about: &'static str,
    need: &'static str,
    value: String,
    /// The column that holds it for each row.
    column: Option<String>,
    problem: Option<String>,
}

/// A row of the policy's table.
struct Told {
    rule: &'static str,
    says: &'static str,
    verdict: &'static str,
    tone: &'static str,
    meaning: &'static str,
    outreach: &'static str,
    outreach_says: &'static str,
    conditions: &'static str,
    lasts: String,
}

impl Told {
    fn of(row: &Row) -> Self {
        Self {
            rule: row.rule.id(),
            says: row.rule.says(),
            verdict: words(row.verdict.as_str()),
            tone: tone(row.verdict.as_str()),
            meaning: row.verdict.says(),
            outreach: row.outreach.as_str(),
            outreach_says: row.outreach.says(),
            conditions: row.conditions,
            lasts: match row.verdict {
                Verdict::Accept => row.window.to_string(),
                Verdict::ConfirmFirst | Verdict::Refuse => String::new(),
            },
        }
    }
}

/// The verdict on the first row of the list.
struct First {
    verdict: String,
    tone: &'static str,
    rule: &'static str,
    says: &'static str,
    outreach: &'static str,
    until: Option<String>,
    why: String,
    deviates: bool,
}

impl First {
    fn of(judgement: Judgement) -> Self {
        let verdict = judgement.verdict;
        Self {
            verdict: words(verdict.as_str()).to_owned(),
            tone: tone(verdict.as_str()),
            rule: judgement.rule.id(),
            says: judgement.rule.says(),
            outreach: judgement.outreach.says(),
            until: judgement
                .valid_until
                .filter(|_| verdict == Verdict::Accept)
                .map(crate::domain::time::Timestamp::to_the_minute),
            why: judgement.why,
            deviates: judgement.deviation.is_some(),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/import_source.html")]
struct SourcePage {
    frame: Frame,
    head: Head,
    path: String,
    sources: Vec<Choice>,
    /// A source is chosen; of `each-row` nothing of the table is told.
    chosen: Option<String>,
    told: Option<Told>,
    proof: Vec<Proof>,
    papers: Papers,
    obtained_on: String,
    day_column: Option<String>,
    day_problem: Option<String>,
    organizer: bool,
    confirm_organizer_list: bool,
    first: Option<First>,
    policy: &'static str,
    note: &'static str,
}

/// The column that is said to hold a field.
fn column(look: &Look, field: &str) -> Option<String> {
    let at = look
        .fields
        .iter()
        .position(|known| known.as_deref() == Some(field))?;
    look.header
        .get(at)
        .map(|name| name.trim().chars().take(60).collect())
}

fn choices(look: &Look, chosen: &str) -> Vec<Choice> {
    let each = column(look, "source").map(|name| {
        Choice::of(
            EACH_ROW,
            &format!("Each row says it, in the column “{name}”"),
            chosen,
        )
    });
    let sources = SOURCES.iter().map(|row| {
        Choice::of(
            row.name,
            &format!("{} ({})", row.rule.says(), row.name),
            chosen,
        )
    });
    each.into_iter().chain(sources).collect()
}

struct Shown<'a> {
    brand: &'a Brand,
    draft: &'a Draft<ImportDraft>,
    said: &'a Said,
    chosen: Option<&'a str>,
    problems: Vec<(String, String)>,
    problem: Option<String>,
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    shown: Shown<'_>,
) -> HttpResponse {
    let Shown {
        brand,
        draft,
        said,
        chosen,
        problems,
        problem,
    } = shown;
    let look = shared.app.look(draft).await;
    if look.problem.is_some() {
        return see(&path(brand, draft.id, "columns"));
    }
    let source = chosen.and_then(Source::parse);
    let problem_of = |field: &str| {
        problems
            .iter()
            .find(|one| one.0 == field)
            .map(|one| one.1.clone())
    };
    let is_saved = draft.of.said.has_source && chosen == Some(saved(&draft.of.said));
    let first = if is_saved && problems.is_empty() {
        match shared.app.judge_first(brand, draft).await {
            Ok(first) => first.map(First::of),
            Err(problem) => return error::store_failure(request, shared, &problem),
        }
    } else {
        None
    };
    let given = |key: &str| {
        said.proof
            .iter()
            .find(|pair| pair.0 == key)
            .map(|pair| pair.1.clone())
    };
    let proof = source
        .into_iter()
        .flat_map(|source| source.row().proof)
        .map(|proof| Proof {
            key: proof.key,
            label: proof.key.replace('_', " "),
            about: proof.about,
            need: match proof.need {
                Need::Demanded => "has to be there",
                Need::OneOf => "one of these has to be there",
                Need::Optional => "if there is one",
            },
            value: given(proof.key).unwrap_or_default(),
            column: column(&look, &format!("proof.{}", proof.key)),
            problem: problem_of(&format!("proof.{}", proof.key)),
        });
    let status = if problems.is_empty() && problem.is_none() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let summary = (!problems.is_empty()).then(|| {
        format!(
            "{} of the fields below cannot be used as they are.",
            problems.len()
        )
    });
    render(
        status,
        &SourcePage {
            frame: frame(shared, operator, "From where the addresses came")
                .failing(problem.or(summary)),
            head: Head::of(brand, draft, "source"),
            path: path(brand, draft.id, "source"),
            sources: choices(&look, chosen.unwrap_or("")),
            chosen: chosen.map(str::to_owned),
            told: source.map(|source| Told::of(source.row())),
            proof: proof.collect(),
            papers: Papers::of(draft, &look, source, problem_of),
            obtained_on: said.obtained_on.clone().unwrap_or_default(),
            day_column: column(&look, "obtained_on"),
            day_problem: problem_of("obtained_on"),
            organizer: source == Some(Source::EventOrganizerList),
            confirm_organizer_list: said.confirm_organizer_list,
            first,
            policy: POLICY_VERSION,
            note: NO_LEGAL_ADVICE,
        },
    )
}

fn saved(said: &Said) -> &str {
    said.source.as_deref().unwrap_or(EACH_ROW)
}

/// The source that is named, where there is one of this name.
fn known<'a>(source: &'a str, look: &Look) -> Option<&'a str> {
    let each_row = source == EACH_ROW && column(look, "source").is_some();
    (each_row || Source::parse(source).is_some()).then_some(source)
}

/// `GET /admin/new-import/{brand}/{id}/source`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    wanted: Query<Wanted>,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    let look = shared.app.look(&draft).await;
    let before = draft.of.said.has_source.then(|| saved(&draft.of.said));
    let chosen = wanted
        .source
        .as_deref()
        .and_then(|source| known(source, &look))
        .or(before);
    // What was typed for another source is not this one's.
    let said = match chosen == before {
        true => draft.of.said.clone(),
        false => Said {
            proof: Vec::new(),
            obtained_on: None,
            ..draft.of.said.clone()
        },
    };
    let shown = Shown {
        brand: &brand,
        draft: &draft,
        said: &said,
        chosen,
        problems: Vec::new(),
        problem: None,
    };
    page(&request, &shared, &operator, shown).await
}

/// `POST /admin/new-import/{brand}/{id}/source`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    payload: Payload,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    let form = match papers::read(&request, &shared, &draft, payload).await {
        Ok(Some(form)) => form,
        Ok(None) => {
            let problem =
                "The form did not arrive whole, or is far longer than it may be. Please try again.";
            let said = draft.of.said.clone();
            let shown = Shown {
                brand: &brand,
                draft: &draft,
                said: &said,
                chosen: draft.of.said.has_source.then(|| saved(&said)),
                problems: Vec::new(),
                problem: Some(problem.to_owned()),
            };
            return page(&request, &shared, &operator, shown).await;
        }
        Err(answer) => return answer,
    };
    let look = shared.app.look(&draft).await;
    if let Some(LookProblem::Gone) = look.problem {
        return see(&super::path(&brand, draft.id, "columns"));
    }
    let (draft, fields, mut told) = match papers::take(&request, &shared, draft, form).await {
        Ok(taken) => taken,
        Err(answer) => return answer,
    };
    let chosen = known(fields.raw("source"), &look);
    let source = chosen.and_then(Source::parse);
    let keys = source
        .into_iter()
        .flat_map(|source| source.row().proof)
        .map(|proof| proof.key);
    let proof = keys.filter_map(|key| {
        let value = fields.one(&format!("proof.{key}"))?;
        Some((key.to_owned(), value.to_owned()))
    });
    let said = Said {
        source: source.map(|source| source.as_str().to_owned()),
        has_source: chosen.is_some(),
        obtained_on: fields.one("obtained_on").map(str::to_owned),
        proof: proof.collect(),
        confirm_organizer_list: source == Some(Source::EventOrganizerList)
            && fields.one("confirm_organizer_list").is_some(),
        ..draft.of.said.clone()
    };
    let problems = draft.of.problems(&said);
    if chosen.is_none() {
        let text = "Choose from where the addresses came: without it nothing can be judged.";
        told.push(text.to_owned());
    }
    if !told.is_empty() || !problems.is_empty() {
        let shown = Shown {
            brand: &brand,
            draft: &draft,
            said: &said,
            chosen,
            problems,
            problem: (!told.is_empty()).then(|| told.join(" ")),
        };
        return page(&request, &shared, &operator, shown).await;
    }
    let draft = match shared.app.say(draft, said).await {
        Ok(draft) => draft,
        Err(problem) => return changed(&request, &shared, &problem),
    };
    if fields.raw("then") != "try" {
        return see(&super::path(&brand, draft.id, "source"));
    }
    let trial = super::path(&brand, draft.id, "trial");
    match shared.app.have_tried(draft).await {
        Ok(()) => see(&trial),
        Err(problem) => changed(&request, &shared, &problem),
    }
}

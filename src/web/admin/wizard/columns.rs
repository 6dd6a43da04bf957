//! Step 2: what the file was taken for, and what its columns hold.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Head, draft, frame, path};
use crate::app::drafts::{Draft, ImportDraft, Look, LookProblem, Said};
use crate::domain::brand::{Brand, LANGUAGES};
use crate::domain::operator::Operator;
use crate::domain::policy::{SOURCES, TAKE_FILES};
use crate::web::Web;
use crate::web::admin::brands::Choice;
use crate::web::admin::frame::Frame;
use crate::web::admin::see;
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// Columns that have a line of their own. A list with more shows those that mean something, and the first of the others.
const SHOWN: usize = 40;
/// Further columns of a wide list that can be named.
const FURTHER: usize = 3;

/// What a column can hold, but for proofs.
const HOLDS: [(&str, &str); 14] = [
    ("email", "Address"),
    ("name", "Name"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("language", "Language"),
    ("source", "Source"),
    ("obtained_on", "Day of the act"),
    ("left", "Left: unsubscribed, with a date or a reason"),
    ("opted_in_at", "Elsewhere: signed up at"),
    ("opted_in_ip", "Elsewhere: signed up from"),
    ("confirmed_at", "Elsewhere: confirmed at"),
    ("confirmed_ip", "Elsewhere: confirmed from"),
    ("legal_basis", "Elsewhere: legal basis"),
    ("explanation", "Elsewhere: explanation"),
];

/// What a column holds, as a choice; what it says of itself in the list of the others too.
fn holds(chosen: &str) -> Vec<Choice> {
    let mut keys: Vec<&str> = SOURCES
        .iter()
        .flat_map(|row| row.proof)
        .map(|proof| proof.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let proofs = keys.into_iter().map(|key| {
        (
            format!("proof.{key}"),
            format!("Proof: {}", key.replace('_', " ")),
        )
    });
    let files = TAKE_FILES.into_iter().map(|key| {
        let label = format!("File of proof: {}", key.replace('_', " "));
        (format!("file.{key}"), label)
    });
    let named = HOLDS
        .iter()
        .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()));
    let nothing = [("ignore".to_owned(), "– left out –".to_owned())];
    nothing
        .into_iter()
        .chain(named)
        .chain(proofs)
        .chain(files)
        .map(|(value, label)| Choice::of(&value, &label, chosen))
        .collect()
}

/// One column.
struct Column {
    at: usize,
    name: String,
    sample: Vec<String>,
    holds: Vec<Choice>,
    used: bool,
}

/// A further column of a wide list.
struct Further {
    number: usize,
    columns: Vec<Choice>,
    holds: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "admin/import_columns.html")]
struct ColumnsPage {
    frame: Frame,
    head: Head,
    path: String,
    about: Option<String>,
    is_workbook: bool,
    columns: Vec<Column>,
    further: Vec<Further>,
    not_shown: usize,
    total: usize,
    broken: Vec<String>,
    encodings: Vec<Choice>,
    delimiters: Vec<Choice>,
    dates: Vec<Choice>,
    languages: Vec<Choice>,
    sheet: String,
    /// The list cannot be used, whatever is said here.
    hopeless: bool,
}

fn name_of(header: &[String], at: usize) -> String {
    let name = header.get(at).map(|name| name.trim()).unwrap_or_default();
    if name.is_empty() {
        format!("(column {} has no name)", at + 1)
    } else {
        name.chars().take(60).collect()
    }
}

/// The columns that have a line: those that mean something, and the first of the others, in the list's order.
fn shown(look: &Look) -> Vec<usize> {
    let all = 0..look.header.len();
    let means = |at: &usize| matches!(look.fields.get(*at), Some(Some(_)));
    let mut shown: Vec<usize> = all.clone().filter(means).take(SHOWN).collect();
    let room = SHOWN - shown.len();
    shown.extend(all.filter(|at| !means(at)).take(room));
    shown.sort_unstable();
    shown
}

fn encodings(chosen: &str) -> Vec<Choice> {
    let all = [
        ("", "find out"),
        ("utf-8", "UTF-8"),
        ("utf-16le", "UTF-16, little-endian"),
        ("utf-16be", "UTF-16, big-endian"),
        ("windows-1252", "Western European (Windows-1252, Latin-1)"),
        ("windows-1250", "Central European (Windows-1250)"),
        ("iso-8859-2", "Central European (ISO 8859-2)"),
        ("windows-1251", "Cyrillic (Windows-1251)"),
        ("macintosh", "Mac OS Roman"),
    ];
    all.map(|(value, label)| Choice::of(value, label, chosen))
        .to_vec()
}

fn page(
    shared: &Web,
    operator: &Operator,
    (brand, draft): (&Brand, &Draft<ImportDraft>),
    look: &Look,
    problem: Option<String>,
) -> HttpResponse {
    let said = &draft.of.said;
    let told = match &look.problem {
        Some(LookProblem::Gone) => Some(
            "The server does not have this list any more, or it lies on another machine. Remove it here, and bring it again."
                .to_owned(),
        ),
        Some(LookProblem::File(text) | LookProblem::Columns(text)) => Some(text.clone()),
        None => None,
    };
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let shown = shown(look);
    let columns: Vec<Column> = shown
        .iter()
        .map(|&at| {
            let field = look.fields.get(at).cloned().flatten();
            let cells = look
                .rows
                .iter()
                .filter_map(|row| row.as_ref().ok()?.get(at));
            Column {
                at,
                name: name_of(&look.header, at),
                sample: cells
                    .filter(|cell| !cell.is_empty())
                    .take(3)
                    .cloned()
                    .collect(),
                used: field.is_some(),
                holds: holds(field.as_deref().unwrap_or("ignore")),
            }
        })
        .collect();
    let hidden: Vec<usize> = (0..look.header.len())
        .filter(|at| !shown.contains(at))
        .collect();
    let further = if hidden.is_empty() { 0 } else { FURTHER };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let hopeless = matches!(look.problem, Some(LookProblem::Gone | LookProblem::File(_)));
    render(
        status,
        &ColumnsPage {
            frame: frame(shared, operator, "What the columns hold").failing(problem.or(told)),
            head: Head::of(brand, draft, "columns"),
            path: path(brand, draft.id, "columns"),
            about: look.about.clone(),
            is_workbook: look.is_workbook,
            further: (0..further)
                .map(|number| Further {
                    number: number + 1,
                    columns: hidden
                        .iter()
                        .map(|at| Choice::of(&at.to_string(), &name_of(&look.header, *at), ""))
                        .collect(),
                    holds: holds("ignore"),
                })
                .collect(),
            not_shown: hidden.len(),
            total: look.header.len(),
            broken: look
                .rows
                .iter()
                .filter_map(|row| row.clone().err())
                .collect(),
            columns,
            encodings: encodings(&text(&said.encoding)),
            delimiters: [
                ("", "find out"),
                (",", "comma ,"),
                (";", "semicolon ;"),
                ("tab", "tab"),
                ("|", "bar |"),
            ]
            .map(|(value, label)| Choice::of(value, label, &text(&said.delimiter)))
            .to_vec(),
            dates: [
                ("", "each says it: 2026-04-03, 3 April 2026"),
                ("day_first", "day first: 03/04/2026 is 3 April"),
                ("month_first", "month first: 03/04/2026 is 4 March"),
            ]
            .map(|(value, label)| Choice::of(value, label, &text(&said.dates)))
            .to_vec(),
            languages: LANGUAGES
                .map(|tag| Choice::of(tag, tag, &said.language))
                .to_vec(),
            sheet: text(&said.sheet),
            hopeless,
        },
    )
}

/// `GET /admin/new-import/{brand}/{id}/columns`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    let look = shared.app.look(&draft).await;
    page(&shared, &operator, (&brand, &draft), &look, None)
}

/// A column by its name where it is the first one of that name, or by its number where no column is called like that.
fn wanted(header: &[String], at: usize) -> Option<String> {
    let same = |wanted: &str| {
        let wanted = wanted.trim().to_lowercase();
        header
            .iter()
            .position(|name| name.trim().to_lowercase() == wanted)
    };
    let name = header.get(at)?.trim().to_owned();
    if !name.is_empty() && same(&name) == Some(at) {
        return Some(name);
    }
    let number = (at + 1).to_string();
    same(&number).is_none().then_some(number)
}

/// What is said of each column, from the selects.
fn map_of(look: &Look, fields: &Fields) -> Result<Vec<(String, String)>, String> {
    let mut map: Vec<(String, String)> = Vec::new();
    let mut chosen: Vec<(usize, String)> = shown(look)
        .into_iter()
        .filter_map(|at| Some((at, fields.one(&format!("c{at}"))?.to_owned())))
        .collect();
    for number in 1..=FURTHER {
        let at = fields
            .one(&format!("f{number}"))
            .and_then(|at| at.parse().ok());
        let field = fields.one(&format!("g{number}"));
        if let (Some(at), Some(field)) = (at, field.filter(|field| *field != "ignore")) {
            chosen.push((at, field.to_owned()));
        }
    }
    for (at, field) in chosen {
        match wanted(&look.header, at) {
            Some(column) => map.push((column, field)),
            None if field == "ignore" => {}
            None => {
                return Err(format!(
                    "The column “{}” cannot be told from another one. Give it a name of its own in the list, and bring it again.",
                    name_of(&look.header, at)
                ));
            }
        }
    }
    Ok(map)
}

/// `POST /admin/new-import/{brand}/{id}/columns`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
    fields: Fields,
) -> HttpResponse {
    let (brand, draft) = draft!(request, shared, operator, path);
    let text = |name: &str| fields.one(name).map(str::to_owned);
    let known = draft.of.said.clone();
    let language = fields.one("language").filter(|tag| LANGUAGES.contains(tag));
    let mut said = Said {
        encoding: text("encoding"),
        delimiter: text("delimiter"),
        sheet: text("sheet"),
        dates: text("dates"),
        language: language.unwrap_or("en").to_owned(),
        ..known.clone()
    };
    let read_anew = (&said.encoding, &said.delimiter, &said.sheet)
        != (&known.encoding, &known.delimiter, &known.sheet);
    let look = shared.app.look(&draft).await;
    if read_anew {
        said.map = Vec::new();
    } else {
        match map_of(&look, &fields) {
            Ok(map) => said.map = map,
            Err(text) => return page(&shared, &operator, (&brand, &draft), &look, Some(text)),
        }
    }
    let draft = match shared.app.say(draft, said).await {
        Ok(draft) => draft,
        Err(problem) => return changed(&request, &shared, &problem),
    };
    let here = super::path(&brand, draft.id, "columns");
    if read_anew || fields.raw("then") == "again" {
        return see(&here);
    }
    let look = shared.app.look(&draft).await;
    match &look.problem {
        None => see(&super::path(&brand, draft.id, "source")),
        Some(LookProblem::Gone) => page(&shared, &operator, (&brand, &draft), &look, None),
        Some(LookProblem::File(text) | LookProblem::Columns(text)) => {
            let text = text.clone();
            page(&shared, &operator, (&brand, &draft), &look, Some(text))
        }
    }
}

/// The answer where a draft was not changed: it is looked at again.
pub fn changed(
    request: &HttpRequest,
    shared: &Data<Web>,
    problem: &crate::app::drafts::DraftProblem,
) -> HttpResponse {
    match problem {
        crate::app::drafts::DraftProblem::Store(problem) => {
            error::store_failure(request, shared, problem)
        }
        crate::app::drafts::DraftProblem::Changed => see("/admin/imports"),
    }
}

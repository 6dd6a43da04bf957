//! Files of proof within step 3: read with the fields of its form, kept with the list, shown, and taken away again.

use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, rt};
use futures_util::StreamExt;
use uuid::Uuid;

use crate::app::drafts::proofs::{Arriving, NAMED_AT_MOST, NAMED_BYTES};
use crate::app::drafts::{Draft, DraftProblem, ImportDraft, Look, Paper, PaperRefused};
use crate::domain::policy::{Source, TAKE_FILES, takes_file};
use crate::intake::papers::PAPERS_AT_MOST;
use crate::intake::proof::FILE_BYTES;
use crate::web::Web;
use crate::web::admin::brands::Choice;
use crate::web::admin::jobs::size;
use crate::web::error;
use crate::web::extract::body::closing;
use crate::web::extract::fields::Fields;
use crate::web::extract::paced::Paced;

/// Bytes of a field beside the files, and how many there are.
const FIELD_AT_MOST: usize = 8 * 1_024;
const FIELDS_AT_MOST: usize = 64;
/// Bytes of all files of one form: as many as a list can have, and one that is too long.
const BYTES_AT_MOST: u64 = NAMED_BYTES + (PAPERS_AT_MOST as u64 + 1) * FILE_BYTES;
/// Refused files that are told one by one.
const TOLD: usize = 5;

/// The fields of a form with the files that came with it.
pub struct Form {
    pub fields: Fields,
    /// Papers for all rows, and files that rows name; each as it arrived, or its name with the reason why not.
    files: Vec<(Slot, Result<Arriving, Refused>)>,
}

type Refused = (String, PaperRefused);

/// For what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    AllRows,
    Named,
}

impl Slot {
    fn of(field: &Field) -> Option<Self> {
        match field.name() {
            Some("paper") => Some(Self::AllRows),
            Some("named") => Some(Self::Named),
            _ => None,
        }
    }
}

/// Reads the form, and writes its files as they come; without files it may come url-encoded as well. What comes behind a file that
/// is refused is thrown away, so that the browser hears why. None: it did not come whole.
pub async fn read(
    request: &HttpRequest,
    shared: &Web,
    draft: &Draft<ImportDraft>,
    payload: Payload,
) -> Result<Option<Form>, HttpResponse> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        let body = Paced::new(payload, shared.upload_pace);
        let too_slow = body.too_slow();
        let parts = Multipart::new(request.headers(), body);
        let form = read_parts(shared, draft, parts).await;
        if too_slow.is_it() {
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(closing(error::answer(
                request,
                shared,
                status,
                "error-too-slow",
            )));
        }
        return Ok(form);
    }
    let fields = Fields::from_request(request, &mut payload.into_inner()).await;
    fields
        .map(|fields| {
            Some(Form {
                fields,
                files: Vec::new(),
            })
        })
        .map_err(HttpResponse::from_error)
}

async fn read_parts(
    shared: &Web,
    draft: &Draft<ImportDraft>,
    mut parts: Multipart,
) -> Option<Form> {
    let mut form = Form {
        fields: Fields::default(),
        files: Vec::new(),
    };
    let (mut texts, mut bytes) = (0, 0);
    while let Some(part) = parts.next().await {
        let mut part = part.ok()?;
        let Some(slot) = Slot::of(&part) else {
            texts += 1;
            let name = part.name().unwrap_or_default().to_owned();
            let value = text(&mut part).await?;
            if texts > FIELDS_AT_MOST || !form.fields.add(&name, value) {
                return None;
            }
            continue;
        };
        if form.files.len() > NAMED_AT_MOST + PAPERS_AT_MOST {
            return None;
        }
        form.files.extend(
            file(shared, draft, &mut part, &mut bytes)
                .await?
                .map(|file| (slot, file)),
        );
    }
    Some(form)
}

async fn text(part: &mut Field) -> Option<String> {
    let mut value = Vec::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.ok()?;
        if value.len() + chunk.len() > FIELD_AT_MOST {
            return None;
        }
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).ok()
}

/// One file; none where no file was chosen. `bytes`: of all files up to here.
async fn file(
    shared: &Web,
    draft: &Draft<ImportDraft>,
    part: &mut Field,
    bytes: &mut u64,
) -> Option<Option<Result<Arriving, Refused>>> {
    let about = part.content_disposition();
    let name = about.and_then(|about| about.get_filename());
    let name = name.unwrap_or_default().to_owned();
    let is_chosen = !name.is_empty();
    let mut arriving = None;
    while let Some(chunk) = part.next().await {
        let chunk = chunk.ok()?;
        *bytes += chunk.len() as u64;
        if *bytes > BYTES_AT_MOST {
            return None;
        }
        if !is_chosen {
            continue;
        }
        let now = match arriving.take() {
            None => shared.app.begin_paper(draft, &name).await,
            Some(now) => now,
        };
        arriving = Some(match now {
            Ok(mut now) => now.write(&chunk).await.map(|()| now),
            refused => refused,
        });
    }
    if !is_chosen {
        return Some(None);
    }
    let arriving = match arriving {
        None => shared.app.begin_paper(draft, &name).await,
        Some(now) => now,
    };
    Some(Some(arriving.map_err(|problem| (name, problem))))
}

/// Does with the files of a list what the form says; answers with the list as it is now, and with what could not be taken.
pub async fn take(
    request: &HttpRequest,
    shared: &Data<Web>,
    draft: Draft<ImportDraft>,
    form: Form,
) -> Result<(Draft<ImportDraft>, Fields, Vec<String>), HttpResponse> {
    let Form { fields, files } = form;
    let removed = match fields.raw("then") {
        "remove-named" => {
            shared
                .app
                .drop_papers(draft, |paper| paper.key.is_none())
                .await
        }
        then => {
            let id = then
                .strip_prefix("remove ")
                .and_then(|id| Uuid::parse_str(id).ok());
            shared
                .app
                .drop_papers(draft, |paper| Some(paper.id) == id)
                .await
        }
    };
    let draft = removed.map_err(|problem| super::columns::changed(request, shared, &problem))?;
    let key = fields.one("paper-key").map(str::to_owned);
    let (mut whole, mut told) = (Vec::new(), Vec::new());
    for (slot, file) in files {
        match (file, slot, &key) {
            (Err(refused), ..) => told.push(refused),
            (Ok(file), Slot::Named, _) => whole.push((None, file)),
            (Ok(file), Slot::AllRows, key) => {
                whole.push((Some(key.clone().unwrap_or_default()), file))
            }
        }
    }
    if whole.is_empty() {
        let nothing_chosen = fields.raw("then") == "add" && told.is_empty();
        let mut told = words(told);
        told.extend(nothing_chosen.then(|| "Choose a file first.".to_owned()));
        return Ok((draft, fields, told));
    }
    // On a task of its own: a browser that goes away must not leave a list that names a file which is gone with the request.
    let app = shared.app.clone();
    let kept = rt::spawn(async move { app.keep_papers(draft, whole).await }).await;
    match kept.unwrap_or(Err(DraftProblem::Changed.into())) {
        Ok((draft, refused)) => {
            told.extend(refused);
            Ok((draft, fields, words(told)))
        }
        Err(PaperRefused::Draft(DraftProblem::Changed)) => Err(super::columns::changed(
            request,
            shared,
            &DraftProblem::Changed,
        )),
        Err(PaperRefused::Draft(DraftProblem::Store(problem))) => {
            Err(error::store_failure(request, shared, &problem))
        }
        Err(problem) => {
            tracing::error!(%problem, "files of proof that were brought cannot be kept");
            Err(error::plain_failure())
        }
    }
}

/// What was refused, a sentence each.
fn words(refused: Vec<Refused>) -> Vec<String> {
    let more = refused.len().saturating_sub(TOLD);
    let mut words: Vec<String> = refused
        .into_iter()
        .take(TOLD)
        .map(|(name, problem)| format!("“{name}” was not taken: {problem}."))
        .collect();
    words.extend((more > 0).then(|| format!("{more} further files were not taken either.")));
    words
}

/// A file as the page shows it.
pub struct Kept {
    pub id: Uuid,
    pub name: String,
    /// For what it is, where it holds for all rows.
    pub key: String,
    pub size: String,
    pub sha256: String,
    pub problem: Option<String>,
}

impl Kept {
    fn of(paper: &Paper, problem: Option<String>) -> Self {
        Self {
            id: paper.id,
            name: paper.name.clone(),
            key: paper.key.clone().unwrap_or_default(),
            size: size(paper.bytes),
            sha256: paper.sha256.clone(),
            problem,
        }
    }
}

/// All that the page shows of files of proof.
pub struct Papers {
    /// The pieces of proof of the source that may be files.
    pub keys: Vec<Choice>,
    pub kept: Vec<Kept>,
    /// Columns that are said to name files.
    pub columns: Vec<String>,
    pub named: Vec<Kept>,
    pub named_size: String,
    pub at_most: usize,
    pub megabytes: u64,
    pub named_at_most: usize,
    pub named_megabytes: u64,
}

impl Papers {
    /// `source`: none where each row says it. `problem_of`: what is wrong with a field.
    pub fn of(
        draft: &Draft<ImportDraft>,
        look: &Look,
        source: Option<Source>,
        problem_of: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let keys: Vec<&str> = match source {
            Some(source) => {
                let keys = source.row().proof.iter().map(|proof| proof.key);
                keys.filter(|key| takes_file(key)).collect()
            }
            None => TAKE_FILES.to_vec(),
        };
        let fields = look.header.iter().zip(&look.fields);
        let columns = fields.filter(|(_, field)| {
            let field = field.as_deref().unwrap_or_default();
            field.starts_with("file.")
        });
        let papers = draft.of.papers().map(|paper| {
            let key = paper.key.as_deref().unwrap_or_default();
            Kept::of(paper, problem_of(&format!("paper.{key}")))
        });
        Self {
            keys: keys
                .into_iter()
                .map(|key| Choice::of(key, &key.replace('_', " "), ""))
                .collect(),
            kept: papers.collect(),
            columns: columns
                .map(|(name, _)| name.trim().chars().take(60).collect())
                .collect(),
            named: draft
                .of
                .named()
                .map(|paper| Kept::of(paper, None))
                .collect(),
            named_size: size(draft.of.named().map(|paper| paper.bytes).sum()),
            at_most: PAPERS_AT_MOST,
            megabytes: FILE_BYTES >> 20,
            named_at_most: NAMED_AT_MOST,
            named_megabytes: NAMED_BYTES >> 20,
        }
    }
}

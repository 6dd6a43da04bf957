//! Step 1: brand, purpose and file. The file is written to disk as it comes, and acknowledged when it is there.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::StreamExt;

use super::{Step, draft, frame, path, steps};
use crate::app::drafts::upload::{Brought, Incoming, UploadProblem};
use crate::domain::brand::Slug;
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::admin::brands::brand_of;
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::{Group, purposes};
use crate::web::admin::{acting, not_found, see};
use crate::web::error;
use crate::web::extract::body::closing;
use crate::web::extract::paced::Paced;
use crate::web::page::render;

/// Bytes of a field beside the file.
const FIELD_AT_MOST: usize = 1_024;
const FIELDS_AT_MOST: usize = 8;

#[derive(Template)]
#[template(path = "admin/import_file.html")]
struct FilePage {
    frame: Frame,
    steps: Vec<Step>,
    groups: Vec<Group>,
    megabytes: u64,
    problem: Option<String>,
}

fn page(
    shared: &Web,
    operator: &Operator,
    chosen: &str,
    problem: Option<(StatusCode, String)>,
) -> HttpResponse {
    let (status, problem) = match problem {
        Some((status, text)) => (status, Some(text)),
        None => (StatusCode::OK, None),
    };
    render(
        status,
        &FilePage {
            frame: frame(shared, operator, "Bring a list"),
            steps: steps(None, "file"),
            groups: purposes(shared, operator, chosen),
            megabytes: shared.app.config.uploads.bytes >> 20,
            problem,
        },
    )
}

/// `GET /admin/new-import`
pub async fn show(shared: Data<Web>, operator: ReqData<Operator>) -> HttpResponse {
    page(&shared, &operator, "", None)
}

/// Why a body is not taken.
enum Refused {
    Upload(UploadProblem),
    Malformed,
    TooSlow,
}

impl From<UploadProblem> for Refused {
    fn from(problem: UploadProblem) -> Self {
        Self::Upload(problem)
    }
}

#[derive(Default)]
struct Form {
    /// `brand/purpose`.
    wanted: String,
    file: Option<(String, Incoming)>,
    /// The file was longer than it may be.
    problem: Option<UploadProblem>,
}

/// Reads the fields, and writes the file as it comes. What comes behind a file that is refused is thrown away, so that the
/// browser hears why.
async fn read(shared: &Web, parts: &mut Multipart) -> Result<Form, Refused> {
    let mut form = Form::default();
    let mut count = 0;
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| Refused::Malformed)?;
        count += 1;
        if count > FIELDS_AT_MOST {
            return Err(Refused::Malformed);
        }
        if part.name() != Some("file") {
            let mut value = Vec::new();
            while let Some(chunk) = part.next().await {
                let chunk = chunk.map_err(|_| Refused::Malformed)?;
                if value.len() + chunk.len() > FIELD_AT_MOST {
                    return Err(Refused::Malformed);
                }
                value.extend_from_slice(&chunk);
            }
            if part.name() == Some("for") {
                form.wanted = String::from_utf8_lossy(&value).into_owned();
            }
            continue;
        }
        let name = part
            .content_disposition()
            .and_then(|about| about.get_filename());
        let name = name.unwrap_or_default().to_owned();
        let mut incoming = match shared.app.begin_upload().await {
            Ok(incoming) => Some(incoming),
            Err(problem) => {
                form.problem = Some(problem);
                None
            }
        };
        let (mut thrown, most) = (0, shared.app.config.uploads.bytes);
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| Refused::Malformed)?;
            let written = match incoming.as_mut() {
                Some(incoming) => incoming.write(&chunk).await,
                None => {
                    thrown += chunk.len() as u64;
                    if thrown > most {
                        return Err(Refused::Malformed);
                    }
                    Ok(())
                }
            };
            if let Err(problem) = written {
                form.problem = Some(problem);
                incoming = None;
            }
        }
        form.file = incoming.map(|incoming| (name, incoming));
    }
    Ok(form)
}

/// `POST /admin/new-import`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    payload: Payload,
) -> HttpResponse {
    let body = Paced::new(payload, shared.upload_pace);
    let too_slow = body.too_slow();
    let mut parts = Multipart::new(request.headers(), body);
    let form = read(&shared, &mut parts).await;
    let form = form.map_err(|problem| match problem {
        Refused::Malformed if too_slow.is_it() => Refused::TooSlow,
        problem => problem,
    });
    let form = match form {
        Ok(form) => form,
        Err(Refused::TooSlow) => {
            let text = "The file came too slowly, and the server did not wait for the rest. Please try again over a faster \
                        connection, or leave out columns that are not needed.";
            let problem = (StatusCode::REQUEST_TIMEOUT, text.to_owned());
            return closing(page(&shared, &operator, "", Some(problem)));
        }
        Err(Refused::Upload(problem)) => return refuse(&request, &shared, &operator, "", problem),
        Err(Refused::Malformed) => {
            let text =
                "The file did not arrive whole, or is far longer than it may be. Please try again.";
            let problem = (StatusCode::BAD_REQUEST, text.to_owned());
            return page(&shared, &operator, "", Some(problem));
        }
    };
    if let Some(problem) = form.problem {
        return refuse(&request, &shared, &operator, &form.wanted, problem);
    }
    let found = form.wanted.split_once('/').and_then(|(brand, purpose)| {
        let brand = brand_of(&shared, &operator, brand)?;
        let purpose = Slug::try_from(purpose.to_owned()).ok()?;
        brand
            .purpose(&purpose)
            .is_some()
            .then_some((brand, purpose))
    });
    let Some((brand, purpose)) = found else {
        return not_found(&shared, &operator, "This brand or its purpose");
    };
    let Some((file_name, incoming)) = form.file else {
        return refuse(
            &request,
            &shared,
            &operator,
            &form.wanted,
            UploadProblem::None,
        );
    };
    if file_name.is_empty() {
        return refuse(
            &request,
            &shared,
            &operator,
            &form.wanted,
            UploadProblem::None,
        );
    }
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let brought = Brought {
        brand: &brand,
        purpose: &purpose,
        file_name: &file_name,
        by: &acting,
    };
    match shared.app.end_upload(incoming, brought).await {
        Ok(draft) => see(&path(&brand, draft.id, "columns")),
        Err(problem) => refuse(&request, &shared, &operator, &form.wanted, problem),
    }
}

fn refuse(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    wanted: &str,
    problem: UploadProblem,
) -> HttpResponse {
    let status = match &problem {
        UploadProblem::Store(problem) => return error::store_failure(request, shared, problem),
        UploadProblem::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        UploadProblem::Many(_) => StatusCode::CONFLICT,
        UploadProblem::Io(problem) => {
            tracing::error!(%problem, "a list that was brought cannot be kept");
            StatusCode::INSUFFICIENT_STORAGE
        }
        UploadProblem::None | UploadProblem::Empty => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let text = format!("The list was not taken: {problem}.");
    page(shared, operator, wanted, Some((status, text)))
}

/// `POST /admin/new-import/{brand}/{id}/remove`
pub async fn remove(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (_, draft) = draft!(request, shared, operator, path);
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    match shared.app.drop_import_draft(&acting, &draft).await {
        Ok(()) => see("/admin/imports?done=removed"),
        Err(problem) => {
            tracing::warn!(%problem, "a list was not removed");
            see("/admin/imports")
        }
    }
}

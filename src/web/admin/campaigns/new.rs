//! `/admin/new-campaign`: what is asked of whom; counted, with the mail, before it starts.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::mail::{Preview, framed, none, preview};
use super::{kind_words, plan_words, why_words};
use crate::app::campaign::{CampaignProblem, NewCampaign, due_of};
use crate::app::drafts::campaign::CampaignDraft;
use crate::app::drafts::{Draft, Stage};
use crate::domain::brand::{Brand, Slug};
use crate::domain::campaign::{Kind, Plan};
use crate::domain::ids::ImportId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::policy::Zone;
use crate::web::Web;
use crate::web::admin::brands::{Choice, brand_of};
use crate::web::admin::frame::Frame;
use crate::web::admin::jobs::{Group, brand_and_id, brands, grouped, purposes};
use crate::web::admin::{acting, not_found, see};
use crate::web::error;
use crate::web::extract::fields::Fields;
use crate::web::page::render;

/// The form's fields as text, as they were typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    name: String,
    kind: String,
    wanted: String,
    form: String,
    import: String,
    due: bool,
    old_brand: String,
    note: String,
    rate: String,
    warm_up: String,
    from: String,
    to: String,
    answer_within: String,
    remind_after: String,
    lapse: String,
    stop: String,
}

impl Typed {
    /// As the command line has it.
    fn by_default() -> Self {
        Self {
            kind: Kind::Invitation.as_str().to_owned(),
            rate: "500".to_owned(),
            answer_within: "30".to_owned(),
            stop: "10".to_owned(),
            ..Self::default()
        }
    }

    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.one(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            kind: text("kind"),
            wanted: text("for"),
            form: text("form"),
            import: text("import"),
            due: fields.one("due").is_some(),
            old_brand: text("old_brand"),
            note: text("note").replace("\r\n", "\n"),
            rate: text("rate"),
            warm_up: text("warm_up"),
            from: text("from"),
            to: text("to"),
            answer_within: text("answer_within"),
            remind_after: text("remind_after"),
            lapse: text("lapse"),
            stop: text("stop"),
        }
    }

    /// The plan, or all that cannot be read of it. What it says is checked where a campaign begins.
    fn plan(&self, brand: &Brand) -> Result<Plan, Vec<String>> {
        let mut problems = Vec::new();
        let mut say = |text: &str| problems.push(text.to_owned());
        let kind = Kind::parse(&self.kind).unwrap_or(Kind::Invitation);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let an_hour = self.rate.parse().unwrap_or_else(|_| {
            say("the rate is a number of mails an hour; 0 is no limit");
            0
        });
        let days = self.warm_up.split([',', ' ']).filter(|day| !day.is_empty());
        let warm_up: Vec<u32> = days
            .map_while(|day| match day.parse() {
                Ok(day) => Some(day),
                Err(_) => {
                    say("the first days are numbers of mails with commas between them, such as 50, 200, 1000");
                    None
                }
            })
            .collect();
        if warm_up.len() > 90 {
            say("a campaign warms up for at most 90 days");
        }
        let hours = match (self.from.is_empty(), self.to.is_empty()) {
            (true, true) => None,
            _ => match (self.from.parse(), self.to.parse()) {
                (Ok(from), Ok(to)) => Some((from, to)),
                _ => {
                    say(
                        "the hours of the day are two numbers, such as 9 and 17; leave both empty for the whole day",
                    );
                    None
                }
            },
        };
        let answer_within_days = self.answer_within.parse().unwrap_or_else(|_| {
            say("the time to answer is a number of days");
            30
        });
        let remind_after_days = match self.remind_after.as_str() {
            "" => None,
            days => Some(days.parse().unwrap_or_else(|_| {
                say("the reminder comes after a number of days; leave it empty for none");
                1
            })),
        };
        let lapse_unanswered_at = match self.lapse.as_str() {
            "" => None,
            day => {
                let at = Zone::of(&brand.declared.time_zone).start_of_written(day);
                if at.is_none() {
                    say("the day on which unanswered consent ends is written as YYYY-MM-DD");
                }
                at
            }
        };
        let due = self.due.then(|| due_of(brand));
        let due = due.and_then(|due| due.map_err(|problem| say(&problem)).ok());
        let stop_at_failed_percent = self.stop.parse().unwrap_or(0);
        let form = self
            .form
            .split_once('/')
            .map_or(self.form.as_str(), |parts| parts.1);
        let purpose = self.wanted.split_once('/').map_or("", |parts| parts.1);
        let import = self.import.split_once('/').map_or("", |parts| parts.1);
        let import = match import {
            "" => None,
            id => uuid::Uuid::parse_str(id).ok().map(ImportId),
        };
        let slug = |text: &str| Slug::try_from(text.to_owned());
        match (slug(purpose), slug(form)) {
            (Ok(purpose), Ok(form)) if problems.is_empty() => Ok(Plan {
                kind,
                purpose,
                form,
                import,
                due,
                old_brand: some(&self.old_brand),
                note: some(&self.note),
                an_hour,
                warm_up,
                hours,
                answer_within_days,
                remind_after_days,
                lapse_unanswered_at,
                stop_at_failed_percent,
            }),
            (_, Err(_)) => {
                problems.push("choose the form whose wording people agree to".to_owned());
                Err(problems)
            }
            _ => {
                if problems.is_empty() {
                    problems.push("choose a purpose".to_owned());
                }
                Err(problems)
            }
        }
    }
}

#[derive(Template)]
#[template(path = "admin/campaign_new.html")]
struct NewPage {
    frame: Frame,
    typed: Typed,
    kinds: Vec<(Choice, &'static str)>,
    purposes: Vec<Group>,
    forms: Vec<Group>,
    imports: Vec<Group>,
    problems: Vec<String>,
}

const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Invitation => "People who never confirmed are asked to subscribe.",
        Kind::Reconfirmation => {
            "People whose consent is implicit are asked whether they still want it, before it lapses; or, by time, people who confirmed long ago."
        }
        Kind::MergerNotice => {
            "People of a brand that you took over are told, and asked to stay or to leave."
        }
    }
}

async fn page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    typed: Typed,
    problems: Vec<String>,
) -> HttpResponse {
    let catalog = shared.app.catalog();
    let (mut forms, mut imports) = (Vec::new(), Vec::new());
    for brand in brands(shared, operator) {
        let slug = &brand.declared.slug;
        let mut choices: Vec<Choice> = catalog
            .forms_of(brand.id)
            .map(|form| {
                let value = format!("{slug}/{}", form.declared.slug);
                Choice::of(&value, form.declared.slug.as_str(), &typed.form)
            })
            .collect();
        choices.sort_by(|one, other| one.label.cmp(&other.label));
        forms.push(Group {
            label: brand.declared.name.clone(),
            choices,
        });
        let told = match shared.app.tell_imports(&brand).await {
            Ok(told) => told,
            Err(problem) => return error::store_failure(request, shared, &problem),
        };
        let there = told
            .into_iter()
            .filter(|told| !told.state.starts_with("withdraw"));
        let choices =
            there.map(|told| Choice::of(&format!("{slug}/{}", told.id), &told.name, &typed.import));
        imports.push(Group {
            label: brand.declared.name.clone(),
            choices: choices.collect(),
        });
    }
    let full = |groups: Vec<Group>| {
        groups
            .into_iter()
            .filter(|group| !group.choices.is_empty())
            .collect()
    };
    let kinds = Kind::ALL.map(|kind| {
        (
            Choice::of(kind.as_str(), kind_words(kind), &typed.kind),
            about(kind),
        )
    });
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let frame = Frame::new(shared, operator, "New campaign")
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns");
    render(
        status,
        &NewPage {
            frame,
            kinds: kinds.to_vec(),
            purposes: purposes(shared, operator, &typed.wanted),
            forms: full(forms),
            imports: full(imports),
            typed,
            problems,
        },
    )
}

/// `GET /admin/new-campaign`
pub async fn show(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
) -> HttpResponse {
    page(
        &request,
        &shared,
        &operator,
        Typed::by_default(),
        Vec::new(),
    )
    .await
}

/// `POST /admin/new-campaign`
pub async fn submit(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    fields: Fields,
) -> HttpResponse {
    let typed = Typed::of(&fields);
    let slug = typed
        .wanted
        .split_once('/')
        .map_or("", |parts| parts.0)
        .to_owned();
    let Some(brand) = brand_of(&shared, &operator, &slug) else {
        return not_found(&shared, &operator, "This brand");
    };
    // Form and import are chosen with their brands; those of another brand are not this one's.
    let others = [&typed.form, &typed.import];
    let foreign = others
        .iter()
        .any(|text| text.split_once('/').is_some_and(|parts| parts.0 != slug));
    if foreign {
        let text = "choose a form and an import of the same brand as the purpose".to_owned();
        return page(&request, &shared, &operator, typed, vec![text]).await;
    }
    let plan = match typed.plan(&brand) {
        Ok(plan) => plan,
        Err(problems) => return page(&request, &shared, &operator, typed, problems).await,
    };
    let new = NewCampaign {
        name: typed.name.clone(),
        plan,
    };
    match shared.app.draft_campaign(&brand, &operator.name, new).await {
        Ok(id) => see(&path(&brand, id)),
        Err(CampaignProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(CampaignProblem::Plan(problems)) => {
            page(&request, &shared, &operator, typed, problems).await
        }
        Err(problem) => {
            page(
                &request,
                &shared,
                &operator,
                typed,
                vec![problem.to_string()],
            )
            .await
        }
    }
}

fn path(brand: &Brand, id: uuid::Uuid) -> String {
    format!("/admin/new-campaign/{}/{id}", brand.declared.slug)
}

/// Whom it would ask.
struct Counted {
    asked: String,
    held: String,
    left_out: Vec<(String, String)>,
    left_out_in_all: String,
    nobody: bool,
}

#[derive(Template)]
#[template(path = "admin/campaign_draft.html")]
struct DraftPage {
    frame: Frame,
    path: String,
    brand: String,
    counting: bool,
    counted: Option<Counted>,
    plan: Vec<(&'static str, String)>,
    mail: Option<Preview>,
}

type Found = (Arc<Brand>, Draft<CampaignDraft>);

async fn draft_of(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    path: &(String, String),
) -> Result<Found, HttpResponse> {
    let nowhere = || not_found(shared, operator, "This campaign");
    let (brand, id) = brand_and_id(shared, operator, (&path.0, &path.1)).ok_or_else(nowhere)?;
    match shared.app.campaign_draft(brand.id, id).await {
        Ok(Some(draft)) => Ok((brand, draft)),
        Ok(None) => Err(nowhere()),
        Err(problem) => Err(error::store_failure(request, shared, &problem)),
    }
}

async fn draft_page(
    request: &HttpRequest,
    shared: &Data<Web>,
    operator: &Operator,
    (brand, draft): Found,
    problem: Option<String>,
) -> HttpResponse {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let of = &draft.of;
    let counted = of.counted.as_ref().map(|counted| Counted {
        asked: grouped(counted.asked),
        held: grouped(counted.held),
        left_out: counted
            .left_out
            .iter()
            .map(|(why, number)| (why_words(why).to_owned(), grouped(*number)))
            .collect(),
        left_out_in_all: grouped(counted.left_out.values().sum()),
        nobody: counted.asked == 0 && counted.held == 0,
    });
    let example = of.counted.as_ref().and_then(|counted| counted.example);
    let mail = if counted.is_some() {
        match preview(shared, &brand, &of.plan, example).await {
            Ok(mail) => Some(mail),
            Err(problem) => return none(request, shared, operator, &problem),
        }
    } else {
        None
    };
    let import = match of.plan.import {
        Some(import) => match shared.app.tell_import(brand.id, import).await {
            Ok(told) => told.map(|told| told.name),
            Err(problem) => return error::store_failure(request, shared, &problem),
        },
        None => None,
    };
    let told = of
        .problem
        .as_ref()
        .map(|problem| format!("It cannot start: {problem}"));
    let frame = Frame::new(shared, operator, &of.name)
        .at("/admin/campaigns")
        .below("Campaigns", "/admin/campaigns")
        .below("New campaign", "/admin/new-campaign")
        .failing(problem.or(told));
    render(
        status,
        &DraftPage {
            frame,
            path: path(&brand, draft.id),
            brand: brand.declared.name.clone(),
            counting: draft.stage == Stage::Trying,
            counted,
            plan: plan_words(&of.plan, import.as_deref()),
            mail,
        },
    )
}

/// `GET /admin/new-campaign/{brand}/{id}`
pub async fn look_over(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => draft_page(&request, &shared, &operator, found, None).await,
        Err(response) => response,
    }
}

/// `GET /admin/new-campaign/{brand}/{id}/mail.html`
pub async fn html(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let example = draft
        .of
        .counted
        .as_ref()
        .and_then(|counted| counted.example);
    match preview(&shared, &brand, &draft.of.plan, example).await {
        Ok(mail) => framed(mail),
        Err(problem) => none(&request, &shared, &operator, &problem),
    }
}

/// `POST /admin/new-campaign/{brand}/{id}/start`
pub async fn start(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (brand, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if draft.of.counted.is_none() {
        return see(&self::path(&brand, draft.id));
    }
    let Some(acting) = acting(&request, &shared) else {
        return see("/admin/sign-in");
    };
    let name = Some(draft.of.name.clone());
    if let Err(problem) = shared.app.acted(&acting, Deed::CampaignStarted, name).await {
        return error::store_failure(&request, &shared, &problem);
    }
    match shared.app.start_draft(&brand, &draft).await {
        Ok(id) => see(&format!(
            "/admin/campaigns/{}/{id}?done=started",
            brand.declared.slug
        )),
        Err(CampaignProblem::Store(problem)) => error::store_failure(&request, &shared, &problem),
        Err(problem) => {
            let text = format!("Not started: {problem}.");
            draft_page(&request, &shared, &operator, (brand, draft), Some(text)).await
        }
    }
}

/// `POST /admin/new-campaign/{brand}/{id}/remove`
pub async fn remove(
    request: HttpRequest,
    shared: Data<Web>,
    operator: ReqData<Operator>,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (_, draft) = match draft_of(&request, &shared, &operator, &path).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match shared.app.drop_campaign_draft(&draft).await {
        Ok(()) => see("/admin/campaigns?done=dropped"),
        Err(problem) => error::store_failure(&request, &shared, &problem),
    }
}

//! What the pages of imports and of campaigns share: brands as the operator sees them, numbers, choices, files to take along.

use std::path::Path;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use uuid::Uuid;

use super::brands::{Choice, brand_of, brands_of};
use crate::app::drafts::Shown;
use crate::domain::brand::{Brand, in_language};
use crate::domain::operator::Operator;
use crate::web::Web;
use crate::web::page::pieces;

/// The brands that an operator works for, by their names.
pub fn brands(shared: &Web, operator: &Operator) -> Vec<Arc<Brand>> {
    let mut brands = brands_of(shared, operator);
    brands.sort_by(|one, other| one.declared.name.cmp(&other.declared.name));
    brands
}

/// A brand of theirs, and the id behind it in the path.
pub fn brand_and_id(
    shared: &Web,
    operator: &Operator,
    (slug, id): (&str, &str),
) -> Option<(Arc<Brand>, Uuid)> {
    Some((brand_of(shared, operator, slug)?, Uuid::parse_str(id).ok()?))
}

/// What a brand asks for, as one choice each: `brand/purpose`.
#[derive(Clone, Debug)]
pub struct Group {
    pub label: String,
    pub choices: Vec<Choice>,
}

/// The purposes of all brands of an operator.
pub fn purposes(shared: &Web, operator: &Operator, chosen: &str) -> Vec<Group> {
    let groups = brands(shared, operator).into_iter().map(|brand| Group {
        label: brand.declared.name.clone(),
        choices: brand
            .declared
            .purposes
            .iter()
            .map(|purpose| {
                let value = format!("{}/{}", brand.declared.slug, purpose.slug);
                let label = in_language(&purpose.name, "en");
                Choice::of(&value, &format!("{label} ({})", purpose.slug), chosen)
            })
            .collect(),
    });
    groups.filter(|group| !group.choices.is_empty()).collect()
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of the database, which is none below zero.
pub fn count(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or(0))
}

/// `1.2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} kB", bytes / 1_024),
        _ => format!("{}.{} MB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20),
    }
}

/// How far something is, in words and as a share.
#[derive(Clone, Debug)]
pub struct Going {
    pub percent: u64,
    pub words: String,
}

impl Going {
    pub fn of(shown: &Shown) -> Self {
        let (done, of) = shown.progress.bytes;
        let percent = (100 * done.min(of)).checked_div(of).unwrap_or(0);
        let rows = format!("{} rows", grouped(shown.progress.rows));
        let left = match shown.left {
            0..90 => format!("{} seconds left", shown.left),
            seconds => format!("{} minutes left", seconds.div_ceil(60)),
        };
        Self {
            percent,
            // Right after the beginning nobody can tell how long it takes.
            words: match shown.rate {
                0 => rows,
                rate => format!("{rows}, {} a second, about {left}", grouped(rate)),
            },
        }
    }
}

/// A file that browsers keep, sent piece by piece.
pub async fn send_file(path: &Path, name: &str) -> std::io::Result<HttpResponse> {
    Ok(attachment(name).streaming(pieces(path).await?))
}

/// The head of a CSV that browsers keep as a file.
pub fn attachment(name: &str) -> actix_web::HttpResponseBuilder {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '-'
        }
    };
    let name: String = name.chars().take(60).map(plain).collect();
    let mut head = HttpResponse::Ok();
    head.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ));
    head
}

/// States with the tone in which they are shown.
pub const fn tone(state: &str) -> &'static str {
    match state.as_bytes() {
        b"done" | b"accept" | b"confirmed" | b"accepted" => "good",
        b"stopped" | b"failed" | b"broken" | b"refuse" | b"declined" => "bad",
        b"running" | b"enrolling" | b"paused" | b"held" | b"waiting" | b"withdrawing"
        | b"confirm_first" | b"interrupted" => "wait",
        _ => "plain",
    }
}

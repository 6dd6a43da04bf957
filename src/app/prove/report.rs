//! `report.html`: the story for people, one page that can be printed and handed to a lawyer.
//!
//! Everything in it that came from outside (addresses, user agents, SMTP replies, the mail) is text: the template escapes
//! it, `legible` shows what would hide or turn around, and the page forbids itself every script and every request.

mod claims;
mod mail;
mod rows;
mod standings;
mod story;
pub(in crate::app) mod words;

use askama::Template;

use super::dossier::{Anchor, Dossier};
use crate::domain::event::AskedBy;
use crate::domain::form::shown;
use claims::Claim;
use standings::StandingView;
use story::EventView;
use words::{legible, time};

#[derive(Template)]
#[template(path = "evidence/report.html")]
struct Report<'a> {
    dossier: &'a Dossier,
    who: AskedBy,
    checkpoint: String,
    form_style: &'static str,
    /// For the head of each printed page: letters, digits, spaces and hyphens only.
    page_head: String,
    page_head_log: String,
    address: String,
    made_at: String,
    standings: Vec<StandingView>,
    standing_count: usize,
    story: Vec<EventView>,
    claims: Vec<Claim>,
    anchors: Vec<AnchorView>,
    roots: Vec<String>,
    log: LogView,
    has_mail: bool,
    /// It tells of a part of the time only, so nothing stands in it of now.
    is_part: bool,
    left_out: Vec<String>,
}

struct AnchorView {
    name: String,
    at: String,
    size: u64,
    authority: String,
}

/// What the checkpoint's text says (C2SP tlog-checkpoint): origin, size, root.
struct LogView {
    origin: String,
    size: String,
    root: String,
}

/// The page. It fails only if the template does.
pub fn report(dossier: &Dossier) -> Result<String, askama::Error> {
    let log = log_view(&dossier.checkpoint);
    let is_part = dossier.left_out.is_part();
    let standings = if is_part {
        Vec::new()
    } else {
        standings::all(dossier)
    };
    let short_root: String = log
        .root
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    let size: String = log.size.chars().filter(char::is_ascii_digit).collect();
    let mut roots: Vec<String> = dossier
        .anchors
        .iter()
        .filter_map(|anchor| anchor.root.as_deref().map(legible))
        .collect();
    roots.sort();
    roots.dedup();
    Report {
        dossier,
        who: who(dossier),
        checkpoint: legible(&dossier.checkpoint),
        form_style: shown::STYLE,
        page_head: format!("Contact {}", dossier.contact.0),
        page_head_log: format!("Log size {size}, root {short_root}"),
        address: legible(&dossier.address),
        made_at: time(dossier.made_at),
        standing_count: standings.iter().filter(|view| view.stands).count(),
        standings,
        story: story::all(dossier),
        claims: claims::all(dossier),
        anchors: dossier.anchors.iter().map(anchor_view).collect(),
        roots,
        log,
        has_mail: !dossier.mails.is_empty(),
        is_part,
        left_out: dossier.left_out.sentences(),
    }
    .render()
}

fn who(dossier: &Dossier) -> AskedBy {
    let brand = &dossier.brand;
    AskedBy {
        name: legible(&brand.name),
        legal_name: legible(&brand.legal_name),
        postal_address: brand
            .postal_address
            .iter()
            .map(|line| legible(line))
            .collect(),
        contact: legible(&brand.contact),
    }
}

fn anchor_view(anchor: &Anchor) -> AnchorView {
    AnchorView {
        name: legible(&anchor.name),
        at: time(anchor.at),
        size: anchor.size,
        authority: legible(&anchor.authority),
    }
}

fn log_view(checkpoint: &str) -> LogView {
    let mut lines = checkpoint.lines();
    let mut next = || lines.next().map_or_else(String::new, legible);
    LogView {
        origin: next(),
        size: next(),
        root: next(),
    }
}

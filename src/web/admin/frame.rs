//! What all pages for operators share: the side bar, the way back, and what was just done.

use askama::Template;

use crate::domain::operator::{Need, Operator};
use crate::web::Web;

/// A place in the side bar.
#[derive(Clone, Debug)]
pub struct Place {
    pub name: &'static str,
    pub path: &'static str,
    pub here: bool,
}

/// The side bar, in its order, with what each asks.
const PLACES: [(&str, &str, Need); 9] = [
    ("Overview", "/admin", Need::Look),
    ("Contacts", "/admin/contacts", Need::Look),
    ("Forms", "/admin/forms", Need::Look),
    ("Imports", "/admin/imports", Need::Look),
    ("Campaigns", "/admin/campaigns", Need::Look),
    ("Evidence", "/admin/evidence", Need::Look),
    ("Delivery", "/admin/delivery", Need::Look),
    ("Policy", "/admin/policy", Need::Look),
    ("Settings", "/admin/settings", Need::Look),
];

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    pub css: String,
    pub js: String,
    pub icon: String,
    pub operator: Operator,
    pub title: String,
    pub places: Vec<Place>,
    /// The pages above this one: name and path.
    pub crumbs: Vec<(String, String)>,
    /// What was just done.
    pub notice: Option<String>,
    /// What could not be done, in words that say what to do.
    pub problem: Option<String>,
}

impl Frame {
    /// A page under no place of the side bar.
    pub fn new(shared: &Web, operator: &Operator, title: &str) -> Self {
        Self {
            css: shared.assets.admin_css.clone(),
            js: shared.assets.admin_js.clone(),
            icon: shared.assets.icon.clone(),
            operator: operator.clone(),
            title: title.to_owned(),
            places: PLACES
                .iter()
                .filter(|place| operator.may(place.2))
                .map(|&(name, path, _)| Place {
                    name,
                    path,
                    here: false,
                })
                .collect(),
            crumbs: Vec::new(),
            notice: None,
            problem: None,
        }
    }

    /// Marks where the page belongs in the side bar: the place with this path.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        for place in &mut self.places {
            place.here = place.path == path;
        }
        self
    }

    /// Adds a page above this one.
    #[must_use]
    pub fn below(mut self, name: &str, path: &str) -> Self {
        self.crumbs.push((name.to_owned(), path.to_owned()));
        self
    }

    /// Says what the page before did: the `done` of the query, if it is one of these words.
    #[must_use]
    pub fn noticing(mut self, done: Option<&str>, words: &[(&str, &str)]) -> Self {
        self.notice = words
            .iter()
            .find(|word| done == Some(word.0))
            .map(|word| word.1.to_owned());
        self
    }

    #[must_use]
    pub fn failing(mut self, problem: Option<String>) -> Self {
        self.problem = problem;
        self
    }

    pub fn may_change(&self) -> bool {
        self.operator.may(Need::Change)
    }

    pub fn may_take(&self) -> bool {
        self.operator.may(Need::Take)
    }

    pub fn may_rule(&self) -> bool {
        self.operator.may(Need::Rule)
    }
}

/// What stands behind `?` in an operator's page, as far as all pages know it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Done {
    pub done: Option<String>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "admin/message.html")]
pub struct MessagePage {
    pub frame: Frame,
    pub text: String,
}

/// What a post from somewhere else gets.
#[derive(Template)]
#[template(path = "admin/refusal.html")]
pub struct Refusal {
    pub css: String,
    pub icon: String,
}

impl Refusal {
    pub fn new(shared: &Web) -> Self {
        Self {
            css: shared.assets.admin_css.clone(),
            icon: shared.assets.icon.clone(),
        }
    }
}

//! What somebody typed into the editor of a form: kept as it was typed, with what is wrong at each field.

use std::collections::BTreeMap;

use super::name_of;
use crate::domain::brand::{Brand, LANGUAGES, Slug, Texts};
use crate::domain::form::FormDeclaration;
use crate::web::extract::fields::Fields;

/// Lines of a list, and characters of a text.
const LINES_AT_MOST: usize = 50;
const TEXT_AT_MOST: usize = 2_000;

/// Something that is not right, and at which field; an empty one for the form as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: String,
    pub text: String,
}

impl Wrong {
    pub fn at(field: &str, text: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            text: text.into(),
        }
    }

    /// A problem of the declaration, at the field that it speaks of.
    pub fn of(form: &FormDeclaration, text: String) -> Self {
        let what = text.split_once("\": ").map_or(text.as_str(), |one| one.1);
        let names = |url: &Option<String>| url.as_ref().is_some_and(|url| what.contains(url));
        let field = if what.starts_with("origin ") {
            "origins"
        } else if what.starts_with("redirect ") && names(&form.redirect_after_signup) {
            "redirect_after_signup"
        } else if what.starts_with("redirect ") && names(&form.redirect_after_confirmation) {
            "redirect_after_confirmation"
        } else if what.starts_with("remind_after_days") {
            "remind_after_days"
        } else if what.starts_with("kiosk and proof_of_work") {
            "kiosk"
        } else if what.starts_with("languages ") {
            "languages"
        } else if what.contains("purpose") {
            "purposes"
        } else {
            ""
        };
        Self::at(field, text)
    }
}

/// The declaration that the fields make, as far as they can be read; the numbers and the list as they were typed.
#[derive(Clone, Debug)]
pub struct Typed {
    pub form: FormDeclaration,
    pub fill_seconds: String,
    pub remind_days: String,
    pub origins: String,
    pub wrong: Vec<Wrong>,
}

impl Typed {
    /// A declaration as the page first shows it.
    pub fn of(form: FormDeclaration) -> Self {
        Self {
            fill_seconds: form.minimum_fill_seconds.to_string(),
            remind_days: form
                .remind_after_days
                .map_or_else(String::new, |days| days.to_string()),
            origins: form.origins.join("\n"),
            form,
            wrong: Vec::new(),
        }
    }

    /// What a page sent. `slug` is the form's name.
    pub fn read(brand: &Brand, slug: &str, fields: &Fields) -> Option<Self> {
        let mut wrong = Vec::new();
        let named = Slug::try_from(slug.to_owned());
        if let Err(problem) = &named {
            wrong.push(Wrong::at("slug", problem));
        }
        // A form whose name does not fit is shown again, and never saved.
        let mut form = blank(
            named
                .or_else(|_| Slug::try_from("unnamed".to_owned()))
                .ok()?,
        );
        for purpose in &brand.declared.purposes {
            match fields.one(&format!("purpose-{}", purpose.slug)) {
                Some("purpose") => form.purposes.push(purpose.slug.clone()),
                Some("choice") => form.choices.push(purpose.slug.clone()),
                _ => {}
            }
        }
        let chosen = fields.all("languages");
        form.languages = LANGUAGES
            .iter()
            .filter(|tag| chosen.iter().any(|one| one == *tag))
            .map(|&tag| tag.to_owned())
            .collect();
        let on = |name| fields.one(name).is_some();
        form.asks_name = on("asks_name");
        form.name_in_mail = on("name_in_mail");
        form.proof_of_work = on("proof_of_work");
        form.kiosk = on("kiosk");
        let fill_seconds = fields.one("minimum_fill_seconds").unwrap_or("0");
        match fill_seconds.parse() {
            Ok(seconds) if seconds <= 60 => form.minimum_fill_seconds = seconds,
            _ => wrong.push(Wrong::at(
                "minimum_fill_seconds",
                "The shortest time to fill the form in is 0 to 60 seconds.",
            )),
        }
        let remind_days = fields.one("remind_after_days").unwrap_or_default();
        match remind_days.parse() {
            _ if remind_days.is_empty() => {}
            Ok(days) => form.remind_after_days = Some(days),
            Err(_) => wrong.push(Wrong::at(
                "remind_after_days",
                "Days before the reminder are a number.",
            )),
        }
        form.origins = fields
            .raw("origins")
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(LINES_AT_MOST)
            .map(|line| line.trim_end_matches('/').to_owned())
            .collect();
        let own = |name: &str| fields.one(name).map(ToOwned::to_owned);
        form.redirect_after_signup = own("redirect_after_signup");
        form.redirect_after_confirmation = own("redirect_after_confirmation");
        let mut texts = |name: &str| texts_of(name, fields, &mut wrong);
        (form.title, form.intro, form.consent, form.button) = (
            texts("title"),
            texts("intro"),
            texts("consent"),
            texts("button"),
        );
        Some(Self {
            fill_seconds: fill_seconds.to_owned(),
            remind_days: remind_days.to_owned(),
            origins: fields.raw("origins").replace("\r\n", "\n"),
            form,
            wrong,
        })
    }

    /// The declaration to be saved: words in languages that the form has not are left out of it.
    pub fn declared(&self) -> Result<FormDeclaration, Vec<Wrong>> {
        if !self.wrong.is_empty() {
            return Err(self.wrong.clone());
        }
        let mut form = self.form.clone();
        let languages = &form.languages;
        for texts in [
            &mut form.title,
            &mut form.intro,
            &mut form.consent,
            &mut form.button,
        ] {
            texts.retain(|tag, _| languages.contains(tag));
        }
        Ok(form)
    }
}

fn texts_of(name: &str, fields: &Fields, wrong: &mut Vec<Wrong>) -> Texts {
    let mut found = BTreeMap::new();
    for tag in LANGUAGES {
        let field = format!("{name}-{tag}");
        let Some(text) = fields.one(&field) else {
            continue;
        };
        // A browser sends each line's end as two characters and counts it as one, as is done here.
        let text = text.replace("\r\n", "\n");
        if text.chars().count() > TEXT_AT_MOST {
            let text = format!(
                "The {name} in {} is too long: {TEXT_AT_MOST} characters at most.",
                name_of(tag)
            );
            wrong.push(Wrong::at(&field, text));
        }
        found.insert(tag.to_owned(), text);
    }
    found
}

pub fn blank(slug: Slug) -> FormDeclaration {
    FormDeclaration {
        slug,
        purposes: Vec::new(),
        choices: Vec::new(),
        languages: vec!["en".to_owned()],
        asks_name: false,
        name_in_mail: false,
        proof_of_work: false,
        minimum_fill_seconds: 1,
        remind_after_days: None,
        kiosk: false,
        origins: Vec::new(),
        redirect_after_signup: None,
        redirect_after_confirmation: None,
        title: Texts::new(),
        intro: Texts::new(),
        consent: Texts::new(),
        button: Texts::new(),
    }
}

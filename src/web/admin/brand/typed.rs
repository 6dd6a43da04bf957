//! A brand as its page sends it: the declaration as far as it can be read, and the rest as it was typed.

use crate::domain::brand::{
    BrandDeclaration, KeepProof, LANGUAGES, PurposeDeclaration, RoleAddresses, Slug, Texts,
};
use crate::domain::circumstances::KeepCircumstances;
use crate::domain::policy::{OVERLAYS, ZoneName};
use crate::domain::reconfirm::Reconfirm;
use crate::web::extract::fields::Fields;

/// The hidden field of a page that has the fields of `law`.
pub const SETS_LAW: &str = "sets_law";

/// The numbers as they were typed.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    pub confirm_within_days: String,
    pub mails_per_hour: String,
    pub after_years: String,
    pub unused_months: String,
    pub active_within_months: String,
    pub time_zone: String,
    /// Of the proof that outlives an erasure; all empty for none.
    pub keep_reason: String,
    pub keep_years: String,
    pub keep_key: String,
}

impl Numbers {
    pub fn of(brand: &BrandDeclaration) -> Self {
        let terms = brand.reconfirm.unwrap_or_default();
        let keep = brand.keep_proof_after_erasure.as_ref();
        let or_empty = |number: Option<String>| number.unwrap_or_default();
        Self {
            confirm_within_days: brand.confirm_within_days.to_string(),
            mails_per_hour: brand.mails_per_hour.to_string(),
            after_years: or_empty(terms.after_years.map(|one| one.to_string())),
            unused_months: or_empty(terms.unused_months.map(|one| one.to_string())),
            active_within_months: brand.active_within_months.to_string(),
            time_zone: brand.time_zone.as_str().to_owned(),
            keep_reason: or_empty(keep.map(|keep| keep.reason.clone())),
            keep_years: or_empty(keep.map(|keep| keep.years.to_string())),
            keep_key: or_empty(keep.map(|keep| keep.public_key.clone())),
        }
    }
}

/// A purpose that is being added, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct NewPurpose {
    pub slug: String,
    pub name: String,
    pub wording: String,
}

/// What a page sent: the declaration as far as it can be read, and the rest as it was typed.
pub struct Typed {
    pub declared: BrandDeclaration,
    /// The name of a new brand, as it was typed; none of a brand that there is.
    pub slug: Option<String>,
    pub numbers: Numbers,
    pub new: NewPurpose,
    pub problems: Vec<String>,
}

/// The declaration with what the fields say; what has no field stays. `rules`: whether the operator may say what proof outlives an
/// erasure, and for whose key.
pub fn typed(mut declared: BrandDeclaration, fields: &Fields, rules: bool) -> Typed {
    let mut problems = Vec::new();
    let own = |name: &str| fields.one(name).map(ToOwned::to_owned);
    let text = |name: &str| own(name).unwrap_or_default();
    declared.name = text("name");
    declared.legal_name = text("legal_name");
    declared.postal_address = fields
        .raw("postal_address")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .take(8)
        .collect();
    declared.contact = text("contact");
    declared.from_address = text("from_address");
    declared.reply_to = own("reply_to");
    declared.accent = text("accent");
    declared.privacy_url = own("privacy_url");
    declared.privacy_version = own("privacy_version");
    declared.home_url = own("home_url");
    declared.logo_url = own("logo_url");
    declared.hold_until_confirmed = own("hold_until_confirmed").is_some();
    if let Some(how) = fields.one("circumstances") {
        match KeepCircumstances::parse(how) {
            Some(how) => declared.circumstances = how,
            None => problems.push(
                "Network addresses and browsers are kept whole, shortened, or not at all."
                    .to_owned(),
            ),
        }
    }
    declared.checked_by_line = own("checked_by_line").is_some();
    match text("confirm_within_days").parse() {
        Ok(days) => declared.confirm_within_days = days,
        Err(_) => problems.push("The days within which people confirm are 1 to 90.".to_owned()),
    }
    match text("mails_per_hour").parse() {
        Ok(mails) => declared.mails_per_hour = mails,
        Err(_) => problems.push("Mails an hour are a number; 0 is no limit.".to_owned()),
    }
    let numbers = Numbers {
        confirm_within_days: text("confirm_within_days"),
        mails_per_hour: text("mails_per_hour"),
        after_years: text("reconfirm_after_years"),
        unused_months: text("reconfirm_unused_months"),
        active_within_months: text("active_within_months"),
        time_zone: text("time_zone"),
        keep_reason: text("keep_reason"),
        keep_years: text("keep_years"),
        keep_key: text("keep_key"),
    };
    if own(SETS_LAW).is_some() {
        law(&mut declared, &numbers, fields, &mut problems);
        if rules {
            declared.keep_proof_after_erasure = keeping(&numbers, &mut problems);
        }
    }
    let mut term = |number: &str| match number {
        "" => None,
        number => number.parse::<u16>().ok().or_else(|| {
            problems.push(
                "The term after which people are asked again is a number; leave it empty for none."
                    .to_owned(),
            );
            None
        }),
    };
    let (years, months) = (term(&numbers.after_years), term(&numbers.unused_months));
    let terms = Reconfirm {
        // Too many are refused with the rest of what is declared.
        after_years: years.map(|years| u8::try_from(years).unwrap_or(u8::MAX)),
        unused_months: months,
    };
    declared.reconfirm = (terms != Reconfirm::default()).then_some(terms);
    for purpose in &mut declared.purposes {
        let texts = |kind: &str| -> Texts {
            LANGUAGES
                .iter()
                .filter_map(|tag| {
                    let name = format!("{kind}-{}-{tag}", purpose.slug);
                    Some(((*tag).to_owned(), own(&name)?.replace("\r\n", "\n")))
                })
                .collect()
        };
        let (name, wording) = (texts("name"), texts("wording"));
        (purpose.name, purpose.wording) = (name, wording);
    }
    let new = NewPurpose {
        slug: text("new_slug"),
        name: text("new_name"),
        wording: text("new_wording").replace("\r\n", "\n"),
    };
    if !new.slug.is_empty()
        && let Err(problem) = Slug::try_from(new.slug.clone())
    {
        problems.push(problem);
    }
    Typed {
        declared,
        slug: None,
        numbers,
        new,
        problems,
    }
}

/// What the brand keeps to. Read only if the page had the fields: one that an older version drew would switch it all off.
fn law(
    declared: &mut BrandDeclaration,
    numbers: &Numbers,
    fields: &Fields,
    problems: &mut Vec<String>,
) {
    let own = |name: &str| fields.one(name).map(ToOwned::to_owned);
    declared.role_addresses = if own("role_addresses").is_some() {
        RoleAddresses::ConfirmFirst
    } else {
        RoleAddresses::Refuse
    };
    declared.responsible = own("responsible");
    let overlays = fields.all("overlays");
    declared.overlays = OVERLAYS
        .iter()
        .map(|row| row.overlay)
        .filter(|overlay| overlays.iter().any(|one| one == overlay.as_str()))
        .collect();
    match ZoneName::try_from(numbers.time_zone.clone()) {
        Ok(zone) => declared.time_zone = zone,
        Err(problem) => problems.push(format!("{problem}.")),
    }
    match numbers.active_within_months.parse() {
        Ok(months) => declared.active_within_months = months,
        Err(_) => {
            problems.push("The months in which a member counts as active are a number.".to_owned())
        }
    }
}

/// The proof that outlives an erasure, where any of its fields says something.
fn keeping(numbers: &Numbers, problems: &mut Vec<String>) -> Option<KeepProof> {
    let fields = [&numbers.keep_reason, &numbers.keep_years, &numbers.keep_key];
    if fields.iter().all(|field| field.is_empty()) {
        return None;
    }
    let years = numbers.keep_years.parse().unwrap_or_else(|_| {
        problems.push("The years for which proof is kept are a number; leave all three fields empty to keep none.".to_owned());
        0
    });
    Some(KeepProof {
        reason: numbers.keep_reason.clone(),
        years,
        public_key: numbers.keep_key.clone(),
    })
}

impl Typed {
    /// A brand as it stands.
    pub fn of(declared: BrandDeclaration) -> Self {
        Self {
            slug: None,
            numbers: Numbers::of(&declared),
            new: NewPurpose::default(),
            problems: Vec::new(),
            declared,
        }
    }

    /// The declaration to be saved: with the new purpose, where one was named.
    pub fn whole(&self) -> BrandDeclaration {
        let mut declared = self.declared.clone();
        if let Ok(slug) = Slug::try_from(self.new.slug.clone()) {
            declared.purposes.push(PurposeDeclaration {
                slug,
                name: Texts::from([("en".to_owned(), self.new.name.clone())]),
                wording: Texts::from([("en".to_owned(), self.new.wording.clone())]),
            });
        }
        declared
    }
}

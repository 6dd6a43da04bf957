//! The names that columns have in the exports of common programs, in our five languages.

use super::Field;
use crate::domain::policy::SOURCES;

/// Names as [`plain`] writes them.
const NAMES: [(Field, &[&str]); 14] = [
    (
        Field::Email,
        &[
            "email",
            "emailaddress",
            "emailadres",
            "emailadresse",
            "emails",
            "email1",
            "email1value",
            "emailaddress1",
            "primaryemail",
            "workemail",
            "personalemail",
            "contactemail",
            "customeremail",
            "subscriberemail",
            "useremail",
            "courriel",
            "adressecourriel",
            "adressemail",
            "adresseemail",
            "adressedemessagerie",
            "correo",
            "correoelectronico",
            "correoelectrónico",
            "direccióndecorreo",
            "mailadresse",
            "mailaddress",
        ],
    ),
    (
        Field::Name,
        &[
            "name",
            "fullname",
            "contactname",
            "displayname",
            "naam",
            "volledigenaam",
            "vollername",
            "nomcomplet",
            "nombrecompleto",
        ],
    ),
    (
        Field::FirstName,
        &[
            "firstname",
            "givenname",
            "forename",
            "fname",
            "voornaam",
            "vorname",
            "prénom",
            "prenom",
            "nombre",
        ],
    ),
    (
        Field::LastName,
        &[
            "lastname",
            "surname",
            "familyname",
            "lname",
            "achternaam",
            "nachname",
            "nomdefamille",
            "nom",
            "apellido",
            "apellidos",
        ],
    ),
    (
        Field::Language,
        &[
            "language",
            "lang",
            "locale",
            "preferredlanguage",
            "taal",
            "sprache",
            "langue",
            "idioma",
        ],
    ),
    (
        Field::Source,
        &[
            "source",
            "consentsource",
            "herkomst",
            "bron",
            "quelle",
            "herkunft",
            "origine",
            "origen",
        ],
    ),
    (
        Field::ObtainedOn,
        &[
            "obtainedon",
            "obtained",
            "consentdate",
            "dateofconsent",
            "collectedon",
        ],
    ),
    (
        Field::Left,
        &[
            "unsubtime",
            "unsubreason",
            "unsubscribed",
            "unsubscribedat",
            "unsubscribedon",
            "unsubscribedate",
            "unsubscribedfromall",
            "unsubscribedfromallemail",
            "optedout",
            "optout",
            "optedoutofallemail",
            "emailoptout",
            "afgemeld",
            "abgemeldet",
            "cleantime",
        ],
    ),
    (Field::OptedInAt, &["optintime", "optedinat", "optindate"]),
    (Field::OptedInIp, &["optinip", "optedinip"]),
    (
        Field::ConfirmedAt,
        &[
            "confirmtime",
            "confirmedat",
            "confirmationtime",
            "doubleoptindate",
        ],
    ),
    (
        Field::ConfirmedIp,
        &["confirmip", "confirmedip", "confirmationip"],
    ),
    (
        Field::LegalBasis,
        &[
            "legalbasis",
            "legalbasisforprocessingcontactsdata",
            "hslegalbasis",
            "legalbasisforcommunication",
        ],
    ),
    (
        Field::Explanation,
        &[
            "explanation",
            "legalbasisexplanation",
            "explanationofconsent",
            "consentexplanation",
            "explanationforcommunicationconsent",
            "explanationofcommunicationconsent",
        ],
    ),
];

/// How names begin that tell who left, and end with a kind of mail: `Opted out of email: Newsletter`, `hs_email_optout_12345`.
const LEFT_OF_A_KIND: [&str; 3] = ["optedoutofemail", "unsubscribedfromemail", "hsemailoptout"];

/// Names that also mean something else.
const PERHAPS_EMAIL: [&str; 8] = [
    "mail",
    "address",
    "adresse",
    "adres",
    "dirección",
    "contact",
    "recipient",
    "username",
];

/// Letters and digits in lower case: `E-Mail-Adresse` is `emailadresse`.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What a column of this name holds. Our own fields and the policy's proof keys go by their own names.
pub fn field(name: &str) -> Option<Field> {
    let name = plain(name);
    let known = NAMES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()));
    if LEFT_OF_A_KIND.iter().any(|begin| name.starts_with(begin)) {
        return Some(Field::Left);
    }
    known.map(|(field, _)| *field).or_else(|| {
        let keys = SOURCES.iter().flat_map(|row| row.proof);
        keys.map(|proof| proof.key)
            .find(|key| plain(key) == name)
            .or(match name.as_str() {
                "ordernumber" | "orderid" | "orderno" => Some("order"),
                "orderdate" | "purchasedate" => Some("date"),
                "lastactive" | "lastactivity" | "lastlogin" => Some("last_active"),
                "joinedon" | "joindate" => Some("joined"),
                _ => None,
            })
            .map(Field::Proof)
    })
}

/// The address, perhaps, where no column is surely that.
pub fn perhaps_email(name: &str) -> Option<Field> {
    PERHAPS_EMAIL
        .contains(&plain(name).as_str())
        .then_some(Field::Email)
}

/// The system whose columns these are.
pub fn system(header: &[String]) -> Option<&'static str> {
    let has = |wanted: &str| header.iter().any(|name| plain(name) == wanted);
    if has("optintime") && has("confirmtime") {
        Some("Mailchimp")
    } else if has("hslegalbasis") || has("legalbasisforprocessingcontactsdata") {
        Some("HubSpot")
    } else {
        None
    }
}

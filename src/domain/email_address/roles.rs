//! Role addresses: several people read them, so nobody's consent can be verified (rule O6 of the consent policy).

use std::collections::HashSet;
use std::sync::LazyLock;

/// Local parts that name a job or a system instead of a person, in lower case, by where the name comes from.
///
/// Left out on purpose: `mail`, `hello`, `hi` and `me`, which one person on a domain of their own uses as often as an
/// office does; a wrong refusal shuts that person out, a wrong acceptance still needs their own double opt-in.
const ROLES: &[&str] = &[
    // RFC 2142, sections 3 to 5: business, network operations and services.
    "abuse",
    "ftp",
    "hostmaster",
    "info",
    "marketing",
    "news",
    "noc",
    "postmaster",
    "sales",
    "security",
    "support",
    "usenet",
    "uucp",
    "webmaster",
    "www",
    // Systems and mailing machinery. RFC 5321, section 4.5.1, reserves postmaster; the rest is custom.
    "bounce",
    "bounces",
    "daemon",
    "devnull",
    "do-not-reply",
    "list",
    "listserv",
    "mailer-daemon",
    "majordomo",
    "newsletter",
    "newsletters",
    "no-reply",
    "nobody",
    "null",
    "root",
    "spam",
    "subscribe",
    "sysadmin",
    "undisclosed-recipients",
    "unsubscribe",
    // English.
    "accounting",
    "accounts",
    "admin",
    "administration",
    "administrator",
    "advertising",
    "all",
    "billing",
    "bookings",
    "business",
    "careers",
    "compliance",
    "contact",
    "contact-us",
    "customer-care",
    "customer-service",
    "dpo",
    "editor",
    "enquiries",
    "enquiry",
    "events",
    "everyone",
    "feedback",
    "finance",
    "frontdesk",
    "help",
    "helpdesk",
    "hr",
    "human-resources",
    "inquiries",
    "inquiry",
    "invoice",
    "invoices",
    "it",
    "it-support",
    "jobs",
    "legal",
    "office",
    "orders",
    "payroll",
    "press",
    "privacy",
    "procurement",
    "purchasing",
    "reception",
    "recruitment",
    "reservations",
    "service",
    "shop",
    "staff",
    "team",
    "webshop",
    // German.
    "anfrage",
    "anfragen",
    "bestellung",
    "bestellungen",
    "bewerbung",
    "buchhaltung",
    "buero",
    "büro",
    "datenschutz",
    "einkauf",
    "empfang",
    "geschaeftsfuehrung",
    "geschäftsführung",
    "kontakt",
    "kundendienst",
    "kundenservice",
    "personal",
    "poststelle",
    "presse",
    "rechnung",
    "rechnungen",
    "redaktion",
    "sekretariat",
    "technik",
    "vertrieb",
    "verwaltung",
    "vorstand",
    "zentrale",
    // Dutch.
    "aanvraag",
    "administratie",
    "bestelling",
    "bestellingen",
    "bestuur",
    "boekhouding",
    "directie",
    "facturen",
    "factuur",
    "inkoop",
    "inlichtingen",
    "klantenservice",
    "pers",
    "personeelszaken",
    "receptie",
    "redactie",
    "reserveringen",
    "secretariaat",
    "vacatures",
    "verkoop",
    "vragen",
    // French.
    "accueil",
    "achats",
    "bureau",
    "commande",
    "commandes",
    "commercial",
    "communication",
    "compta",
    "comptabilite",
    "comptabilité",
    "direction",
    "facturation",
    "factures",
    "mairie",
    "recrutement",
    "redaction",
    "rédaction",
    "renseignements",
    "reservation",
    "réservation",
    "ressources-humaines",
    "rh",
    "secretariat",
    "secrétariat",
    "service-client",
    "vente",
    "ventes",
    // Spanish.
    "administracion",
    "administración",
    "atencion-al-cliente",
    "atención-al-cliente",
    "atencioncliente",
    "ayuda",
    "comercial",
    "compras",
    "contabilidad",
    "contacto",
    "empleo",
    "facturacion",
    "facturación",
    "informacion",
    "información",
    "oficina",
    "pedidos",
    "prensa",
    "recepcion",
    "recepción",
    "recursos-humanos",
    "reservas",
    "rrhh",
    "secretaria",
    "secretaría",
    "soporte",
    "ventas",
];

/// Whether the local part (lower case, NFC, without a tag) is a role.
///
/// The comparison is exact, trailing digits included: `info2` is not on the list. Numbers are what people append to
/// get a free name at a public provider (`sales1980`), and rule O6 has no way up for somebody refused by mistake.
/// A hyphen of the list may be written `-`, `_`, `.` or not at all; elsewhere separators count: `h.r` is initials.
pub(super) fn is_role(local: &str) -> bool {
    // RFC 2142, section 6: the people behind a mailing list read `<list>-request`.
    if local.ends_with("-request") {
        return true;
    }
    AS_ONE_WORD.contains(local) || HYPHENATED.contains(local.replace(['_', '.'], "-").as_str())
}

static HYPHENATED: LazyLock<HashSet<&str>> = LazyLock::new(|| ROLES.iter().copied().collect());
/// The same, written as one word.
static AS_ONE_WORD: LazyLock<HashSet<String>> =
    LazyLock::new(|| ROLES.iter().map(|role| role.replace('-', "")).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_known_in_five_languages() {
        for role in [
            "info",
            "sales",
            "kontakt",
            "büro",
            "klantenservice",
            "comptabilité",
            "ventas",
            "noc",
        ] {
            assert!(is_role(role), "{role}");
        }
    }

    #[test]
    fn a_hyphen_in_a_role_may_be_written_in_several_ways() {
        for role in [
            "no-reply",
            "noreply",
            "no_reply",
            "no.reply",
            "customer.service",
        ] {
            assert!(is_role(role), "{role}");
        }
    }

    #[test]
    fn people_are_no_roles() {
        for person in [
            "h.r",
            "sales1980",
            "infos.anna",
            "anna",
            "mail",
            "admin-anna",
            "",
        ] {
            assert!(!is_role(person), "{person}");
        }
    }

    #[test]
    fn the_request_address_of_any_mailing_list_is_a_role() {
        assert!(is_role("gardeners-request"));
    }
}

//! The isemail test set (see `SOURCE.txt` beside it), held by rule for each category and diagnosis, not by number.

use countersign::domain::email_address::{AddressProblem, AddressRules, EmailAddress};

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../shared/data/addresses/tests.xml"
);

struct Case {
    id: String,
    address: String,
    category: String,
    diagnosis: String,
}

/// What the rules of this project demand of one case.
enum Demand {
    Accepted,
    Refused,
    RefusedAs(&'static [AddressProblem]),
}

#[test]
fn the_isemail_set_is_met_by_rule() {
    let xml = std::fs::read_to_string(PATH).unwrap_or_else(|error| panic!("{PATH}: {error}"));
    let cases = read_cases(&xml);
    assert!(cases.len() > 100, "only {} cases were read", cases.len());
    let misses: Vec<String> = cases.iter().filter_map(miss).collect();
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// Which of the set's lawful top-level domains are known changes with time, so `any_domain` decides about syntax, and
/// the public rules may differ from it by an unknown or reserved top-level domain only.
fn miss(case: &Case) -> Option<String> {
    let got = EmailAddress::parse(&case.address, &AddressRules { any_domain: true });
    let met = match demand(case) {
        Demand::Accepted => got
            .as_ref()
            .is_ok_and(|parsed| parsed.deliverable().eq_ignore_ascii_case(trimmed(case))),
        Demand::Refused => got.is_err(),
        Demand::RefusedAs(reasons) => got.as_ref().is_err_and(|reason| reasons.contains(reason)),
    };
    let public = EmailAddress::parse(&case.address, &AddressRules { any_domain: false });
    let agrees = match (&got, &public) {
        (Ok(_), Err(AddressProblem::UnknownTopLevel | AddressProblem::ReservedDomain)) => true,
        (any, public) => any == public,
    };
    (!met || !agrees).then(|| {
        format!(
            "{} {:?} {} {}: {got:?}, public {public:?}",
            case.id, case.address, case.category, case.diagnosis
        )
    })
}

fn trimmed(case: &Case) -> &str {
    case.address.trim_matches([' ', '\t'])
}

fn demand(case: &Case) -> Demand {
    use AddressProblem as P;
    let has_control = trimmed(case).chars().any(char::is_control);
    let domain = trimmed(case).rsplit('@').next().unwrap_or_default();
    match (case.category.as_str(), case.diagnosis.as_str()) {
        ("ISEMAIL_ERR", _) => Demand::Refused,
        // Line ends are refused wherever they stand, although folding is lawful within a message.
        (_, _) if has_control => Demand::RefusedAs(&[P::ControlCharacter]),
        // The set's few valid addresses at a bare top-level domain are a deliberate refusal.
        ("ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN", _) if !domain.contains('.') => {
            Demand::RefusedAs(&[P::SingleLabel])
        }
        ("ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN", _) => Demand::Accepted,
        // White space around an address comes from pasting and is dropped; that is no folding inside it.
        ("ISEMAIL_CFWS", _) if !trimmed(case).contains([' ', '\t', '(']) => Demand::Accepted,
        // A quoted local part may hold or stand beside white space: then the quotes are named, being met first.
        ("ISEMAIL_CFWS", _) => {
            Demand::RefusedAs(&[P::Comment, P::WhiteSpace, P::QuotedLocalPart, P::IpLiteral])
        }
        (_, "ISEMAIL_RFC5321_TLD") => Demand::RefusedAs(&[P::SingleLabel]),
        (_, "ISEMAIL_RFC5321_TLDNUMERIC") => Demand::RefusedAs(&[P::NumericTopLevel]),
        (_, "ISEMAIL_RFC5321_QUOTEDSTRING" | "ISEMAIL_DEPREC_QTEXT" | "ISEMAIL_DEPREC_QP") => {
            Demand::RefusedAs(&[P::QuotedLocalPart])
        }
        (_, "ISEMAIL_RFC5321_ADDRESSLITERAL" | "ISEMAIL_RFC5321_IPV6DEPRECATED") => {
            Demand::RefusedAs(&[P::IpLiteral])
        }
        (_, "ISEMAIL_DEPREC_LOCALPART") => {
            Demand::RefusedAs(&[P::QuotedLocalPart, P::Comment, P::WhiteSpace])
        }
        ("ISEMAIL_DEPREC", _) => {
            Demand::RefusedAs(&[P::Comment, P::WhiteSpace, P::QuotedLocalPart, P::IpLiteral])
        }
        (_, "ISEMAIL_RFC5322_DOMAIN") => Demand::RefusedAs(&[P::DomainSyntax]),
        (_, "ISEMAIL_RFC5322_TOOLONG") => Demand::RefusedAs(&[P::TooLong]),
        (_, "ISEMAIL_RFC5322_LOCAL_TOOLONG") if case.address.contains('"') => {
            Demand::RefusedAs(&[P::QuotedLocalPart])
        }
        (_, "ISEMAIL_RFC5322_LOCAL_TOOLONG") => Demand::RefusedAs(&[P::LocalPartTooLong]),
        (_, "ISEMAIL_RFC5322_DOMAIN_TOOLONG" | "ISEMAIL_RFC5322_LABEL_TOOLONG") => {
            Demand::RefusedAs(&[P::DomainTooLong])
        }
        // What is left are domain literals that are no good address literals either.
        ("ISEMAIL_RFC5322", _) => Demand::RefusedAs(&[P::IpLiteral]),
        (category, diagnosis) => panic!("no rule for {category} {diagnosis}"),
    }
}

/// Reads this one format: `<test id>` elements whose children hold text only, where it matters.
fn read_cases(xml: &str) -> Vec<Case> {
    xml.split("<test ")
        .skip(1)
        .map(|test| Case {
            id: between(test, "id=\"", "\"").unwrap_or_default(),
            // `<address/>` is the empty address.
            address: with_control_characters(&element(test, "address")),
            category: element(test, "category"),
            diagnosis: element(test, "diagnosis"),
        })
        .collect()
}

fn element(test: &str, name: &str) -> String {
    unescape(&between(test, &format!("<{name}>"), &format!("</{name}>")).unwrap_or_default())
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0.to_owned())
}

/// The five entities of XML 1.0, section 4.6, and character references, section 4.1.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, tail) = after.split_once(';').expect("a reference ends in ;");
        plain.push_str(before);
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let code = match name.strip_prefix("#x") {
                    Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                    None => name.trim_start_matches('#').parse(),
                };
                char::from_u32(code.expect("a number")).expect("a character")
            }
        });
        rest = tail;
    }
    plain + rest
}

/// XML cannot hold most control characters; the set writes U+2400 plus the code for those below U+0020.
fn with_control_characters(text: &str) -> String {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0x2400..=0x241F => char::from_u32(code - 0x2400).unwrap_or(c),
            _ => c,
        })
        .collect()
}

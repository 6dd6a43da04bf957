//! What a confirmation mail must not have, and must not lack: a mail that sells is itself unasked-for advertising, and one
//! that hides who asks, or why, is taken for a trick.

use mail_parser::{Message, MessageParser};

use crate::domain::origin::origin_of;

/// What is wrong with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    Advertising,
    Image,
    ForeignLink,
    NoSender,
    NoReason,
    NoExpiry,
    NoWayOut,
}

/// A flaw with where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub flaw: Flaw,
    pub what: String,
}

impl Flaw {
    /// What it is, and how to mend it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Advertising => {
                "It sounds like advertising. Courts have held a confirmation mail that sells for unasked-for advertising; say only what is asked."
            }
            Self::Image => {
                "It has a picture. Many programs do not load pictures, and a loaded one tells the sender of the opening; leave it out."
            }
            Self::ForeignLink => {
                "It links to another site. A link that is neither the confirmation nor about it makes people and filters wary; leave it out."
            }
            Self::NoSender => {
                "It does not say who asks. Give the brand's full name and postal address."
            }
            Self::NoReason => {
                "It does not say what is agreed to. The purpose's name must stand in it."
            }
            Self::NoExpiry => "It does not say until when the link works.",
            Self::NoWayOut => "It has no link for whoever did not ask (\"this was not me\").",
        }
    }
}

/// What a mail must hold.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// Scheme and host of our own links.
    pub base_url: &'a str,
    /// The brand's own site, which the mail may name.
    pub home_url: Option<&'a str>,
    /// Its privacy notice, and whom people write to: named in every mail, wherever they lie.
    pub privacy_url: Option<&'a str>,
    pub contact: &'a str,
    pub legal_name: &'a str,
    pub postal_address: &'a [String],
    /// The names of the purposes, in the mail's language.
    pub purposes: Vec<&'a str>,
    /// The day on which the link ends, as the mail writes it.
    pub expires: String,
}

impl Expected<'_> {
    /// Whether a link leads to us or to the brand.
    fn names(&self, url: &str) -> bool {
        let origin = origin_of(url);
        let sites = [Some(self.base_url), self.home_url];
        let is_of_a_site = origin.is_some()
            && sites
                .into_iter()
                .flatten()
                .any(|site| origin_of(site) == origin);
        is_of_a_site || self.privacy_url == Some(url) || self.contact == url
    }
}

/// Words that sell, in the languages that the product speaks. Whole words only, whatever their case.
const SELLING: [&str; 34] = [
    "discount",
    "sale",
    "offer",
    "offers",
    "voucher",
    "coupon",
    "deal",
    "deals",
    "buy",
    "bargain",
    "rabatt",
    "gutschein",
    "angebot",
    "angebote",
    "schnäppchen",
    "kaufen",
    "gratis",
    "korting",
    "aanbieding",
    "kortingscode",
    "kopen",
    "voordeel",
    "remise",
    "promo",
    "promotion",
    "soldes",
    "acheter",
    "gratuit",
    "descuento",
    "oferta",
    "ofertas",
    "rebajas",
    "comprar",
    "cupón",
];

/// Every flaw of a mail, the gravest first. Empty for a mail that cannot be read: nobody sends that.
pub fn lint(mail: &[u8], expected: &Expected<'_>) -> Vec<Finding> {
    let Some(message) = MessageParser::default().parse(mail) else {
        return Vec::new();
    };
    let text = on_one_line(&text_of(&message));
    let html = message
        .html_bodies()
        .next()
        .and_then(|part| part.text_contents())
        .unwrap_or_default()
        .to_owned();
    let mut found = Vec::new();
    let mut find = |flaw, what: String| found.push(Finding { flaw, what });
    let subject = message.subject().unwrap_or_default();
    for word in selling(&format!("{subject} {text}")) {
        find(Flaw::Advertising, word);
    }
    if let Some(at) = html.to_ascii_lowercase().find("<img") {
        find(Flaw::Image, excerpt(&html[at..]));
    }
    for url in links(&html).chain(links_of_text(&text)) {
        if !expected.names(&url) && !found_link(&found, &url) {
            found.push(Finding {
                flaw: Flaw::ForeignLink,
                what: excerpt(&url),
            });
        }
    }
    let mut lacks = |holds: bool, flaw| {
        if !holds {
            found.push(Finding {
                flaw,
                what: String::new(),
            });
        }
    };
    let has = |words: &str| text.contains(&on_one_line(words));
    let first_line = expected.postal_address.first();
    lacks(
        has(expected.legal_name) && first_line.is_some_and(|line| has(line)),
        Flaw::NoSender,
    );
    lacks(
        expected.purposes.iter().all(|name| has(name)),
        Flaw::NoReason,
    );
    lacks(has(&expected.expires), Flaw::NoExpiry);
    lacks(text.contains("/decline"), Flaw::NoWayOut);
    found.sort_by_key(|finding| finding.flaw);
    found
}

fn text_of(message: &Message<'_>) -> String {
    message
        .text_bodies()
        .next()
        .and_then(|part| part.text_contents())
        .unwrap_or_default()
        .to_owned()
}

/// Lines are broken where they are long, and spaces within dates do not break: neither says anything.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn found_link(found: &[Finding], url: &str) -> bool {
    found
        .iter()
        .any(|one| one.flaw == Flaw::ForeignLink && one.what == excerpt(url))
}

/// Words that sell, and signs that do: a share in per cent, exclamation marks in a row.
fn selling(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| SELLING.contains(word))
        .map(ToOwned::to_owned)
        .collect();
    let per_cent = lower.char_indices().any(|(at, c)| {
        c == '%'
            && lower[..at]
                .trim_end()
                .ends_with(|before: char| before.is_ascii_digit())
    });
    if per_cent {
        words.push("%".to_owned());
    }
    if lower.contains("!!") {
        words.push("!!".to_owned());
    }
    words.sort_unstable();
    words.dedup();
    words
}

fn links(html: &str) -> impl Iterator<Item = String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|url| url.replace("&amp;", "&"))
        .filter(|url| url.starts_with("http"))
}

fn links_of_text(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'))
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(ToOwned::to_owned)
}

fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Please confirm your newsletter.\n\nhttps://c.example/c/abc\nNot you? https://c.example/c/abc/decline\n\
        The link works until 3 December 2026.\n\nAcme Ltd\n1 Mill Lane\n";

    fn expected() -> Expected<'static> {
        static LINES: std::sync::LazyLock<Vec<String>> =
            std::sync::LazyLock::new(|| vec!["1 Mill Lane".to_owned()]);
        Expected {
            base_url: "https://c.example",
            home_url: Some("https://www.acme.example/letters"),
            privacy_url: Some("https://legal.example/acme?notice=1"),
            contact: "https://help.example/",
            legal_name: "Acme Ltd",
            postal_address: &LINES,
            purposes: vec!["newsletter"],
            expires: "3 December 2026".to_owned(),
        }
    }

    fn flaws(text: &str) -> Vec<Flaw> {
        let mail = format!("Subject: Please confirm\nContent-Type: text/plain\n\n{text}");
        let found = lint(mail.as_bytes(), &expected());
        found.into_iter().map(|finding| finding.flaw).collect()
    }

    #[test]
    fn a_mail_that_says_who_asks_what_and_until_when_has_no_flaw() {
        assert_eq!(flaws(GOOD), []);
    }

    #[test]
    fn the_brands_own_site_its_privacy_notice_and_its_contact_are_not_foreign() {
        for own in [
            "https://www.acme.example/",
            "https://WWW.acme.example:443/about",
            "https://legal.example/acme?notice=1",
            "https://help.example/",
        ] {
            assert_eq!(flaws(&format!("{GOOD}{own}\n")), [], "{own}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let without = |words: &str| flaws(&GOOD.replace(words, ""));
        assert_eq!(without("Acme Ltd\n"), [Flaw::NoSender]);
        assert_eq!(without("1 Mill Lane\n"), [Flaw::NoSender]);
        assert_eq!(without("newsletter"), [Flaw::NoReason]);
        assert_eq!(without("3 December 2026"), [Flaw::NoExpiry]);
        assert_eq!(without("/decline"), [Flaw::NoWayOut]);
    }

    #[test]
    fn words_that_sell_pictures_and_links_elsewhere_are_found() {
        let with = |words: &str| flaws(&format!("{GOOD}{words}\n"));
        assert_eq!(with("Now 20 % off"), [Flaw::Advertising]);
        assert_eq!(with("Ein Gutschein wartet."), [Flaw::Advertising]);
        assert_eq!(with("See https://shop.example/"), [Flaw::ForeignLink]);
        for foreign in [
            "https://c.example.evil/",
            "https://c.example@evil.example/",
            "http://c.example/",
            "https://www.acme.example.evil/letters",
            "https://legal.example/other",
        ] {
            assert_eq!(with(foreign), [Flaw::ForeignLink], "{foreign}");
        }
        // "offer" within a word, and a number without a per cent sign, sell nothing.
        assert_eq!(with("Our officer at number 20."), []);
    }

    #[test]
    fn a_picture_in_the_html_is_found_once() {
        let mail = format!(
            "Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{GOOD}\n--b\n\
             Content-Type: text/html\n\n<p><IMG src=\"x\"><a href=\"https://c.example/c/abc\">y</a></p>\n--b--\n"
        );
        let found = lint(mail.as_bytes(), &expected());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].flaw, Flaw::Image);
    }
}

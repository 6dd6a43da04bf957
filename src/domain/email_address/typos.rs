//! "Did you mean": likely slips in the domains of large mailbox providers. A suggestion is only ever a question.

/// Providers that a slip is corrected to.
const PROVIDERS: &[&str] = &[
    // Worldwide.
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "yahoo.com",
    "zoho.com",
    // United Kingdom.
    "btinternet.com",
    "hotmail.co.uk",
    "yahoo.co.uk",
    // Germany, Austria, Switzerland.
    "arcor.de",
    "bluewin.ch",
    "freenet.de",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "hotmail.de",
    "mailbox.org",
    "outlook.de",
    "posteo.de",
    "t-online.de",
    "web.de",
    "yahoo.de",
    // Netherlands and Belgium.
    "casema.nl",
    "hetnet.nl",
    "home.nl",
    "hotmail.be",
    "hotmail.nl",
    "kpnmail.nl",
    "kpnplanet.nl",
    "live.nl",
    "planet.nl",
    "quicknet.nl",
    "skynet.be",
    "telenet.be",
    "upcmail.nl",
    "xs4all.nl",
    "ziggo.nl",
    // France.
    "bbox.fr",
    "free.fr",
    "hotmail.fr",
    "laposte.net",
    "live.fr",
    "neuf.fr",
    "orange.fr",
    "outlook.fr",
    "sfr.fr",
    "wanadoo.fr",
    "yahoo.fr",
    // Spain.
    "hotmail.es",
    "movistar.es",
    "outlook.es",
    "telefonica.net",
    "yahoo.es",
];

/// Domains that are right as they stand although a provider above is one slip away.
const ALSO_REAL: &[&str] = &[
    "cloud.com",
    "email.com",
    "fastmail.fm",
    "gmx.com",
    "gmx.eu",
    "gmx.fr",
    "hey.com",
    "hotmail.it",
    "hotmail.se",
    "live.at",
    "live.be",
    "live.co.uk",
    "live.de",
    "live.it",
    "mac.com",
    "mail.com",
    "mail.de",
    "outlook.at",
    "outlook.be",
    "outlook.it",
    "planet.de",
    "pm.me",
    "posteo.at",
    "posteo.eu",
    "posteo.net",
    "rocketmail.com",
    "yahoo.at",
    "yahoo.be",
    "yahoo.it",
    "yahoo.nl",
    "ymail.com",
];

/// Names shorter than this are one edit away from too many honest domains (`gms.de`, `love.com`).
const LONG_NAME: usize = 5;

/// The one edit that separates two texts, in the sense of Damerau and Levenshtein.
#[derive(Debug, PartialEq, Eq)]
enum Edit {
    Swapped,
    Doubled,
    Other,
}

/// The provider's domain that was probably meant by `domain` (lower case, in Unicode), if exactly one is a slip away.
pub(super) fn meant(domain: &str) -> Option<&'static str> {
    if PROVIDERS.contains(&domain) || ALSO_REAL.contains(&domain) {
        return None;
    }
    // One slip changes the length by one at most; hardly any provider is left to be compared letter by letter.
    let length = domain.chars().count();
    let mut likely = PROVIDERS
        .iter()
        .filter(|provider| provider.len().abs_diff(length) <= 1)
        .filter(|provider| is_likely(domain, provider));
    match (likely.next(), likely.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn is_likely(domain: &str, provider: &str) -> bool {
    let Some(edit) = one_edit(domain, provider) else {
        return false;
    };
    let (Some((name, ending)), Some((real_name, real_ending))) =
        (domain.split_once('.'), provider.split_once('.'))
    else {
        return false;
    };
    let long = real_name.chars().count() >= LONG_NAME;
    if name != real_name {
        return long || edit != Edit::Other;
    }
    // The slip is in the ending. Providers have many countries, so another real ending is right as it stands;
    // the three that arise from `com` by one lost letter are asked about all the same.
    !is_public_ending(domain, ending)
        || (long && real_ending == "com" && matches!(ending, "co" | "cm" | "om"))
}

fn is_public_ending(domain: &str, ending: &str) -> bool {
    countersign_suffix::known(domain) == Some(ending)
}

/// Which edit turns `right` into `typed`, when it is exactly one. Linear, since both ends are compared first.
fn one_edit(typed: &str, right: &str) -> Option<Edit> {
    let typed: Vec<char> = typed.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let head = typed.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (rest, right_rest) = (&typed[head..], &right[head..]);
    let tail = rest
        .iter()
        .rev()
        .zip(right_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    match (
        &rest[..rest.len() - tail],
        &right_rest[..right_rest.len() - tail],
    ) {
        ([a, b], [c, d]) if a == d && b == c => Some(Edit::Swapped),
        ([extra], []) if head > 0 && typed[head - 1] == *extra => Some(Edit::Doubled),
        ([_], [] | [_]) | ([], [_]) => Some(Edit::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_slips_are_recognised() {
        for (typed, right) in [
            ("gmial.com", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("gmail.co", "gmail.com"),
            ("gmail.cm", "gmail.com"),
            ("gmal.com", "gmail.com"),
            ("gmaıl.com", "gmail.com"),
            ("hotmial.com", "hotmail.com"),
            ("hotmai.fr", "hotmail.fr"),
            ("yahooo.com", "yahoo.com"),
            ("outlok.com", "outlook.com"),
            ("iclould.com", "icloud.com"),
            ("t-onlin.de", "t-online.de"),
            ("gxm.de", "gmx.de"),
            ("webb.de", "web.de"),
            ("zigo.nl", "ziggo.nl"),
            ("kpnmial.nl", "kpnmail.nl"),
            ("ornage.fr", "orange.fr"),
            ("wanado.fr", "wanadoo.fr"),
            ("fre.fr", ""),
            ("hotmal.es", "hotmail.es"),
        ] {
            assert_eq!(meant(typed).unwrap_or_default(), right, "{typed}");
        }
    }

    #[test]
    fn real_providers_and_other_countries_are_left_alone() {
        for real in [
            "ymail.com",
            "mail.com",
            "gmx.com",
            "email.com",
            "gmx.net",
            "live.nl",
            "hey.com",
            "pm.me",
            "outlook.fi",
            "yahoo.ie",
            "ziggo.ml",
            "love.com",
            "life.com",
            "gms.de",
            "fees.fr",
            "aol.co",
            "example.org",
            "mail.gmail.com",
        ] {
            assert_eq!(meant(real), None, "{real}");
        }
    }

    #[test]
    fn no_provider_is_corrected_into_another() {
        for provider in PROVIDERS.iter().chain(ALSO_REAL) {
            assert_eq!(meant(provider), None);
        }
    }

    #[test]
    fn exactly_one_edit_is_counted() {
        assert_eq!(one_edit("ab", "ba"), Some(Edit::Swapped));
        assert_eq!(one_edit("aab", "ab"), Some(Edit::Doubled));
        assert_eq!(one_edit("ab", "aab"), Some(Edit::Other));
        assert_eq!(one_edit("xb", "ab"), Some(Edit::Other));
        assert_eq!(one_edit("ab", "ab"), None);
        assert_eq!(one_edit("abcd", "badc"), None);
        assert_eq!(one_edit("", "ab"), None);
    }
}

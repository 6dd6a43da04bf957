//! Email addresses: what may be mailed, in three forms, and why the rest is refused.
//!
//! The grammar is the dot-atom of RFC 5321, section 4.1.2, with the non-ASCII characters of RFC 6531, section 3.3.
//! Quoted local parts, address literals, comments and obsolete forms are valid mail syntax but refused: people do not
//! have such addresses, and parsers that disagree about them are how mail reaches somebody else (T28).

mod roles;
mod typos;

use std::borrow::Cow;
use std::fmt;
use std::iter::once;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Longer input is refused unread (T29). Four times the longest address leaves room for a Unicode domain and spaces.
const MAX_TYPED_BYTES: usize = 1_024;
/// RFC 5321, section 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;
/// RFC 5321, section 4.5.3.1.2.
const MAX_DOMAIN_BYTES: usize = 255;
/// RFC 1035, section 2.3.4.
const MAX_LABEL_BYTES: usize = 63;
const MAX_NAME_GRAPHEMES: usize = 40;
/// Characters of a name that are kept.
const MAX_KEPT_NAME: usize = 100;
/// Vocalised Hebrew and stacked Tibetan need up to four; more only draws over the neighbouring lines.
const MAX_MARKS_IN_A_ROW: usize = 4;

/// Why an address is refused. The first reason found is given, in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressProblem {
    Empty,
    /// More than 254 octets in the deliverable form (RFC 3696, erratum 1690), or more than 1,024 as typed.
    TooLong,
    NoAt,
    /// A control character (CR, LF and NUL among them), or one that cannot be seen or changes the direction of text.
    ControlCharacter,
    /// The part before the `@` is missing or no dot-atom.
    LocalPart,
    LocalPartTooLong,
    QuotedLocalPart,
    /// RFC 5322, section 3.2.2.
    Comment,
    /// White space inside the address, as in a name with an address behind it.
    WhiteSpace,
    DomainSyntax,
    /// A label of more than 63 octets or a domain of more than 255, as it goes over the wire.
    DomainTooLong,
    IpLiteral,
    SingleLabel,
    /// The last label begins with a digit, as in a bare IPv4 address; no top-level domain does (RFC 1123, erratum
    /// 1353).
    NumericTopLevel,
    /// A domain that standards keep out of the public DNS.
    ReservedDomain,
    /// A top-level domain that the Public Suffix List did not know when this was built.
    UnknownTopLevel,
}

impl AddressProblem {
    /// A stable name for interfaces and for looking up texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::NoAt => "no_at",
            Self::ControlCharacter => "control_character",
            Self::LocalPart => "local_part",
            Self::LocalPartTooLong => "local_part_too_long",
            Self::QuotedLocalPart => "quoted_local_part",
            Self::Comment => "comment",
            Self::WhiteSpace => "white_space",
            Self::DomainSyntax => "domain_syntax",
            Self::DomainTooLong => "domain_too_long",
            Self::IpLiteral => "ip_literal",
            Self::SingleLabel => "single_label",
            Self::NumericTopLevel => "numeric_top_level",
            Self::ReservedDomain => "reserved_domain",
            Self::UnknownTopLevel => "unknown_top_level",
        }
    }
}

/// What an installation accepts beyond the public internet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Accept reserved and unknown top-level domains, for demonstrations and tests. IP addresses and single labels
    /// stay refused.
    pub any_domain: bool,
}

/// An address that may be mailed, in three forms: as typed, deliverable, and as a key for comparing.
///
/// Mail goes only to the deliverable form that was stored first; the key finds it again and is never mailed (T28).
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    typed: String,
    deliverable: String,
    key: String,
    /// Where the `@` stands in `deliverable`.
    at: usize,
}

impl EmailAddress {
    /// The longest deliverable form in octets (RFC 3696, erratum 1690; RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const MAX_BYTES: usize = 254;

    /// Reads an address. White space around it is dropped, except line ends, which a form field never sends; nothing
    /// else is corrected. The local part is kept exactly; the domain becomes ASCII by UTS #46, non-transitional, with
    /// the STD3 rules.
    ///
    /// A hyphen in third and fourth place (`ab--cd.com`) is accepted: RFC 5321 allows it and such domains exist.
    pub fn parse(typed: &str, rules: &AddressRules) -> Result<Self, AddressProblem> {
        if typed.len() > MAX_TYPED_BYTES {
            return Err(AddressProblem::TooLong);
        }
        let typed =
            typed.trim_matches(|c: char| c == '\t' || (c.is_whitespace() && !c.is_control()));
        if typed.trim().is_empty() {
            return Err(AddressProblem::Empty);
        }
        // The two joiners are left to the domain's own rules: some scripts need them there (RFC 5892, A.1 and A.2).
        if typed
            .chars()
            .any(|c| c.is_control() || (is_invisible(c) && !is_joiner(c)))
        {
            return Err(AddressProblem::ControlCharacter);
        }
        let (local, domain) = split(typed)?;
        check_local(local)?;
        let domain = domain_to_ascii(domain)?;
        let deliverable = format!("{local}@{domain}");
        if deliverable.len() > Self::MAX_BYTES {
            return Err(AddressProblem::TooLong);
        }
        check_top_level(&domain, rules)?;
        let key = format!("{}@{domain}", fold(local));
        // Folding can lengthen a few letters. What is stored under the key keeps to the same limits.
        if key.len() - domain.len() - 1 > MAX_LOCAL_BYTES {
            return Err(AddressProblem::LocalPartTooLong);
        }
        if key.len() > Self::MAX_BYTES {
            return Err(AddressProblem::TooLong);
        }
        Ok(Self {
            typed: typed.to_owned(),
            at: local.len(),
            deliverable,
            key,
        })
    }

    /// What the person typed, without the white space around it.
    pub fn as_typed(&self) -> &str {
        &self.typed
    }

    /// The form for the envelope and the `To` header: the local part as typed, the domain in A-labels (RFC 5890).
    pub fn deliverable(&self) -> &str {
        &self.deliverable
    }

    /// The form for people: the domain in Unicode.
    pub fn display(&self) -> String {
        format!("{}@{}", self.local(), to_unicode(self.domain()))
    }

    /// The form for comparing: local part in NFC (RFC 6532, section 3.1) and Unicode lower case, domain in A-labels.
    ///
    /// RFC 5321, section 2.4, lets a host tell local parts apart by case; no known public one does, and two contacts
    /// that differ in case only are one person.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The address as it is compared: for what is shown of it to whoever typed it, who must not learn how it was written first,
    /// or whether it was written before at all (T19).
    pub fn folded(&self) -> Self {
        Self {
            typed: self.key.clone(),
            deliverable: self.key.clone(),
            key: self.key.clone(),
            at: self.key_local().len(),
        }
    }

    /// The same of a stored key. It was accepted once; reading it again needs no list of domains.
    pub fn of_key(key: &str) -> Option<Self> {
        let address = Self::parse(key, &AddressRules { any_domain: true }).ok()?;
        Some(address.folded())
    }

    /// The mailbox that this address most likely ends in (T1), for budgets and for what the brand does not write to any more. It is
    /// never mailed or shown; where a host takes `+` for a letter like any other, a wrong guess costs somebody a mail that was
    /// asked for, and never what they had confirmed.
    ///
    /// The key without its `+` tag (RFC 5233, section 1; Gmail, Outlook, Fastmail, iCloud, Proton). Gmail also ignores
    /// dots ("Dots don't matter in Gmail addresses", support.google.com/mail/answer/7436150) and has two domains. Other
    /// separators are left alone: most hosts give `a-b` and `a` to two people.
    pub fn mailbox(&self) -> String {
        let local = untagged(self.key_local());
        match self.domain() {
            "gmail.com" | "googlemail.com" => {
                // A mark can meet a letter when the dot between them goes.
                let joined: String = local.chars().filter(|c| *c != '.').nfc().collect();
                format!("{joined}@gmail.com")
            }
            domain => format!("{}@{domain}", local.trim_end_matches('.')),
        }
    }

    /// The part before the `@`, exactly as typed.
    pub fn local(&self) -> &str {
        &self.deliverable[..self.at]
    }

    /// The domain in A-labels and lower case.
    pub fn domain(&self) -> &str {
        &self.deliverable[self.at + 1..]
    }

    /// Whether the next host must offer SMTPUTF8 (RFC 6531, section 3.4). The domain never needs it here.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local().is_ascii()
    }

    /// For logs and for pages that others may see: the first grapheme, three dots whatever the length, and the domain
    /// in A-labels, so that a look-alike shows. A local part of one grapheme shows only dots.
    pub fn masked(&self) -> String {
        let mut graphemes = self.local().graphemes(true);
        match (graphemes.next(), graphemes.next()) {
            (Some(first), Some(_)) => format!("{first}•••@{}", self.domain()),
            _ => format!("•••@{}", self.domain()),
        }
    }

    /// Whether it has a `+` tag: then its failing says nothing of the address without one.
    pub fn is_tagged(&self) -> bool {
        untagged(self.key_local()) != self.key_local()
    }

    /// Whether this is a role address such as `info@`, with or without a tag (rule O6 of the consent policy).
    pub fn is_role(&self) -> bool {
        roles::is_role(untagged(self.key_local()))
    }

    /// "Did you mean": the address at the well-known provider that the domain is one slip away from, with the local
    /// part as typed. Only a question to the person; never a correction.
    pub fn suggestion(&self) -> Option<String> {
        typos::meant(&to_unicode(self.domain())).map(|domain| format!("{}@{domain}", self.local()))
    }

    /// As [`Self::suggestion`], also for what [`Self::parse`] refuses only for its top-level domain (`gmail.con`).
    pub fn suggestion_for(typed: &str) -> Option<String> {
        Self::parse(typed, &AddressRules { any_domain: true })
            .ok()?
            .suggestion()
    }

    fn key_local(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

/// Masked, because debug output ends in logs, and no full address may stand there (T35).
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmailAddress").field(&self.masked()).finish()
    }
}

/// Splits at the first `@` outside of quotes and comments; whichever of the three comes first decides.
fn split(typed: &str) -> Result<(&str, &str), AddressProblem> {
    if !typed.contains('@') {
        return Err(AddressProblem::NoAt);
    }
    for (index, c) in typed.char_indices() {
        match c {
            '@' => return Ok((&typed[..index], &typed[index + 1..])),
            '"' => return Err(AddressProblem::QuotedLocalPart),
            _ => no_comment_or_space(c)?,
        }
    }
    Err(AddressProblem::NoAt)
}

/// A dot-atom (RFC 5321, section 4.1.2) whose atoms may hold non-ASCII characters (RFC 6531, section 3.3).
fn check_local(local: &str) -> Result<(), AddressProblem> {
    if local.chars().any(is_invisible) {
        return Err(AddressProblem::ControlCharacter);
    }
    if local
        .split('.')
        .any(|atom| atom.is_empty() || !atom.chars().all(is_atom_character))
    {
        return Err(AddressProblem::LocalPart);
    }
    if local.len() > MAX_LOCAL_BYTES {
        return Err(AddressProblem::LocalPartTooLong);
    }
    Ok(())
}

/// RFC 5322, section 3.2.3, and beyond ASCII whatever std prints as it is, which leaves out private use, format
/// characters and what is unassigned.
///
/// Characters that compatibility normalization turns into ASCII altogether (full-width letters, the Kelvin sign) or
/// into ASCII that is no atom text are refused: they look like another address, and a host behind us that normalizes
/// would deliver to that one (T28).
fn is_atom_character(c: char) -> bool {
    if c.is_ascii() {
        return is_ascii_atom_character(c);
    }
    // Debug output escapes marks that stand alone, so they are asked for by themselves.
    let visible = is_combining_mark(c) || c.escape_debug().count() == 1;
    visible
        && !once(c).nfkc().all(|plain| plain.is_ascii())
        && once(c)
            .nfkc()
            .all(|plain| !plain.is_ascii() || is_ascii_atom_character(plain))
}

fn is_ascii_atom_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

const fn no_comment_or_space(c: char) -> Result<(), AddressProblem> {
    match c {
        '(' | ')' => Err(AddressProblem::Comment),
        _ if c.is_whitespace() => Err(AddressProblem::WhiteSpace),
        _ => Ok(()),
    }
}

/// Characters that show nothing: `Default_Ignorable_Code_Point` of Unicode, the blank Braille pattern, annotation and
/// replacement characters, and noncharacters. Two addresses that differ only in these would look the same.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164
        | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFD
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
        || code & 0xFFFE == 0xFFFE
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn domain_to_ascii(domain: &str) -> Result<String, AddressProblem> {
    if domain.starts_with('[') {
        return Err(AddressProblem::IpLiteral);
    }
    domain.chars().try_for_each(no_comment_or_space)?;
    // Lengths are checked here instead, because the library does not say what was wrong.
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map_err(|_| AddressProblem::DomainSyntax)?;
    // RFC 5321, section 4.1.2: letters, digits and inner hyphens. This is what goes over the wire, so it is checked
    // once more whatever the library's tables say; the root's dot is no part of a mail domain.
    let is_hostname_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !ascii.split('.').all(is_hostname_label) {
        return Err(AddressProblem::DomainSyntax);
    }
    if ascii.len() > MAX_DOMAIN_BYTES || ascii.split('.').any(|label| label.len() > MAX_LABEL_BYTES)
    {
        return Err(AddressProblem::DomainTooLong);
    }
    Ok(ascii.into_owned())
}

fn check_top_level(domain: &str, rules: &AddressRules) -> Result<(), AddressProblem> {
    let Some((_, top)) = domain.rsplit_once('.') else {
        return Err(AddressProblem::SingleLabel);
    };
    if top.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(AddressProblem::NumericTopLevel);
    }
    if rules.any_domain {
        return Ok(());
    }
    match top {
        // Reserved for documentation and tests (RFC 2606, section 2): allowed, so that what the documents show works.
        "example" | "test" => Ok(()),
        // RFC 6761, section 6 (invalid, localhost), RFC 6762, section 3 (local), RFC 7686 (onion), RFC 9476 (alt),
        // RFC 3172 and RFC 8375 (arpa, home.arpa), decision of ICANN's board of 29 July 2024 (internal).
        "alt" | "arpa" | "internal" | "invalid" | "local" | "localhost" | "onion" => {
            Err(AddressProblem::ReservedDomain)
        }
        _ if countersign_suffix::known(domain).is_some() => Ok(()),
        _ => Err(AddressProblem::UnknownTopLevel),
    }
}

/// For people, and for comparing with what they meant to type.
fn to_unicode(domain: &str) -> Cow<'_, str> {
    Uts46::new()
        .to_unicode(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
        )
        .0
}

/// Lower case can undo composition (a letter with a mark may exist composed in one case only), hence NFC on both sides.
fn fold(local: &str) -> String {
    let composed: String = local.nfc().collect();
    composed.to_lowercase().nfc().collect()
}

/// The local part before its first `+`. One that begins with `+` has no name to keep and stays whole.
fn untagged(local: &str) -> &str {
    match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        _ => local,
    }
}

/// A person's name as it is kept: as it was typed, on one line of 100 characters at most, in NFC; none where nothing is left. What may
/// stand in a mail is for [`clean_name`] to say.
pub fn kept_name(typed: &str) -> Option<String> {
    // Marks that turn the order of whatever stands behind them (UAX #9, section 2).
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let fits = |c: &char| !turns(*c) && (!c.is_control() || c.is_whitespace());
    let typed: String = typed.chars().take(MAX_TYPED_BYTES).filter(fits).collect();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let name: String = words.join(" ").nfc().take(MAX_KEPT_NAME).collect();
    let name = name.trim_end().to_owned();
    (!name.is_empty()).then_some(name)
}

/// A person's name that may stand in a mail, or `None`: then the mail goes out without one (T4).
///
/// At most 40 graphemes of letters, marks, spaces, apostrophes, `-` and single dots that end a word, so that no link, number or
/// sentence of a spammer fits. A name is left out, never repaired, but for NFC and superfluous spaces.
pub fn clean_name(typed: &str) -> Option<String> {
    if typed.len() > MAX_TYPED_BYTES {
        return None;
    }
    let words: Vec<&str> = typed.split(' ').filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").nfc().collect();
    // No link ends in a single letter: between initials a dot needs no space.
    let without_initials = name.split(' ').map(|word| {
        if is_initials(word) {
            word.replace('.', "")
        } else {
            word.to_owned()
        }
    });
    let judged = without_initials.collect::<Vec<_>>().join(" ");
    let mut before = None;
    let mut marks = 0;
    for c in judged.chars() {
        let fits = match c {
            // A typographic apostrophe is what telephones write.
            ' ' | '\'' | '\u{2019}' | '-' => true,
            '.' => before != Some('.'),
            _ if is_combining_mark(c) => {
                marks += 1;
                let carried = before.is_some_and(|b| is_name_letter(b) || is_combining_mark(b));
                carried && !is_invisible(c) && marks <= MAX_MARKS_IN_A_ROW
            }
            // A letter after a dot would make a link in some mail programs.
            _ => is_name_letter(c) && before != Some('.'),
        };
        if !fits {
            return None;
        }
        if !is_combining_mark(c) {
            marks = 0;
        }
        before = Some(c);
    }
    let has_letter = name.chars().any(is_name_letter);
    (has_letter && name.graphemes(true).count() <= MAX_NAME_GRAPHEMES).then_some(name)
}

/// `J.R.R.`
fn is_initials(word: &str) -> bool {
    let letters = word.strip_suffix('.').unwrap_or(word);
    letters.contains('.') && letters.split('.').all(|one| one.chars().count() == 1)
}

/// A letter of a script. Letters in circles and squares are symbols, and the mathematical alphabets serve to get words
/// past filters; std counts both as alphabetic.
fn is_name_letter(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_numeric()
        && !is_combining_mark(c)
        && !is_invisible(c)
        && !matches!(u32::from(c), 0x24B6..=0x24E9 | 0x1D400..=0x1D7FF | 0x1F130..=0x1F189)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLIC: AddressRules = AddressRules { any_domain: false };
    const ANY: AddressRules = AddressRules { any_domain: true };

    fn address(typed: &str) -> EmailAddress {
        EmailAddress::parse(typed, &PUBLIC).unwrap_or_else(|problem| panic!("{typed}: {problem:?}"))
    }

    fn problem(typed: &str) -> Option<AddressProblem> {
        EmailAddress::parse(typed, &PUBLIC).err()
    }

    #[test]
    fn ordinary_addresses_are_accepted() {
        for typed in [
            "jane@example.org",
            "jane.doe+tag@mail.example.co.uk",
            "!#$%&'*+-/=?^_`{|}~@iana.org",
            "a@x.example",
            "a@x.test",
            "a@ab--cd.com",
            "a@123.com",
            "a@www.ck",
            "xn--test@iana.org",
        ] {
            assert_eq!(address(typed).deliverable(), typed);
        }
    }

    #[test]
    fn internationalised_addresses_are_accepted() {
        for typed in [
            "用户@例子.公司",
            "अजय@डाटा.भारत",
            "квіточка@пошта.укр",
            "Dörte@Sörensen.example.com",
            "коля@пример.рф",
            "甲斐@黒川.コム",
            "संपर्क@डाटामेल.भारत",
            "I♥@example.org",
            "a@نامه\u{200C}ای.com",
        ] {
            let parsed = address(typed);
            assert!(parsed.domain().is_ascii());
            assert_eq!(parsed.needs_smtputf8(), !parsed.local().is_ascii());
            assert!(typed.starts_with(parsed.local()));
        }
    }

    #[test]
    fn the_three_forms_differ_as_promised() {
        let parsed = address("  Jané.Doe@Bücher.Example\t");
        assert_eq!(parsed.as_typed(), "Jané.Doe@Bücher.Example");
        assert_eq!(parsed.deliverable(), "Jané.Doe@xn--bcher-kva.example");
        assert_eq!(parsed.key(), "jané.doe@xn--bcher-kva.example");
        assert_eq!(parsed.display(), "Jané.Doe@bücher.example");
        assert_eq!(parsed.masked(), "J•••@xn--bcher-kva.example");
        assert_eq!(
            format!("{parsed:?}"),
            "EmailAddress(\"J•••@xn--bcher-kva.example\")"
        );
    }

    #[test]
    fn sharp_s_is_kept_because_the_mapping_is_non_transitional() {
        assert_eq!(address("a@straße.de").domain(), "xn--strae-oqa.de");
    }

    #[test]
    fn every_refusal_names_its_reason() {
        use AddressProblem as P;
        let long_label = format!("a@{}.org", "a".repeat(64));
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long_whole = format!("{}@{}", "a".repeat(64), "abcde.".repeat(31) + "abcdef.org");
        let huge = "a".repeat(1 << 20);
        for (typed, expected) in [
            ("", P::Empty),
            (" \u{3000} ", P::Empty),
            ("jane", P::NoAt),
            ("jane＠example.org", P::NoAt),
            ("@example.org", P::LocalPart),
            (".a@example.org", P::LocalPart),
            ("a..b@example.org", P::LocalPart),
            ("a.@example.org", P::LocalPart),
            ("a,b@example.org", P::LocalPart),
            ("mailto:a@example.org", P::LocalPart),
            ("<a@example.org>", P::LocalPart),
            ("\u{212A}ate@example.org", P::LocalPart),
            ("ｊane@example.org", P::LocalPart),
            ("a．b@example.org", P::LocalPart),
            ("a\u{37E}@example.org", P::LocalPart),
            ("a\u{E000}@example.org", P::LocalPart),
            ("a\u{378}@example.org", P::LocalPart),
            ("\"a\"@example.org", P::QuotedLocalPart),
            ("\"a@b\"@example.org", P::QuotedLocalPart),
            ("(x)a@example.org", P::Comment),
            ("(a@b)c@example.org", P::Comment),
            ("a b@example.org", P::WhiteSpace),
            ("a@example.org(x)", P::Comment),
            ("a@example.org (x)", P::WhiteSpace),
            ("Anna <a@example.org>", P::WhiteSpace),
            ("a@ example.org", P::WhiteSpace),
            ("a@exa\u{A0}mple.org", P::WhiteSpace),
            ("a@b@example.org", P::DomainSyntax),
            ("a@", P::DomainSyntax),
            ("a@example..org", P::DomainSyntax),
            ("a@example.org.", P::DomainSyntax),
            ("a@-example.org", P::DomainSyntax),
            ("a@exa_mple.org", P::DomainSyntax),
            ("a@xn--a.org", P::DomainSyntax),
            ("a@exam/ple.org", P::DomainSyntax),
            ("a@[127.0.0.1]", P::IpLiteral),
            ("a@[IPv6:::1]", P::IpLiteral),
            ("a@127.0.0.1", P::NumericTopLevel),
            ("a@１２７.0.0.1", P::NumericTopLevel),
            ("a@localhost", P::SingleLabel),
            ("a@org", P::SingleLabel),
            ("a@x.localhost", P::ReservedDomain),
            ("a@x.invalid", P::ReservedDomain),
            ("a@printer.local", P::ReservedDomain),
            ("a@x.onion", P::ReservedDomain),
            ("a@x.internal", P::ReservedDomain),
            ("a@x.home.arpa", P::ReservedDomain),
            ("a@gmail.con", P::UnknownTopLevel),
            ("a@example.org\n", P::ControlCharacter),
            ("a\r\nBcc: b@example.org", P::ControlCharacter),
            ("a\0@example.org", P::ControlCharacter),
            ("a\t@example.org", P::ControlCharacter),
            ("a\u{202E}b@example.org", P::ControlCharacter),
            ("a\u{200D}b@example.org", P::ControlCharacter),
            ("a\u{FEFF}@example.org", P::ControlCharacter),
            ("a@exa\u{AD}mple.org", P::ControlCharacter),
            (&long_label, P::DomainTooLong),
            (&long_local, P::LocalPartTooLong),
            (&long_whole, P::TooLong),
            (&huge, P::TooLong),
        ] {
            assert_eq!(problem(typed), Some(expected), "{typed:?}");
        }
    }

    #[test]
    fn any_domain_never_lets_ip_addresses_or_single_labels_in() {
        for typed in [
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@localhost",
            "a@1.2.3.0x7f",
        ] {
            assert!(EmailAddress::parse(typed, &ANY).is_err(), "{typed}");
        }
        for typed in ["a@x.localhost", "a@x.internal", "a@x.unknowntld"] {
            assert!(EmailAddress::parse(typed, &ANY).is_ok(), "{typed}");
        }
    }

    #[test]
    fn the_longest_address_fits_and_one_more_octet_does_not() {
        let domain = format!("{0}.{0}.{1}.org", "b".repeat(63), "c".repeat(57));
        let local = "a".repeat(64);
        assert_eq!(
            address(&format!("{local}@{domain}")).deliverable().len(),
            254
        );
        assert_eq!(
            problem(&format!("{local}@c{domain}")),
            Some(AddressProblem::DomainTooLong)
        );
        assert_eq!(
            problem(&format!("{local}@{}", domain.replace("ccc.", "cccc."))),
            Some(AddressProblem::TooLong)
        );
    }

    #[test]
    fn mailboxes_are_folded_for_counting() {
        for (typed, mailbox) in [
            ("J.A.Doe+news@GoogleMail.com", "jadoe@gmail.com"),
            ("j.doe+a+b@example.org", "j.doe@example.org"),
            ("jane-shop@yahoo.com", "jane-shop@yahoo.com"),
            ("+tag@example.org", "+tag@example.org"),
            ("a.+b@example.org", "a@example.org"),
            ("j.doe@outlook.com", "j.doe@outlook.com"),
        ] {
            assert_eq!(address(typed).mailbox(), mailbox);
        }
    }

    #[test]
    fn masking_hides_the_length_and_a_single_letter() {
        assert_eq!(address("jane@example.org").masked(), "j•••@example.org");
        assert_eq!(address("j@example.org").masked(), "•••@example.org");
        assert_eq!(address("e\u{301}@example.org").masked(), "•••@example.org");
        assert_eq!(
            address("e\u{301}a@example.org").masked(),
            "e\u{301}•••@example.org"
        );
    }

    #[test]
    fn a_role_with_a_tag_is_a_role() {
        assert!(address("Info+list@example.org").is_role());
        assert!(!address("jane+info@example.org").is_role());
    }

    #[test]
    fn a_suggestion_keeps_the_local_part_as_typed() {
        assert_eq!(
            address("Jane@GMIAL.com").suggestion().as_deref(),
            Some("Jane@gmail.com")
        );
        assert_eq!(
            EmailAddress::suggestion_for("Jane@gmail.con").as_deref(),
            Some("Jane@gmail.com")
        );
        assert_eq!(address("Jane@ymail.com").suggestion(), None);
    }

    #[test]
    fn names_of_people_are_kept() {
        for (typed, name) in [
            (" Ada   Lovelace ", "Ada Lovelace"),
            ("O'Brien-Smith Jr.", "O'Brien-Smith Jr."),
            ("O’Brien", "O’Brien"),
            ("J. R. R. Tolkien", "J. R. R. Tolkien"),
            ("J.R.R. Tolkien", "J.R.R. Tolkien"),
            ("J.-P. Sartre", "J.-P. Sartre"),
            ("Rene\u{301}", "René"),
            ("山田 太郎", "山田 太郎"),
            ("संदीप", "संदीप"),
            ("สมชาย ใจดี", "สมชาย ใจดี"),
        ] {
            assert_eq!(clean_name(typed).as_deref(), Some(name), "{typed}");
        }
    }

    #[test]
    fn a_name_is_kept_as_it_was_typed_on_one_line() {
        let long = "é".repeat(300);
        for (typed, kept) in [
            ("Anna, Maria", Some("Anna, Maria")),
            (" J.R.R.\t Tolkien\n(old) ", Some("J.R.R. Tolkien (old)")),
            ("Rene\u{301}", Some("René")),
            ("a\u{202E}b\u{7}c", Some("abc")),
            (long.as_str(), Some(&long[..200])),
            (" \u{7} ", None),
            ("", None),
        ] {
            assert_eq!(kept_name(typed).as_deref(), kept, "{typed:?}");
        }
    }

    #[test]
    fn what_could_be_a_message_is_left_out_as_a_name() {
        let long = "a".repeat(41);
        let stacked = format!("a{}", "\u{301}\u{302}".repeat(3));
        for typed in [
            "",
            "   ",
            "---",
            "evil.com",
            "evil.\u{301}com",
            "a.co",
            "x.y.zz",
            "a..",
            "You won 500",
            "http://x",
            "a@b",
            "a\nb",
            "a\tb",
            "Ⓦin",
            "𝐖in",
            "<b>",
            "Win!",
            "a\u{200B}b",
            "\u{202E}abc",
            "\u{3164}",
            "😀",
            &long,
            &stacked,
        ] {
            assert_eq!(clean_name(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn every_accepted_character_folds_to_accepted_characters_that_fold_to_themselves() {
        for c in ('\u{80}'..=char::MAX).filter(|c| is_atom_character(*c) && !is_invisible(*c)) {
            let key = fold(&format!("X{c}.{c}Σ"));
            assert_eq!(fold(&key), key);
            assert_eq!(check_local(&key), Ok(()), "{c:?}");
        }
    }

    fn assert_stable(parsed: &EmailAddress) {
        let again = |form: &str| {
            EmailAddress::parse(form, &ANY).unwrap_or_else(|p| panic!("{form:?}: {p:?}"))
        };
        assert_eq!(again(parsed.key()).key(), parsed.key());
        assert_eq!(again(parsed.key()).mailbox(), parsed.mailbox());
        let mailbox = parsed.mailbox();
        assert_eq!(again(&mailbox).mailbox(), mailbox);
        assert_eq!(
            again(parsed.deliverable()).deliverable(),
            parsed.deliverable()
        );
        assert_eq!(again(&parsed.display()).deliverable(), parsed.deliverable());
    }

    /// Text that is often an address: fragments that matter to the grammar, and any character at all.
    fn likely_address() -> impl Strategy<Value = String> {
        let fragment = prop_oneof![
            4 => "[a-zA-Z0-9.+_-]{1,8}",
            2 => "\\PC{1,4}",
            1 => any::<char>().prop_map(String::from),
            1 => prop::sample::select(vec!["Σ", "İ", "e\u{301}", "\"", "(", " ", "@", "\\", "ß", "𐐀"])
                .prop_map(str::to_owned),
        ];
        let domain = prop_oneof![
            4 => prop::sample::select(vec!["example.org", "gmail.com", "googlemail.com", "bücher.de"])
                .prop_map(str::to_owned),
            1 => "[a-z0-9.-]{1,20}",
            1 => "\\PC{1,6}\\.[a-zа-я]{2,5}",
        ];
        (prop::collection::vec(fragment, 1..4), domain)
            .prop_map(|(local, domain)| format!("{}@{domain}", local.concat()))
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(typed in any::<String>(), any_domain: bool) {
            let _ = EmailAddress::parse(&typed, &AddressRules { any_domain });
            let _ = clean_name(&typed);
            let _ = EmailAddress::suggestion_for(&typed);
        }

        #[test]
        fn what_is_accepted_is_safe_on_the_wire_and_folds_once(typed in likely_address()) {
            if let Ok(parsed) = EmailAddress::parse(&typed, &ANY) {
                let wire = parsed.deliverable();
                prop_assert!(wire.bytes().all(|b| b >= 0x21 && b != 0x7F));
                prop_assert_eq!(wire.matches('@').count(), 1);
                prop_assert!(!wire.contains(['"', '(', ')', '<', '>', ',', ';', ':', '\\']));
                prop_assert!(wire.len() <= EmailAddress::MAX_BYTES);
                let _ = (parsed.suggestion(), parsed.is_role());
                assert_stable(&parsed);
            }
        }

        #[test]
        fn a_clean_name_stays_as_it_is(typed in "[\\p{L}\\p{M} .'-]{0,50}") {
            if let Some(name) = clean_name(&typed) {
                prop_assert_eq!(clean_name(&name), Some(name));
            }
        }
    }
}

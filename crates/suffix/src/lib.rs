//! The public suffix list, as `psl` holds it, behind a function that is not generic.
//!
//! `psl` turns the list into ten thousand functions that are generic over how the labels of a domain are given, so whichever
//! crate calls it compiles all of them: a tenth of the code of the server, at each build and once more for its tests. Here
//! they are compiled once.

/// The public suffix of a domain (A-labels, lower case), `co.uk` of `example.co.uk`, if the list has it.
///
/// Nothing for a top-level domain that the list does not know. <https://publicsuffix.org/list/>
#[inline(never)]
#[must_use]
pub fn known(domain: &str) -> Option<&str> {
    let suffix = psl::suffix(domain.as_bytes())?;
    if !suffix.is_known() {
        return None;
    }
    std::str::from_utf8(suffix.as_bytes()).ok()
}

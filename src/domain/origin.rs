//! The origin of a web address: scheme, host and port (RFC 6454, section 4). Two addresses are of one site only if these are
//! the same; that one text begins like the other says nothing.

/// `https://c.example` of `HTTPS://C.example:443/x?y`. None of what is no web address, and of one that names a user: what stands
/// before an `@` is made to be taken for the host.
pub fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    // Browsers take a backslash for a slash (WHATWG URL Standard, section 4.4).
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    if authority.is_empty() || authority.contains(['@', ' ', ';', ',', '\'', '"', '*']) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let host = authority.strip_suffix(default_port).unwrap_or(&authority);
    Some(format!("{scheme}://{host}"))
}

/// An address as a content security policy names it (CSP Level 3, section 2.3.1): this one thing of this host. A query has no
/// place in there, and what would end the directive is written otherwise. None of an address that cannot be named.
pub fn content_source(url: &str) -> Option<String> {
    let origin = origin_of(url).filter(|origin| origin.is_ascii())?;
    let rest = url.split_once("://")?.1;
    let rest = rest.split(['?', '#']).next()?;
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let mut source = origin;
    for byte in path.bytes() {
        match byte {
            b';' | b',' | b'\'' | b'"' | b'\\' | 0..=b' ' | 0x7f.. => {
                source.push_str(&format!("%{byte:02X}"));
            }
            _ => source.push(char::from(byte)),
        }
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_source_names_one_thing_and_ends_no_directive() {
        let of = |url| content_source(url).unwrap_or_default();
        assert_eq!(
            of("https://C.example/a/logo.svg?v=2#x"),
            "https://c.example/a/logo.svg"
        );
        assert_eq!(of("https://c.example"), "https://c.example/");
        assert_eq!(
            of("http://127.0.0.1:81/é;a,b"),
            "http://127.0.0.1:81/%C3%A9%3Ba%2Cb"
        );
        assert_eq!(of("https://c.example/a'b *"), "https://c.example/a%27b%20*");
        assert_eq!(content_source("https://c.example;script-src *@x/"), None);
        assert_eq!(content_source("https://bücher.example/x"), None);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_however_they_are_written() {
        let of = |url| origin_of(url).unwrap_or_default();
        assert_eq!(of("HTTPS://C.example:443/x?y#z"), "https://c.example");
        assert_eq!(of("http://c.example:8080"), "http://c.example:8080");
        assert_eq!(of("https://c.example.evil/"), "https://c.example.evil");
        assert_eq!(of("https://c.example\\@evil.example/"), "https://c.example");
        for none in [
            "https://c.example@evil.example/",
            "mailto:a@b.example",
            "https:///x",
            "c.example",
        ] {
            assert_eq!(origin_of(none), None, "{none}");
        }
    }
}

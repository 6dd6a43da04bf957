//! Signs messages by DKIM (RFC 6376, Ed25519 by RFC 8463), relaxed for header and body, without `l=`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{self, Ed25519Key, RsaKey, Sha256, SigningKey as _};
use mail_auth::common::headers::{HeaderStream, HeaderWriter as _, Writable, Writer};
use mail_auth::dkim::canonicalize::CanonicalHeaders;
use mail_auth::dkim::{Canonicalization, Signature};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// What a receiver shows or acts upon. RFC 8058, section 4 wants both List-Unsubscribe fields signed.
const SIGNED_FIELDS: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimProblem {
    #[error(
        "the DKIM key is no PEM private key, or neither RSA with 2048 to 4096 bits nor Ed25519"
    )]
    Key,
    #[error("the DKIM selector or domain is not a host name in ASCII")]
    Name,
    #[error("the message has no From field or a malformed header, so it cannot be signed")]
    Message,
    #[error("the DKIM signature could not be made")]
    Signing,
}

/// A private key with the place where its public half is published: `selector._domainkey.domain`.
pub struct DkimKey {
    key: crypto::DkimKey,
    template: Signature,
}

impl std::fmt::Debug for DkimKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "DkimKey({}, {})",
            self.template.s, self.template.d
        )
    }
}

impl DkimKey {
    /// Takes RSA as PKCS#1 or PKCS#8 and Ed25519 as PKCS#8. Keys under 2048 bits are refused, as
    /// RFC 8301, section 3.2 advises.
    pub fn from_pem(pem: &[u8], selector: &str, domain: &str) -> Result<Self, DkimProblem> {
        if !is_host_name(selector) || !is_host_name(domain) {
            return Err(DkimProblem::Name);
        }
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| DkimProblem::Key)?;
        let key = match &der {
            PrivateKeyDer::Pkcs8(pkcs8) => {
                // openssl writes Ed25519 keys without their public half, hence "maybe unchecked".
                match Ed25519Key::from_pkcs8_maybe_unchecked_der(pkcs8.secret_pkcs8_der()) {
                    Ok(key) => crypto::DkimKey::Ed25519(key),
                    Err(_) => crypto::DkimKey::Rsa(rsa(der)?),
                }
            }
            _ => crypto::DkimKey::Rsa(rsa(der)?),
        };
        let template = Signature {
            v: 1,
            a: key.algorithm(),
            d: domain.to_owned(),
            s: selector.to_owned(),
            h: SIGNED_FIELDS.map(str::to_owned).to_vec(),
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Relaxed,
            ..Signature::default()
        };
        Ok(Self { key, template })
    }

    /// The text of the TXT record that publishes the public half.
    pub fn dns_record(&self) -> String {
        match &self.key {
            crypto::DkimKey::Ed25519(key) => {
                format!(
                    "v=DKIM1; k=ed25519; p={}",
                    STANDARD.encode(key.public_key())
                )
            }
            crypto::DkimKey::Rsa(key) => {
                let public = subject_public_key_info(&key.public_key());
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public))
            }
        }
    }

    /// The `DKIM-Signature` field with its CRLF, to be put in front of the message.
    pub fn sign(&self, message: &[u8], now_unix: u64) -> Result<Vec<u8>, DkimProblem> {
        let fields = Fields::read(message).ok_or(DkimProblem::Message)?;
        if !fields.has("From") {
            return Err(DkimProblem::Message);
        }
        let mut signature = self.template.clone();
        signature.h.retain(|name| fields.has(name));
        let (_, headers, mut signed, body) = signature.canonicalize(fields);
        // Each name once more than it occurs, so that nobody can add a second one (RFC 6376, section 8.15).
        signed.append(&mut signature.h);
        signature.h = signed;
        signature.t = now_unix;
        signature.bh = self.key.hash(body).as_ref().to_vec();
        let input = ToSign {
            headers,
            signature: &signature,
        };
        signature.b = self.key.sign(input).map_err(|_| DkimProblem::Signing)?;
        let mut field = Vec::with_capacity(768);
        signature.write_header(&mut field);
        Ok(field)
    }
}

/// Wraps the bare RSA key as all verifiers expect it, which RFC 6376, section 3.6.1 says only by its
/// example (erratum 3017).
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    /// `rsaEncryption` with NULL parameters (RFC 8017, appendix A.1).
    const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let bits = der(0x03, &[b"\0", key].concat());
    der(0x30, &[ALGORITHM, &bits].concat())
}

/// One DER value. Keys of 2048 to 4096 bits always need a length of two bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16).to_be_bytes();
    [&[tag, 0x82, length[0], length[1]], content].concat()
}

fn rsa(der: PrivateKeyDer<'_>) -> Result<RsaKey<Sha256>, DkimProblem> {
    RsaKey::from_key_der(der).map_err(|_| DkimProblem::Key)
}

/// Whether a selector or a domain can stand in a signature.
pub fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The header fields and then the signature field without its value of `b=` (RFC 6376, section 3.7).
struct ToSign<'a> {
    headers: CanonicalHeaders<'a>,
    signature: &'a Signature,
}

impl Writable for ToSign<'_> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        self.signature.write(writer, false);
    }
}

/// The header fields as name and value with its CRLF. mail-auth's own reader is not public.
struct Fields<'a> {
    fields: std::vec::IntoIter<(&'a [u8], &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::with_capacity(24);
        let mut rest = message;
        loop {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                let fields = fields.into_iter();
                return Some(Self { fields, body });
            }
            if rest.is_empty() {
                let fields = fields.into_iter();
                return Some(Self { fields, body: rest });
            }
            let (field, later) = rest.split_at(end_of_field(rest)?);
            let colon = field.iter().position(|byte| *byte == b':')?;
            let (name, value) = (&field[..colon], &field[colon + 1..]);
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                return None;
            }
            fields.push((name, value));
            rest = later;
        }
    }

    fn has(&self, name: &str) -> bool {
        self.fields
            .as_slice()
            .iter()
            .any(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// A field ends at the first line break that no space or tab follows (RFC 5322, section 2.2.3).
fn end_of_field(text: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        end += text[end..].iter().position(|byte| *byte == b'\n')? + 1;
        if !matches!(text.get(end), Some(b' ' | b'\t')) {
            return Some(end);
        }
    }
}

impl<'a> HeaderStream<'a> for Fields<'a> {
    fn next_header(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.fields.next()
    }

    fn body(&mut self) -> &'a [u8] {
        self.body
    }
}

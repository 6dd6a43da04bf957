//! The response of an authority taken apart: RFC 3161, section 2.4.2, in CMS (RFC 5652). Bytes that are signed are kept as
//! they stood there. Every field that nothing signs must have the one value that it can have, but for the list of hashes: the
//! signer's is among them.

use super::certificate::{CERTIFICATES_AT_MOST, Certificate};
use super::der::{self, Element, Reader};
use super::oid;
use crate::domain::time::Timestamp;

/// `TimeStampResp`: what the authority says of the request, and the token if it granted one.
pub struct Response<'a> {
    pub status: u8,
    /// Free text and failure code; nothing signs them.
    pub words: String,
    pub failure: Option<u8>,
    pub token: Option<Token<'a>>,
}

/// The token: a CMS `SignedData` with one signer.
pub struct Token<'a> {
    /// `TSTInfo` as it stood there.
    pub content: &'a [u8],
    pub info: Info<'a>,
    pub hashes: Vec<Element<'a>>,
    pub certificates: Vec<Certificate>,
    pub signer: Signer<'a>,
}

/// `TSTInfo` (RFC 3161, section 2.4.2).
pub struct Info<'a> {
    pub policy: &'a [u8],
    pub imprint_algorithm: &'a [u8],
    pub imprint: &'a [u8],
    pub serial: &'a [u8],
    pub at: Timestamp,
    pub nonce: Option<&'a [u8]>,
    /// The `directoryName` of the field `tsa`.
    pub authority: Option<&'a [u8]>,
}

/// How the signer's certificate is named.
pub enum SignerName<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    KeyId(&'a [u8]),
}

/// `SignerInfo` (RFC 5652, section 5.3).
pub struct Signer<'a> {
    pub name: SignerName<'a>,
    pub hash: Element<'a>,
    /// The signed attributes: kind, and the one value of each.
    pub attributes: Vec<(&'a [u8], Element<'a>)>,
    /// What the signature is over: the attributes with the tag of a set (RFC 5652, section 5.4).
    pub signed: Vec<u8>,
    pub algorithm: &'a [u8],
    pub signature: &'a [u8],
}

impl<'a> Response<'a> {
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut file = Reader::new(bytes);
        let mut outer = file.inside(der::SEQUENCE)?;
        file.end()?;
        let mut status = outer.inside(der::SEQUENCE)?;
        let code = status.take(der::INTEGER)?.small()?;
        let words = match status.optional(der::SEQUENCE)? {
            Some(list) => said(list)?,
            None => String::new(),
        };
        let failure = match status.optional(der::BIT_STRING)? {
            Some(bits) => Some(first_bit(bits.content)?),
            None => None,
        };
        status.end()?;
        let token = match outer.optional(der::SEQUENCE)? {
            Some(token) => Some(Token::parse(token)?),
            None => None,
        };
        outer.end()?;
        Some(Self {
            status: code,
            words,
            failure,
            token,
        })
    }
}

/// `PKIFreeText`, cut to what fits on a screen.
fn said(list: Element<'_>) -> Option<String> {
    let lines: Vec<String> = list
        .inside()
        .rest()?
        .iter()
        .map(|line| {
            (line.tag == der::UTF8_STRING)
                .then(|| String::from_utf8_lossy(line.content).into_owned())
        })
        .collect::<Option<_>>()?;
    let whole = lines.join("; ");
    Some(
        whole
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect(),
    )
}

/// `PKIFailureInfo` names its reason by the bit that is set.
fn first_bit(bits: &[u8]) -> Option<u8> {
    let (_, bytes) = bits.split_first()?;
    let at = bytes.iter().position(|byte| *byte != 0)?;
    u8::try_from(at * 8)
        .ok()?
        .checked_add(u8::try_from(bytes[at].leading_zeros()).ok()?)
}

impl<'a> Token<'a> {
    fn parse(content_info: Element<'a>) -> Option<Self> {
        let mut outer = content_info.inside();
        if outer.take(der::OID)?.content != oid::SIGNED_DATA {
            return None;
        }
        let mut wrapper = outer.inside(der::context(0, true))?;
        outer.end()?;
        let mut signed = wrapper.inside(der::SEQUENCE)?;
        wrapper.end()?;
        // RFC 5652, section 5.1: version 3, since the content is not plain data.
        if signed.take(der::INTEGER)?.small()? != 3 {
            return None;
        }
        let hashes = signed.inside(der::SET)?.rest()?;
        if hashes.iter().any(|one| one.tag != der::SEQUENCE) {
            return None;
        }
        let content = encapsulated(signed.inside(der::SEQUENCE)?)?;
        let certificates = match signed.optional(der::context(0, true))? {
            Some(set) => certificates(set)?,
            None => Vec::new(),
        };
        // Revocation lists, which some authorities add; the check is at the token's own time and needs none.
        signed.optional(der::context(1, true))?;
        let mut signers = signed.inside(der::SET)?;
        signed.end()?;
        // RFC 3161, section 2.4.2: the authority's signature and no other.
        let signer = Signer::parse(signers.take(der::SEQUENCE)?)?;
        signers.end()?;
        Some(Self {
            content,
            info: Info::parse(content)?,
            hashes,
            certificates,
            signer,
        })
    }
}

fn encapsulated(mut content: Reader<'_>) -> Option<&[u8]> {
    if content.take(der::OID)?.content != oid::TST_INFO {
        return None;
    }
    let mut wrapper = content.inside(der::context(0, true))?;
    content.end()?;
    let bytes = wrapper.take(der::OCTET_STRING)?.content;
    wrapper.end()?;
    Some(bytes)
}

fn certificates(set: Element<'_>) -> Option<Vec<Certificate>> {
    let list = set.inside().rest()?;
    if list.len() > CERTIFICATES_AT_MOST {
        return None;
    }
    list.iter()
        .map(|certificate| Certificate::parse(certificate.whole))
        .collect()
}

impl<'a> Info<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut file = Reader::new(bytes);
        let mut parts = file.inside(der::SEQUENCE)?;
        file.end()?;
        if parts.take(der::INTEGER)?.small()? != 1 {
            return None;
        }
        let policy = parts.take(der::OID)?.content;
        let mut imprint = parts.inside(der::SEQUENCE)?;
        let imprint_algorithm = imprint.take(der::SEQUENCE)?.content;
        let hash = imprint.take(der::OCTET_STRING)?.content;
        imprint.end()?;
        let serial = parts.take(der::INTEGER)?.magnitude()?;
        let at = parts.take(der::GENERALIZED_TIME)?.time()?;
        parts.optional(der::SEQUENCE)?; // accuracy
        parts.optional(der::BOOLEAN)?; // ordering
        let nonce = match parts.optional(der::INTEGER)? {
            Some(nonce) => Some(nonce.magnitude()?),
            None => None,
        };
        let authority = match parts.optional(der::context(0, true))? {
            Some(name) => name
                .inside()
                .optional(der::context(4, true))?
                .map(|name| name.content),
            None => None,
        };
        if let Some(extensions) = parts.optional(der::context(1, true))? {
            forgive(extensions)?;
        }
        parts.end()?;
        Some(Self {
            policy,
            imprint_algorithm,
            imprint: hash,
            serial,
            at,
            nonce,
            authority,
        })
    }
}

/// Extensions of a token may be passed over unless they are critical.
fn forgive(extensions: Element<'_>) -> Option<()> {
    for extension in extensions.inside().rest()? {
        let mut parts = extension.inside();
        parts.take(der::OID)?;
        if parts
            .optional(der::BOOLEAN)?
            .is_some_and(|flag| flag.content != [0])
        {
            return None;
        }
    }
    Some(())
}

impl<'a> Signer<'a> {
    fn parse(signer: Element<'a>) -> Option<Self> {
        let mut parts = signer.inside();
        let version = parts.take(der::INTEGER)?.small()?;
        let name = SignerName::parse(parts.any()?, version)?;
        let hash = parts.take(der::SEQUENCE)?;
        let attributes = parts.take(der::context(0, true))?;
        let algorithm = parts.take(der::SEQUENCE)?.content;
        let signature = parts.take(der::OCTET_STRING)?.content;
        // Attributes that are not signed say nothing that is believed here.
        parts.optional(der::context(1, true))?;
        parts.end()?;
        Some(Self {
            name,
            hash,
            attributes: attribute_list(attributes)?,
            signed: der::element(der::SET, &[attributes.content]),
            algorithm,
            signature,
        })
    }

    /// The value of an attribute that must stand there once.
    pub fn attribute(&self, kind: &[u8]) -> Option<Element<'a>> {
        let mut found = self
            .attributes
            .iter()
            .filter(|attribute| attribute.0 == kind);
        let value = found.next()?.1;
        found.next().is_none().then_some(value)
    }
}

impl<'a> SignerName<'a> {
    fn parse(name: Element<'a>, version: u8) -> Option<Self> {
        match (name.tag, version) {
            (der::SEQUENCE, 1) => {
                let mut parts = name.inside();
                let issuer = parts.take(der::SEQUENCE)?.whole;
                let serial = parts.take(der::INTEGER)?.content;
                parts.end()?;
                Some(Self::IssuerAndSerial { issuer, serial })
            }
            (tag, 3) if tag == der::context(0, false) => Some(Self::KeyId(name.content)),
            _ => None,
        }
    }

    pub fn fits(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                certificate.issuer == *issuer && certificate.serial == *serial
            }
            Self::KeyId(id) => certificate.key_id.as_deref() == Some(id),
        }
    }
}

fn attribute_list(attributes: Element<'_>) -> Option<Vec<(&[u8], Element<'_>)>> {
    let list = attributes.inside().rest()?;
    list.iter()
        .map(|attribute| {
            let mut parts = attribute.inside();
            let kind = parts.take(der::OID)?.content;
            let mut values = parts.inside(der::SET)?;
            parts.end()?;
            let value = values.any()?;
            values.end()?;
            Some((kind, value))
        })
        .collect()
}

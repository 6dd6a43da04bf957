// RFC 3161 responses: imprint, CMS signature with its signed attributes (RFC 5652, section 5.4; RFC 5035), certificate
// chain and extended key usage at the token's own time (RFC 5280, section 6; RFC 3161, section 2.3). PKI.js reads the
// structures and checks single signatures; which of them must hold is decided here.

const OID = {
  tstInfo: "1.2.840.113549.1.9.16.1.4",
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extKeyUsage: "2.5.29.37",
  subjectKeyIdentifier: "2.5.29.14",
};
const HASHES = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
/** Signatures that rest on MD5 or SHA-1, which can be forged. */
const WEAK = new Set(["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"]);
/** Extensions whose meaning is checked here; any other that is critical is refused (RFC 5280, section 4.2). */
const UNDERSTOOD = new Set([OID.basicConstraints, OID.keyUsage, OID.extKeyUsage]);
const LONGEST_CHAIN = 8;
const MOST_CERTIFICATES = 32;

const engineOnce = () => (engineOnce.made ??= new pki.CryptoEngine({ name: "browser", crypto, subtle: crypto.subtle }));

/** Runs a reader of somebody else's structure; whatever it throws means that the file is broken. */
function reading(file, what, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Wrong) throw error;
    return refuse(file, `${what} cannot be read.`);
  }
}

/** One DER value that fills the bytes to the last one. */
function wholeDer(bytes, file, what) {
  const parsed = pki.fromBER(bytes.slice().buffer);
  must(parsed.offset === bytes.length, file, `${what} is not one DER value.`);
  return parsed.result;
}

/** Certificates of a PEM text: `{der, certificate}`. */
function readPem(text, file) {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)];
  must(blocks.length > 0, file, "It holds no certificate.");
  must(blocks.length <= MOST_CERTIFICATES, file, "It holds more certificates than a chain needs.");
  return blocks.map(([, body]) => {
    const der = fromBase64(body.replace(/\s/g, ""));
    must(der, file, "A certificate in it is not base64.");
    return reading(file, "A certificate in it", () => ({ der, certificate: new pki.Certificate({ schema: wholeDer(der, file, "A certificate") }) }));
  });
}

/** The granted response's signed data and TSTInfo. */
function readResponse(bytes, file) {
  return reading(file, "The response", () => {
    const response = new pki.TimeStampResp({ schema: wholeDer(bytes, file, "The response") });
    must(response.status.status === 0 || response.status.status === 1, file, "The authority did not grant the time stamp.");
    must(response.timeStampToken?.contentType === OID.signedData, file, "It holds no signed token.");
    const signedData = new pki.SignedData({ schema: response.timeStampToken.content });
    must(signedData.encapContentInfo.eContentType === OID.tstInfo, file, "What was signed is not a time stamp.");
    must(signedData.signerInfos.length === 1, file, "The token does not have exactly one signer.");
    const content = new Uint8Array(signedData.encapContentInfo.eContent.getValue());
    const schema = wholeDer(content, file, "The time stamp");
    return { signedData, content, tst: new pki.TSTInfo({ schema }), time: readTime(schema, file) };
  });
}

/** Milliseconds of genTime, which is UTC and ends in Z (RFC 3161, section 2.4.2); smaller fractions are cut off. */
function readTime(schema, file) {
  const times = schema.valueBlock.value.filter((value) => value instanceof pki.GeneralizedTime);
  must(times.length === 1, file, "The time stamp has no time.");
  const text = latin1(new Uint8Array(times[0].valueBlock.valueHexView));
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  must(parts, file, "The time stamp's time is not well-formed.");
  const [, year, month, day, hour, minute, second, fraction = ""] = parts;
  const at = micros(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(6, "0").slice(0, 6)}Z`);
  must(at !== null, file, "The time stamp's time is none that a calendar has.");
  return at;
}

function attribute(signer, type, file, what) {
  const found = signer.signedAttrs.attributes.filter((one) => one.type === type);
  must(found.length === 1 && found[0].values.length === 1, file, `The token's signed attributes do not give ${what} once.`);
  return found[0].values[0];
}

/** The certificate that the token names as its signer's, by issuer and serial number or by key identifier. */
function findSigner(signer, certificates, file) {
  const { sid } = signer;
  const found = certificates.find(({ certificate }) => {
    if (sid instanceof pki.IssuerAndSerialNumber) {
      return certificate.issuer.isEqual(sid.issuer) && certificate.serialNumber.isEqual(sid.serialNumber);
    }
    const extension = extensionOf(certificate, OID.subjectKeyIdentifier);
    const id = sid.idBlock.isConstructed ? sid.valueBlock.value[0] : sid;
    return extension && same(new Uint8Array(extension.parsedValue.valueBlock.valueHexView), new Uint8Array(id.valueBlock.valueHexView));
  });
  must(found, file, "It does not hold the certificate of the token's signer.");
  return found;
}

/** ESSCertID and ESSCertIDv2 (RFC 5035, sections 3 and 5): the first one names the signer's certificate by its hash. */
async function mustNameCertificate(signer, der, file) {
  const types = signer.signedAttrs.attributes.map((one) => one.type);
  const newer = types.includes(OID.signingCertificateV2);
  const value = attribute(signer, newer ? OID.signingCertificateV2 : OID.signingCertificate, file, "the signer's certificate");
  const [id] = value.valueBlock.value[0].valueBlock.value;
  const members = id.valueBlock.value;
  // In version 2 the hash algorithm stands first, unless it is the default, SHA-256.
  const named = newer && members[0].idBlock.tagNumber === 16;
  const algorithm = named ? HASHES[members[0].valueBlock.value[0].valueBlock.toString()] : newer ? "SHA-256" : "SHA-1";
  must(algorithm, file, "The token names its certificate by a hash that is not known here.");
  const hash = new Uint8Array(members[named ? 1 : 0].valueBlock.valueHexView);
  must(same(hash, await digest(algorithm, der)), file, "The token was made with another certificate than the one given.");
}

/** RFC 5652, section 5.4: the attributes name the content's type and hash, and the signature is over the attributes. */
async function mustBeSignedToken({ signedData, content }, { der, certificate }, file) {
  const [signer] = signedData.signerInfos;
  must(signer.signedAttrs, file, "The token has no signed attributes.");
  const hash = HASHES[signer.digestAlgorithm.algorithmId];
  must(hash && !WEAK.has(signer.signatureAlgorithm.algorithmId), file, "The token is signed with an algorithm that is too weak or not known here.");
  // RFC 5652, section 5.1: the hashes in use are named in front, any number of them; nothing signs that list.
  const named = signedData.digestAlgorithms.some((one) => one.algorithmId === signer.digestAlgorithm.algorithmId);
  must(named, file, "The token does not name the hash that its signer used.");
  const type = attribute(signer, OID.contentType, file, "the type of content");
  must(type.valueBlock.toString() === OID.tstInfo, file, "The token's attributes speak of something else than a time stamp.");
  const claimed = new Uint8Array(attribute(signer, OID.messageDigest, file, "the hash of the content").valueBlock.valueHexView);
  must(same(claimed, await digest(hash, content)), file, "The token's content does not have the hash that was signed.");
  await mustNameCertificate(signer, der, file);
  const attributes = new Uint8Array(signer.signedAttrs.encodedValue);
  // RSA may be named alone, and then goes with the digest algorithm.
  const alone = signer.signatureAlgorithm.algorithmId === "1.2.840.113549.1.1.1" ? hash : undefined;
  let holds = false;
  try {
    holds = await engineOnce().verifyWithPublicKey(attributes, signer.signature, certificate.subjectPublicKeyInfo, signer.signatureAlgorithm, alone);
  } catch {
    holds = false;
  }
  must(holds, file, "The token's signature does not hold.");
}

const extensionOf = (certificate, id) => certificate.extensions?.find((extension) => extension.extnID === id);
const nameOf = (name) => name.typesAndValues.map((part) => part.value.valueBlock.value).join(", ");

async function isSignedBy(certificate, issuer) {
  if (WEAK.has(certificate.signatureAlgorithm.algorithmId)) return false;
  try {
    return await certificate.verify(issuer, engineOnce());
  } catch {
    return false;
  }
}

/** From the signer's certificate to one that names itself as its issuer. */
async function buildChain(signer, certificates, file) {
  const chain = [signer];
  for (;;) {
    const last = chain[chain.length - 1];
    if (last.certificate.issuer.isEqual(last.certificate.subject)) return chain;
    must(chain.length < LONGEST_CHAIN, file, "The chain of certificates is too long.");
    let next = null;
    for (const candidate of certificates) {
      const fits = candidate.certificate.subject.isEqual(last.certificate.issuer);
      if (fits && (await isSignedBy(last.certificate, candidate.certificate))) next = candidate;
    }
    must(next, file, `No certificate in it has signed the one of “${nameOf(last.certificate.subject)}”.`);
    chain.push(next);
  }
}

function mustBeAuthority(certificate, below, file) {
  const name = nameOf(certificate.subject);
  const basic = extensionOf(certificate, OID.basicConstraints)?.parsedValue;
  must(basic?.cA === true, file, `“${name}” is not a certificate authority.`);
  const most = basic.pathLenConstraint;
  must(typeof most !== "number" || below <= most, file, `“${name}” may not have so many authorities below it.`);
  const usage = extensionOf(certificate, OID.keyUsage)?.parsedValue;
  // Bit 5 is keyCertSign (RFC 5280, section 4.2.1.3).
  must(!usage || (usage.valueBlock.valueHexView[0] & 0x04) !== 0, file, `“${name}” may not sign certificates.`);
}

/** Between signer and root: what it says its certificates are for, if it says so, is time stamps as well. */
function mustPassOnTimeStamps(certificate, file) {
  const purposes = extensionOf(certificate, OID.extKeyUsage)?.parsedValue.keyPurposes;
  must(!purposes || purposes.includes(OID.timeStamping), file, `“${nameOf(certificate.subject)}” may not have authorities for time stamps below it.`);
}

function mustBeForTimeStamps(certificate, file) {
  const purpose = extensionOf(certificate, OID.extKeyUsage);
  const name = nameOf(certificate.subject);
  must(purpose?.critical === true, file, `The certificate of “${name}” is not marked, critically, for time stamps.`);
  const purposes = purpose.parsedValue.keyPurposes;
  must(purposes.length === 1 && purposes[0] === OID.timeStamping, file, `The certificate of “${name}” is not for time stamps alone.`);
  const usage = extensionOf(certificate, OID.keyUsage)?.parsedValue;
  // Bits 0 and 1: digitalSignature, nonRepudiation.
  must(!usage || (usage.valueBlock.valueHexView[0] & 0xc0) !== 0, file, `The certificate of “${name}” may not sign.`);
}

function mustHoldAt(chain, time, file) {
  chain.forEach(({ certificate }, place) => {
    const name = nameOf(certificate.subject);
    const [from, until] = [certificate.notBefore.value.getTime() * 1000, certificate.notAfter.value.getTime() * 1000];
    must(from <= time, file, `The certificate of “${name}” was not yet valid at the token's time.`);
    must(time <= until, file, `The certificate of “${name}” had expired at the token's time.`);
    const strange = certificate.extensions?.find((one) => one.critical && !UNDERSTOOD.has(one.extnID));
    must(!strange, file, `The certificate of “${name}” has a critical extension that is not known here.`);
    if (place > 0) mustBeAuthority(certificate, place - 1, file);
    if (place > 0 && place < chain.length - 1) mustPassOnTimeStamps(certificate, file);
  });
}

/** Checks a response over `data`; answers with its time (microseconds), the authority's names and the root. */
async function checkTimestamp(data, tsrBytes, tsr, pemBytes, pem, roots) {
  const response = readResponse(tsrBytes, tsr);
  const { tst, time } = response;
  must(tst.messageImprint.hashAlgorithm.algorithmId === "2.16.840.1.101.3.4.2.1", tsr, "The time stamp's imprint is not a SHA-256 hash.");
  must(!tst.extensions?.some((one) => one.critical), tsr, "The time stamp has a critical extension, which is not known here.");
  const imprint = new Uint8Array(tst.messageImprint.hashedMessage.valueBlock.valueHexView);
  must(same(imprint, await sha256(data)), tsr, "The time stamp is over other bytes than the checkpoint's.");
  const certificates = readPem(textOf(pemBytes, pem), pem);
  const signer = findSigner(response.signedData.signerInfos[0], certificates, pem);
  await mustBeSignedToken(response, signer, tsr);
  const chain = await buildChain(signer, certificates, pem);
  mustHoldAt(chain, time, pem);
  mustBeForTimeStamps(signer.certificate, pem);
  const root = chain[chain.length - 1];
  const known = roots.some(({ der }) => same(der, root.der));
  must(roots.length === 0 || known, pem, "Its root certificate is none of those that you gave.");
  return { time, authority: nameOf(signer.certificate.subject), root: nameOf(root.certificate.subject), fingerprint: hex(await sha256(root.der)), known };
}

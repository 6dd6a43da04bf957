// Signed notes, verifier keys and cosignatures (C2SP signed-note, tlog-cosignature), with Ed25519 (RFC 8032).

const ED25519 = 0x01;
const COSIGNATURE = 0x04;
const MOST_SIGNATURES = 64;
const LONGEST_NOTE = 8 << 20;

/** A point of small order: as a key it would accept signatures that nobody made. */
function isSmallOrder(point) {
  try {
    return ed25519.Point.fromBytes(point, false).isSmallOrder();
  } catch {
    return true;
  }
}

async function signed(publicKey, message, signature) {
  if (signature.length !== 64 || isSmallOrder(publicKey) || isSmallOrder(signature.subarray(0, 32))) return false;
  try {
    return await ed25519.verifyAsync(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

const isKeyName = (name) => name.length > 0 && !/[\s+\u0085\u180e]/u.test(name);

/** Reads `NAME+hex(key id)+base64(type || public key)`. */
async function readVkey(line, type, file) {
  const parts = line.split("+");
  must(parts.length >= 3 && isKeyName(parts[0]) && /^[0-9a-f]{8}$/.test(parts[1]), file, "It is not a verifier key (name, key id and key, joined by +).");
  // The base64 of the key may itself hold a plus.
  const material = fromBase64(parts.slice(2).join("+"));
  must(material && material.length === 33, file, "Its key is not the base64 of 33 bytes.");
  must(material[0] === type, file, `Its key is not of type 0x0${type}.`);
  const id = (await sha256(join(bytesOf(`${parts[0]}\n`), material))).subarray(0, 4);
  must(hex(id) === parts[1], file, "Its key id is not the one that follows from name and key.");
  const point = material.subarray(1);
  must(!isSmallOrder(point), file, "Its key is none that anybody could hold alone.");
  return { name: parts[0], id, point, line };
}

/** A note's text and its signature lines, not yet checked. */
function readNote(bytes, file) {
  must(bytes.length <= LONGEST_NOTE, file, "It is longer than a signed note may be.");
  const whole = textOf(bytes, file);
  // eslint-disable-next-line no-control-regex
  must(!/[\u0000-\u0009\u000b-\u001f]/.test(whole), file, "It holds control characters.");
  const gap = whole.lastIndexOf("\n\n");
  must(gap >= 0 && whole.endsWith("\n"), file, "It is not a signed note.");
  const lines = whole.slice(gap + 2, -1).split("\n");
  must(lines.length <= MOST_SIGNATURES, file, "It has more signatures than anybody needs.");
  const signatures = lines.map((line) => {
    const parts = /^\u2014 (\S+) (\S+)$/u.exec(line);
    const blob = parts && isKeyName(parts[1]) ? fromBase64(parts[2]) : null;
    must(blob && blob.length > 4, file, "A signature line is not well-formed.");
    return { name: parts[1], id: blob.subarray(0, 4), blob: blob.subarray(4) };
  });
  return { text: whole.slice(0, gap + 1), signatures };
}

const isBy = (signature, key) => signature.name === key.name && same(signature.id, key.id);

/** Requires exactly one line of this key, and that it holds. */
async function mustBeSigned(note, key, file) {
  const lines = note.signatures.filter((signature) => isBy(signature, key));
  must(lines.length === 1, file, lines.length ? "It carries two signatures of the log's key." : "It carries no signature of the log's key.");
  must(await signed(key.point, bytesOf(note.text), lines[0].blob), file, "The signature of the log's key does not hold.");
}

/** Seconds since 1970 of a witness's cosignature; refuses one that does not hold. */
async function cosignedAt(note, signature, key, file) {
  must(signature.blob.length === 72, file, `The cosignature of ${key.name} is not well-formed.`);
  const seconds = new DataView(signature.blob.buffer, signature.blob.byteOffset, 8).getBigUint64(0);
  must(seconds > 0n, file, `The cosignature of ${key.name} tells no time.`);
  const message = bytesOf(`cosignature/v1\ntime ${seconds}\n${note.text}`);
  must(await signed(key.point, message, signature.blob.subarray(8)), file, `The cosignature of ${key.name} does not hold.`);
  return Number(seconds);
}

/** What a line of the log's own tells; `read` answers with null where it is not well-formed. */
function told(line, name, read, file) {
  const text = line.startsWith(`${name} `) ? line.slice(name.length + 1) : "";
  const value = text === "-" ? undefined : read(text);
  must(text && value !== null, file, `Its line “${name}” is not well-formed.`);
  return value;
}

/** A checkpoint (C2SP tlog-checkpoint) with the log's own four lines, signed by the log's key. */
async function readCheckpoint(bytes, key, file) {
  const note = readNote(bytes, file);
  const lines = note.text.split("\n");
  must(lines.length === 8 && lines[7] === "", file, "A checkpoint has seven lines: origin, size, root, and the lines “signed”, “follows”, “complete” and “stamps”.");
  must(lines[0] === key.name, file, "Its origin is not the name of the log's key.");
  const size = wholeNumber(lines[1]);
  must(size !== null, file, "Its size is not a whole number.");
  const root = hash32(lines[2], file, "Its root");
  const signedAt = told(lines[3], "signed", micros, file);
  must(signedAt !== undefined, file, "It does not say when it was signed.");
  const follows = told(lines[4], "follows", wholeNumber, file);
  must(follows === undefined ? size === 0 : follows < size, file, "It follows no smaller checkpoint.");
  const completeAt = told(lines[5], "complete", micros, file);
  told(lines[6], "stamps", (text) => (/^[1-9][0-9]{0,15} [^ ]+$/.test(text) ? hash32(text.split(" ")[1], file, "Its line “stamps”") : null), file);
  await mustBeSigned(note, key, file);
  return { note, size, root, signedAt, completeAt };
}

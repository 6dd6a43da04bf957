// Bytes, text and hashes. `Wrong` is the only way in which a bundle is refused: it names a file and says why.

class Wrong extends Error {
  constructor(file, why) {
    super(why);
    this.file = file;
  }
}

function refuse(file, why) {
  throw new Wrong(file, why);
}

function must(holds, file, why) {
  if (!holds) refuse(file, why);
}

const encoder = new TextEncoder();
// A byte order mark is a character like any other: it must not vanish unseen.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const bytesOf = (text) => encoder.encode(text);

function textOf(bytes, file) {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuse(file, "It is not valid UTF-8 text.");
  }
}

function same(one, other) {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** Order by bytes, as the manifest and the container have it. */
function compareBytes(one, other) {
  const a = bytesOf(one);
  const b = bytesOf(other);
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** For lists of any length: arguments of a call are limited. */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const join = (...parts) => joined(parts);

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** RFC 4648, section 4, one spelling only; null for anything else. */
function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return base64(bytes) === text ? bytes : null;
}

function bytesOfLength(length, text, file, what) {
  const bytes = typeof text === "string" ? fromBase64(text) : null;
  must(bytes && bytes.length === length, file, `${what} is not the base64 of ${length} bytes.`);
  return bytes;
}

/** A base64 text of exactly 32 bytes. */
const hash32 = (text, file, what) => bytesOfLength(32, text, file, what);

const digest = async (name, bytes) => new Uint8Array(await crypto.subtle.digest(name, bytes));
const sha256 = (bytes) => digest("SHA-256", bytes);

async function hmacSha256(key, message) {
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, message));
}

/** A whole number in decimal without leading zeros; null for anything else. */
function wholeNumber(text) {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : null;
}

/** Microseconds since 1970 of a time as `2026-11-23T17:34:05.000042Z`; null for anything else. */
function micros(text) {
  const parts = typeof text === "string" && /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/.exec(text);
  if (!parts) return null;
  const date = new Date(`${parts[1]}Z`);
  // A day that no month has would be moved into the next one.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== parts[1]) return null;
  return date.getTime() * 1000 + Number(parts[2]);
}

const isUuid = (value) => typeof value === "string" && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);

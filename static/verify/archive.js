// Step 1: the ZIP container (PKWARE APPNOTE 6.3). Ours is read by its one allowed form, from the first byte to the last.

const OUR_COMMENT = "countersign bundle v1";
const MB = 1_000_000;
const LIMIT_ALL = 256 * MB;
const LIMIT_FILE = 64 * MB;
const LIMIT_COUNT = 65_000;

const NAMES = new RegExp(
  "^(?:MANIFEST|HOW-TO-VERIFY\\.md|checkpoint|consistency\\.json|log-key\\.pub|record\\.jsonld|report\\.html|verify\\.html" +
    "|(?:events/N\\.json|proofs/N\\.tlog-proof|mails/N\\.eml|circumstances/N\\.json)".replaceAll("N", "(?:\\d{4}|[1-9]\\d{4,5})") +
    "|forms/[0-9a-f]{64}\\.html|anchors/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\\.(?:checkpoint|tsr|pem))$",
);

// Another program may list folders too; they are empty, and no files.
const FOLDERS = ["anchors/", "circumstances/", "events/", "forms/", "mails/", "proofs/"];

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC[(crc ^ bytes[i]) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian fields: [bytes, value] pairs. */
function fields(...pairs) {
  const bytes = [];
  for (const [width, value] of pairs) {
    for (let i = 0; i < width; i++) bytes.push(Math.floor(value / 256 ** i) % 256);
  }
  return Uint8Array.from(bytes);
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

/** Fields that the local header and the directory share: version 20, UTF-8, stored, 1 January 1980. */
function shared(name, content) {
  const size = content.length;
  return fields([2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 33], [4, crc32(content)], [4, size], [4, size], [2, name.length], [2, 0]);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u16(at) {
    must(at >= 0 && at + 2 <= this.bytes.length, "", "The archive ends in the middle of a header.");
    return this.view.getUint16(at, true);
  }
  u32(at) {
    must(at >= 0 && at + 4 <= this.bytes.length, "", "The archive ends in the middle of a header.");
    return this.view.getUint32(at, true);
  }
  part(at, length, file) {
    must(at + length <= this.bytes.length, file, "The archive ends before this file does.");
    return this.bytes.subarray(at, at + length);
  }
}

/** Where the end record is, and its comment. It and its comment reach exactly to the last byte. */
function findEnd(zip) {
  const last = zip.bytes.length - 22;
  for (let at = last; at >= Math.max(0, last - 65535); at--) {
    if (zip.u32(at) === END && at + 22 + zip.u16(at + 20) === zip.bytes.length) {
      return { at, comment: zip.bytes.subarray(at + 22) };
    }
  }
  return refuse("", "This is not a complete ZIP archive.");
}

function take(files, name, content) {
  must(NAMES.test(name), name, "No file of this name belongs in a bundle.");
  must(!files.has(name), name, "This name stands in the archive twice.");
  must(content.length <= LIMIT_FILE, name, "This file is larger than 64 MB.");
  files.set(name, content);
  must(files.size <= LIMIT_COUNT, "", "The archive holds more than 65,000 files.");
}

function readOurs(zip, end) {
  const files = new Map();
  const directory = [];
  let at = 0;
  let before = null;
  while (at < end && zip.u32(at) === LOCAL) {
    const nameBytes = zip.part(at + 30, zip.u16(at + 26), "");
    const name = textOf(nameBytes, "");
    const content = zip.part(at + 30 + nameBytes.length, zip.u32(at + 18), name);
    must(content.length <= LIMIT_FILE, name, "This file is larger than 64 MB.");
    must(crc32(content) === zip.u32(at + 14), name, "Its bytes do not have the checksum that the archive gives.");
    const header = join(fields([4, LOCAL]), shared(nameBytes, content), nameBytes);
    must(same(header, zip.part(at, header.length, name)), name, "Its header in the archive is not as countersign writes it.");
    must(before !== null || name === "MANIFEST", "", "MANIFEST is not the first file of the archive.");
    must(before === null || before === "MANIFEST" || compareBytes(before, name) < 0, name, "The files are not in the order of their names.");
    take(files, name, content);
    directory.push(fields([4, CENTRAL], [2, 20]), shared(nameBytes, content), fields([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), nameBytes);
    at += header.length + content.length;
    before = name;
  }
  const central = joined(directory);
  const record = fields([4, END], [2, 0], [2, 0], [2, files.size], [2, files.size], [4, central.length], [4, at], [2, OUR_COMMENT.length]);
  const rest = join(central, record, bytesOf(OUR_COMMENT));
  must(same(rest, zip.bytes.subarray(at)), before ?? "", "After this file the archive is not as countersign writes it.");
  return files;
}

/** Unpacks deflated data and stops as soon as it is larger than it says. */
async function inflate(packed, size, name) {
  const parts = [];
  let got = 0;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      got += value.length;
      if (got > size) {
        await reader.cancel();
        break;
      }
      parts.push(value);
    }
  } catch {
    refuse(name, "Its compressed data cannot be read.");
  }
  must(got === size, name, "It is not as large as the archive says.");
  return joined(parts);
}

async function readEntry(zip, at, files, folders) {
  must(zip.u32(at) === CENTRAL, "", "The directory of the archive is broken.");
  const [flags, method, crc, packedSize, size] = [zip.u16(at + 8), zip.u16(at + 10), zip.u32(at + 16), zip.u32(at + 20), zip.u32(at + 24)];
  const [nameLength, extra, comment, start] = [zip.u16(at + 28), zip.u16(at + 30), zip.u16(at + 32), zip.u32(at + 42)];
  const nameBytes = zip.part(at + 46, nameLength, "");
  const name = textOf(nameBytes, "");
  const isFolder = FOLDERS.includes(name);
  must(isFolder || NAMES.test(name), name, "No file of this name belongs in a bundle.");
  must((flags & 1) === 0, name, "It is encrypted.");
  must(method === 0 || method === 8, name, "It is compressed by a method that is not known here.");
  must(size <= LIMIT_FILE, name, "This file is larger than 64 MB.");
  must(zip.u32(start) === LOCAL, name, "The directory leads to a place where no file begins.");
  const dataAt = start + 30 + zip.u16(start + 26) + zip.u16(start + 28);
  must(same(zip.part(start + 30, zip.u16(start + 26), name), nameBytes), name, "It has two names in the archive.");
  const packed = zip.part(dataAt, packedSize, name);
  const content = method === 8 ? await inflate(packed, size, name) : packed;
  must(content.length === size && crc32(content) === crc, name, "Its bytes do not have the size and checksum that the archive gives.");
  if (isFolder) {
    must(content.length === 0, name, "This folder has bytes of its own.");
    must(!folders.has(name), name, "This name stands in the archive twice.");
    folders.add(name);
  } else {
    take(files, name, content);
  }
  return { next: at + 46 + nameLength + extra + comment, size };
}

/** An archive that another program packed again: its files count, its container does not. */
async function readAgain(zip, end) {
  const files = new Map();
  const folders = new Set();
  const count = zip.u16(end + 10);
  must(count <= LIMIT_COUNT, "", "The archive holds more than 65,000 files.");
  let at = zip.u32(end + 16);
  let all = 0;
  for (let i = 0; i < count; i++) {
    const { next, size } = await readEntry(zip, at, files, folders);
    at = next;
    all += size;
    must(all <= LIMIT_ALL, "", "The files are larger than 256 MB together.");
  }
  must(at === end, "", "The directory of the archive does not end where it should.");
  return files;
}

/** The files by name, and whether the container is ours. */
async function readArchive(bytes) {
  must(bytes.length <= LIMIT_ALL, "", "The archive is larger than 256 MB.");
  must(bytes.length >= 22, "", "This is not a complete ZIP archive.");
  const zip = new Reader(bytes);
  const end = findEnd(zip);
  if (end.comment.length === 0) return { files: await readAgain(zip, end.at), ours: false };
  must(same(end.comment, bytesOf(OUR_COMMENT)), "", "The archive has a comment that no bundle has.");
  return { files: readOurs(zip, end.at), ours: true };
}

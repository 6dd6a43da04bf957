// Mails as sent (RFC 5322, RFC 2045 to 2047): two header fields, and the links in text parts. Bytes are read as Latin-1
// where only ASCII counts, so that no broken character set stops the search.

function latin1(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** Header fields as [lower-case name, unfolded value], and the body after the first empty line. */
function splitEntity(text) {
  const gap = /^\r?\n|\r?\n\r?\n/.exec(text);
  const head = gap ? text.slice(0, gap.index) : text;
  const body = gap ? text.slice(gap.index + gap[0].length) : "";
  const lines = head.replace(/\r?\n(?=[ \t])/g, "").split(/\r?\n/);
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]] : [];
  });
  return { headers, body };
}

const valuesOf = (headers, name) => headers.filter(([field]) => field === name).map(([, value]) => value);

/** Addresses of a header field: what stands in angle brackets, or a bare address. Names, comments and quotes are no addresses. */
function addressesIn(value) {
  const found = [];
  let bare = "";
  let angle = null;
  let depth = 0;
  const close = () => {
    const address = angle ?? bare.trim();
    if (address) found.push(address);
    bare = "";
    angle = null;
  };
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (c === "\\" && depth) i++;
    else if (c === "(") depth++;
    else if (c === ")" && depth) depth--;
    else if (depth) continue;
    else if (c === '"') {
      for (i++; i < value.length && value[i] !== '"'; i++) if (value[i] === "\\") i++;
      bare += '""';
    } else if (c === "<") {
      const end = value.indexOf(">", i);
      if (end < 0) return [];
      angle = value.slice(i + 1, end).trim();
      i = end;
    } else if (c === ",") close();
    else bare += c;
  }
  close();
  return found;
}

function decodeBody(body, encoding) {
  if (encoding === "quoted-printable") {
    return body
      .replace(/=[ \t]*\r?\n/g, "")
      .replace(/=([0-9A-Fa-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  }
  if (encoding === "base64") {
    const text = body.replace(/[^A-Za-z0-9+/]/g, "");
    return atob(text.slice(0, text.length - (text.length % 4 === 1 ? 1 : 0)));
  }
  return body;
}

/** Text parts, decoded: `{type, text}`. */
function textParts(entity, depth = 0) {
  const { headers, body } = splitEntity(entity);
  const type = valuesOf(headers, "content-type")[0] ?? "text/plain";
  const kind = type.split(";")[0].trim().toLowerCase();
  if (kind.startsWith("multipart/")) {
    const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(type);
    if (!boundary || depth > 8) return [];
    const mark = `--${boundary[1] ?? boundary[2]}`;
    const parts = `\n${body}`.split(/\r?\n(?=--)/).reduce(
      (state, piece) => {
        const line = piece.split(/\r?\n/, 1)[0].trimEnd();
        if (line === `${mark}--`) state.open = false;
        else if (line === mark) {
          state.open = true;
          state.parts.push(piece.slice(piece.indexOf("\n") + 1));
        } else if (state.open && state.parts.length) state.parts.push(`${state.parts.pop()}\r\n${piece}`);
        return state;
      },
      { parts: [], open: false },
    ).parts;
    return parts.slice(0, 100).flatMap((part) => textParts(part, depth + 1));
  }
  if (!kind.startsWith("text/")) return [];
  const encoding = (valuesOf(headers, "content-transfer-encoding")[0] ?? "7bit").trim().toLowerCase();
  return [{ type: kind, text: decodeBody(body, encoding) }];
}

/** The requests (as UUIDs) that links `/c/TOKEN` in these parts stand for. */
function requestsLinked(parts) {
  const found = new Set();
  for (const { text } of parts) {
    for (const [, token] of text.matchAll(/\/c\/([A-Za-z0-9_-]+)/g)) {
      if (token.length !== 55) continue;
      const bytes = fromBase64(`${token.slice(0, 54).replaceAll("-", "+").replaceAll("_", "/")}==`);
      if (!bytes) continue;
      const id = hex(bytes.subarray(8, 24));
      found.add([id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join("-"));
    }
  }
  return found;
}

function readMail(bytes, file) {
  const entity = latin1(bytes);
  const { headers } = splitEntity(entity);
  const only = (name) => {
    const values = valuesOf(headers, name);
    must(values.length === 1, file, `It has ${values.length ? "more than one" : "no"} ${name === "to" ? "To" : "Message-ID"} line.`);
    return new TextDecoder().decode(Uint8Array.from(values[0], (c) => c.charCodeAt(0)));
  };
  return { id: only("message-id"), to: addressesIn(only("to")), headers, parts: textParts(entity) };
}

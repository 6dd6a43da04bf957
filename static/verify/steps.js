// The eleven steps of docs/evidence-bundle.md, in its order. Each takes what the earlier ones found and adds to it; each
// answers with a sentence that says what it saw.

const TEN_MINUTES = 600_000_000;
const FIVE_SECONDS = 5_000_000;
const ONE_DAY = 86_400_000_000;

const MOST_ANCHORS = 1_000;
const LONGEST_EVENT = 4 << 20;
const LONGEST_PROOF = 64 << 10;
const LONGEST_MAIL = 16 << 20;

const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
const numbered = (number) => String(number).padStart(4, "0");

function file(bundle, name) {
  const bytes = bundle.files.get(name);
  must(bytes, name, "It is not there.");
  return bytes;
}

const namesUnder = (bundle, folder) => [...bundle.files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort(compareBytes);

async function container(bundle) {
  const { files, ours } = await readArchive(bundle.bytes);
  bundle.files = files;
  bundle.ours = ours;
  const form = ours ? "The archive is byte for byte as countersign writes it." : "The archive was packed again by another program; its files are checked, its container is not.";
  return `${count(files.size, "file")}. ${form}`;
}

async function key(bundle) {
  const name = "log-key.pub";
  const text = textOf(file(bundle, name), name);
  must(/^[^\n]+\n$/.test(text), name, "It is not one line.");
  bundle.key = await readVkey(text.slice(0, -1), ED25519, name);
  const { expected } = bundle.trust;
  must(!expected || expected === bundle.key.line, name, "It is not the key that you expect.");
  return `The log's key is well-formed${expected ? " and is the one that you expect" : ""}. Its name is ${bundle.key.name}.`;
}

function readManifestText(text) {
  const name = "MANIFEST";
  const lines = text.slice(0, -1).split("\n");
  const heads = [/^(countersign-bundle\/v1)$/, /^origin (\S+)$/, /^brand ([a-z][a-z0-9-]{0,39})$/, /^contact (\S+)$/, /^made (\S+)$/];
  const [, origin, brand, contact, made] = heads.map((head, i) => {
    const found = head.exec(lines[i] ?? "");
    must(found, name, `Line ${i + 1} is not as it should be.`);
    return found[1];
  });
  must(isUuid(contact) && micros(made) !== null, name, "Its contact or its time is not well-formed.");
  const listed = lines.slice(heads.length).map((line) => {
    const parts = /^([0-9a-f]{64}) (0|[1-9][0-9]{0,9}) ([^ ]+)$/.exec(line);
    must(parts, name, "A line is not hash, size and name of a file.");
    return { hash: parts[1], size: Number(parts[2]), name: parts[3] };
  });
  listed.forEach((one, i) => must(i === 0 || compareBytes(listed[i - 1].name, one.name) < 0, name, "Its lines are not in the order of the names."));
  return { origin, brand, contact, made, listed };
}

async function manifest(bundle) {
  const name = "MANIFEST";
  const note = readNote(file(bundle, name), name);
  must(note.signatures.length === 1, name, "It does not have exactly one signature.");
  await mustBeSigned(note, bundle.key, name);
  bundle.manifest = readManifestText(note.text);
  must(bundle.manifest.origin === bundle.key.name, name, "Its origin is not the name of the log's key.");
  const listed = new Set();
  for (const one of bundle.manifest.listed) {
    const bytes = bundle.files.get(one.name);
    must(bytes && one.name !== name, one.name, "The manifest lists it, but it is not there.");
    must(bytes.length === one.size, one.name, "It does not have the size that the manifest gives.");
    must(hex(await sha256(bytes)) === one.hash, one.name, "It does not have the hash that the manifest gives: it was changed.");
    listed.add(one.name);
  }
  for (const there of bundle.files.keys()) must(there === name || listed.has(there), there, "The manifest does not list it.");
  return `Made at ${bundle.manifest.made.slice(0, 19).replace("T", " ")} UTC and signed with the log's key; every file is there with its size and hash, and no other.`;
}

async function checkpoint(bundle) {
  const name = "checkpoint";
  bundle.checkpoint = await readCheckpoint(file(bundle, name), bundle.key, name);
  const { note, size, signedAt } = bundle.checkpoint;
  bundle.witnesses = [];
  for (const signature of note.signatures.filter((one) => !isBy(one, bundle.key))) {
    const witness = bundle.trust.witnesses.find((one) => isBy(signature, one));
    const seconds = witness ? await cosignedAt(note, signature, witness, name) : null;
    bundle.witnesses.push({ name: signature.name, seconds });
  }
  const checked = bundle.witnesses.filter((one) => one.seconds !== null).length;
  const words = bundle.witnesses.length ? ` ${count(checked, "cosignature")} of ${bundle.witnesses.length} checked.` : "";
  return `The log's head covers ${count(size, "entry", "entries")} and was signed at ${utc(signedAt)}, by the log's own clock.${words}`;
}

const isText = (value) => typeof value === "string";
const isTexts = (value) => Array.isArray(value) && value.every(isText);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isHash = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isTime = (value) => micros(value) !== null;

/** Members that later steps rest on. */
const MEMBERS = {
  signed_up: { address: isText, purposes: isTexts, form_version: isHash, confirmation_expires_at: isTime },
  invited: { address: isText, purposes: isTexts, form_version: isHash, confirmation_expires_at: isTime },
  mail_accepted: { message_id: isText, mail_sha256: isHash, tries: isCount, ambiguous: (value) => typeof value === "boolean" },
  confirmed: { purposes: isTexts, grade: (value) => ["code", "same_browser", "link_button"].includes(value) },
  declined: { purposes: isTexts },
  withdrawn: { purposes: isTexts },
  purpose_changed: { purposes: isTexts },
  complained: { purposes: isTexts },
};
const EVERY = { id: isUuid, schema: (value) => value === 1, kind: isText, brand: isUuid, contact: isUuid, at: isTime };

function readEvent(bytes, name) {
  must(bytes.length <= LONGEST_EVENT, name, "It is longer than an event may be.");
  const value = readJson(bytes, name, (v) => `{"event":${canonical(v.event ?? null, name)},"salt":${canonical(v.salt ?? null, name)},"index":${canonical(v.index ?? null, name)}}\n`);
  const { event, index } = value;
  must(event !== null && typeof event === "object" && !Array.isArray(event), name, "It has no event.");
  const salt = hash32(value.salt, name, "Its salt");
  must(isCount(index), name, "Its index is not a whole number.");
  for (const [member, fits] of Object.entries({ ...EVERY, ...(Object.hasOwn(MEMBERS, event.kind) ? MEMBERS[event.kind] : {}) })) {
    must(Object.hasOwn(event, member) && fits(event[member]), name, `Its member “${member}” is missing or not well-formed.`);
  }
  must(event.request === undefined || isUuid(event.request), name, "Its request is not a UUID.");
  return { event, salt, index, name, at: micros(event.at) };
}

/** What browsers showed of themselves, by the numbers of the events. Some may have been removed after their term. */
async function circumstances(bundle) {
  bundle.circumstances = new Map();
  for (const name of namesUnder(bundle, "circumstances")) {
    const of = bundle.events[Number(name.slice("circumstances/".length, -".json".length)) - 1];
    must(of, name, "It is of an event that is not there.");
    const named = of.event.circumstances_sha256;
    must(named !== undefined, name, "Its event names no circumstances.");
    const bytes = file(bundle, name);
    must(hex(await sha256(bytes)) === named, name, "It does not have the hash that its event gives: it was changed.");
    const members = readJson(bytes, name, (value) => canonical(value, name));
    must(Object.values(members).every(isText), name, "A member of it is not a text.");
    bytesOfLength(16, members.salt, name, "Its salt");
    bundle.circumstances.set(of.number, { name, members });
  }
}

async function events(bundle) {
  const names = namesUnder(bundle, "events");
  must(names.length > 0, "", "There is no event.");
  bundle.events = [];
  for (let number = 1; number <= names.length; number++) {
    const name = `events/${numbered(number)}.json`;
    const one = { number, ...readEvent(file(bundle, name), name) };
    const before = bundle.events[number - 2];
    must(one.event.contact === bundle.manifest.contact, name, "It is not of the manifest's contact.");
    must(!before || one.event.brand === before.event.brand, name, "It is not of the same brand as the events before it.");
    must(!before || one.index > before.index, name, "It does not stand after the event before it in the log.");
    must(one.index < bundle.checkpoint.size, name, "Its place is beyond the log's signed head.");
    bundle.events.push(one);
  }
  for (const { number } of bundle.events) file(bundle, `proofs/${numbered(number)}.tlog-proof`);
  const stray = namesUnder(bundle, "proofs").find((name) => !bundle.files.has(name.replace("proofs/", "events/").replace(".tlog-proof", ".json")));
  must(!stray, stray, "It is the proof of an event that is not there.");
  await circumstances(bundle);
  const shown = bundle.circumstances.size ? ` ${count(bundle.circumstances.size, "of them tells", "of them tell")} network address and browser, as it names them.` : "";
  return `${count(names.length, "event")} of one contact, canonical and in the order of the log, each with a proof.${shown}`;
}

async function checkProof(bundle, { number, event, salt, index, name: eventName }) {
  const name = `proofs/${numbered(number)}.tlog-proof`;
  const bytes = file(bundle, name);
  must(bytes.length <= LONGEST_PROOF, name, "It is longer than a proof may be.");
  const text = textOf(bytes, name);
  const gap = text.indexOf("\n\n");
  must(gap >= 0, name, "It has no checkpoint.");
  const [version, place, ...path] = text.slice(0, gap).split("\n");
  must(version === "c2sp.org/tlog-proof@v1", name, "Its first line is not that of a proof.");
  must(place === `index ${index}`, name, "It is not for the place that the event claims.");
  must(same(bytesOf(text.slice(gap + 2)), bundle.files.get("checkpoint")), name, "The checkpoint in it is not the bundle's.");
  must(path.length <= 64, name, "Its path is too long.");
  const hashes = path.map((line) => hash32(line, name, "A line of its path"));
  const entry = await hmacSha256(salt, bytesOf(canonical(event, eventName)));
  const root = await rootOfPath(index, bundle.checkpoint.size, await leafHash(entry), hashes);
  must(root && same(root, bundle.checkpoint.root), name, "It does not lead from the event to the log's signed head: the event is not in the log as it stands here.");
}

/** Each hash is a task of its own to a browser: so many are under way at once. */
const AT_ONCE = 64;

async function proofs(bundle) {
  for (let from = 0; from < bundle.events.length; from += AT_ONCE) {
    const some = bundle.events.slice(from, from + AT_ONCE).map((one) => checkProof(bundle, one));
    // The first in their order is named, whichever is done first.
    const wrong = (await Promise.allSettled(some)).find(({ status }) => status === "rejected");
    if (wrong) throw wrong.reason;
  }
  return "Each event is in the log, at its place, exactly as it stands here.";
}

/** Proofs by the size that they begin at; exactly those that the anchors need. */
function readConsistency(bundle, anchors) {
  const name = "consistency.json";
  const value = readJson(file(bundle, name), name, (v) => `${canonical(v, name)}\n`);
  const { size } = bundle.checkpoint;
  must(hasOnly(value, "to", "proofs") && Array.isArray(value.proofs), name, "It does not have the members “proofs” and “to” alone.");
  must(value.to === size, name, "Its proofs do not lead to the bundle's checkpoint.");
  const wanted = [...new Set(anchors.map((one) => one.size))].filter((one) => one < size).sort((a, b) => a - b);
  must(value.proofs.length === wanted.length, name, "It does not have exactly one proof for each anchored size.");
  return new Map(
    value.proofs.map((proof, i) => {
      must(hasOnly(proof, "from", "hashes") && isTexts(proof.hashes) && proof.from === wanted[i], name, "Its proofs are not those of the anchored sizes, ascending.");
      must(proof.hashes.length <= 128, name, "A proof is too long.");
      return [proof.from, proof.hashes.map((line) => hash32(line, name, "A hash"))];
    }),
  );
}

async function anchors(bundle) {
  const parts = namesUnder(bundle, "anchors").map((name) => /^(anchors\/.*)\.(?:checkpoint|tsr|pem)$/.exec(name)[1]);
  const found = [];
  const bases = new Set(parts);
  must(bases.size <= MOST_ANCHORS, "", "It has more anchors than a bundle may have.");
  for (const base of bases) {
    const [name, tsr, pem] = ["checkpoint", "tsr", "pem"].map((ending) => `${base}.${ending}`);
    [name, tsr, pem].forEach((one) => file(bundle, one));
    found.push({ base, name, tsr, pem, ...(await readCheckpoint(file(bundle, name), bundle.key, name)) });
  }
  const head = bundle.checkpoint;
  for (const { name, size, root } of found) {
    must(size > 0, name, "It is of an empty log.");
    must(size <= head.size, name, "It is larger than the bundle's checkpoint.");
    must(size < head.size || same(root, head.root), name, "It has the same size as the bundle's checkpoint, but another root: the log was forked.");
  }
  const proofs = readConsistency(bundle, found);
  for (const { size, root } of found.filter((one) => one.size < head.size)) {
    const holds = await continues(size, root, head.size, head.root, proofs.get(size));
    must(holds, "consistency.json", `The log of the checkpoint does not continue the anchored one of ${count(size, "entry", "entries")}: it was changed since, or the proof is wrong.`);
  }
  for (const one of found) {
    const stamp = await checkTimestamp(file(bundle, one.name), file(bundle, one.tsr), one.tsr, file(bundle, one.pem), one.pem, bundle.trust.roots);
    Object.assign(one, stamp);
  }
  bundle.anchors = found.sort((a, b) => a.size - b.size || a.time - b.time);
  return found.length ? `${count(found.length, "time stamp")} by an authority; the log has only grown since.` : "There is no time stamp. Times rest on the log's word alone.";
}

/** An event that it holds says no later time: a clock that was ahead when the checkpoint was signed was so for its events. */
const latestOf = ({ time, signedAt }) => (signedAt > time && signedAt <= time + ONE_DAY ? signedAt : time);

/** Which time stamp speaks against this time of the entry, and how; null for none. */
function contradiction(anchors, index, at) {
  const early = anchors.find(({ size, time }) => index >= size && at < time - TEN_MINUTES);
  if (early) return `It was logged after the time stamp of ${early.base}, but claims to be older.`;
  const late = anchors.find((one) => index < one.size && at > latestOf(one) + TEN_MINUTES);
  return late ? `It was logged before the time stamp of ${late.base}, but claims to be younger.` : null;
}

/** How far the clock was ahead of an authority's, as the event says; null where it does not, or more than anybody believes. */
function aheadOf({ clock }) {
  const ahead = clock?.ahead_micros;
  return Number.isSafeInteger(ahead) && Math.abs(ahead) <= ONE_DAY ? ahead : null;
}

/** An event is there before a checkpoint that holds it is signed. A clock that was set back may say otherwise, by a day at most. */
function checkSigned({ checkpoint, anchors, remarks }, { name, index, at }) {
  const holding = [{ name: "checkpoint", signedAt: checkpoint.signedAt }, ...anchors.filter(({ size }) => index < size)];
  const first = holding.reduce((a, b) => (b.signedAt < a.signedAt ? b : a));
  must(at <= first.signedAt + ONE_DAY, name, `It claims a time more than a day later than ${utc(first.signedAt)}, when the log signed ${first.name}, which holds it already.`);
  if (at > first.signedAt + TEN_MINUTES) remarks.push(`The time of ${name} is later than ${utc(first.signedAt)}, when the log signed ${first.name}, which holds it already: the clock was set back, or another machine's clock differs.`);
}

async function times(bundle) {
  bundle.remarks = [];
  for (const one of bundle.events) {
    const { name, event, index, at } = one;
    checkSigned(bundle, one);
    const problem = contradiction(bundle.anchors, index, at);
    if (problem) {
      const ahead = aheadOf(event);
      must(ahead !== null && !contradiction(bundle.anchors, index, at - ahead), name, problem);
      bundle.remarks.push(`The clock was off by ${span(ahead)} at ${name}, as it says itself: by an authority's clock it happened at ${utc(at - ahead)}.`);
      continue;
    }
    const anchor = bundle.anchors.find(({ size, time }) => index < size && at > time + TEN_MINUTES);
    if (anchor) bundle.remarks.push(`The time of ${name} is later than the time stamp of ${anchor.base} that holds it: the server's clock was ahead, for it signed that checkpoint at ${utc(anchor.signedAt)}.`);
  }
  return bundle.anchors.length ? "No event claims a time that a time stamp speaks against, or the log's own signature." : "No event claims a time after the log's own signature. There is no time stamp to compare with.";
}

const ofKind = (bundle, kind) => bundle.events.filter(({ event }) => event.kind === kind);

/** The events that name a form version: signups, and a campaign's invitations with their reminders. */
const asking = (bundle) => bundle.events.filter(({ event }) => event.kind === "signed_up" || event.kind === "invited");
const isReminder = (event) => event.kind === "invited" && event.reminder === true;

async function forms(bundle) {
  const shown = new Set(asking(bundle).map(({ event }) => `forms/${event.form_version}.html`));
  for (const name of namesUnder(bundle, "forms")) {
    must(name === `forms/${hex(await sha256(file(bundle, name)))}.html`, name, "Its hash is not its name: the wording was changed.");
    must(shown.has(name), name, "No signup and no invitation names it.");
  }
  for (const name of shown) file(bundle, name);
  return `${count(shown.size, "form")}, with the wording that the signup or the invitation names.`;
}

/** The one event that opened a request: a signup, or a campaign's invitation. A reminder opens none. */
function openerOf(bundle, request, name) {
  const found = asking(bundle).filter(({ event }) => event.request === request && !isReminder(event));
  must(found.length === 1, name, found.length ? "Two events open its request." : "No signup and no invitation has its request.");
  return found[0];
}

async function mails(bundle) {
  bundle.mails = new Map();
  for (const { event, number } of ofKind(bundle, "mail_accepted")) {
    const name = `mails/${numbered(number)}.eml`;
    const bytes = file(bundle, name);
    must(bytes.length <= LONGEST_MAIL, name, "It is longer than a mail may be.");
    must(hex(await sha256(bytes)) === event.mail_sha256, name, "It does not have the hash that the event gives: the mail was changed.");
    const mail = readMail(bytes, name);
    const id = event.message_id;
    must(mail.id === id || mail.id === `<${id}>`, name, "Its Message-ID is not the event's.");
    if (event.request !== undefined) {
      const { address } = openerOf(bundle, event.request, name).event;
      must(mail.to.includes(address), name, "It is not to the address that signed up or was asked.");
    }
    bundle.mails.set(number, { name, bytes, ...mail });
  }
  const stray = namesUnder(bundle, "mails").find((name) => ![...bundle.mails.values()].some((mail) => mail.name === name));
  must(!stray, stray, "No event says that it was sent.");
  return bundle.mails.size ? `${count(bundle.mails.size, "mail")} as sent, byte for byte.` : "No mail was sent.";
}

/** Whether a mail can have come before the confirmation: the order of the log decides, whatever a clock that was set says. */
function wentBefore({ event, at, number }, confirmed) {
  const atOnce = at <= confirmed.at + FIVE_SECONDS && at >= confirmed.at - TEN_MINUTES;
  return number < confirmed.number || atOnce || event.ambiguous || event.tries > 1;
}

/** The mail that a confirmation rests on: accepted in time, with a link that carries the request; or one that may have been. */
function mailFor(bundle, confirmed) {
  const { request } = confirmed.event;
  const ofRequest = (kind) => ofKind(bundle, kind).filter(({ event }) => event.request === request);
  const sent = ofRequest("mail_accepted");
  const inTime = sent.filter((one) => wentBefore(one, confirmed));
  const linked = inTime.find(({ number }) => requestsLinked(bundle.mails.get(number).parts).has(request));
  const lost = ofRequest("mail_failed").find(({ event }) => event.ambiguous === true);
  if (!linked && lost) {
    bundle.remarks.push(`No mail server said that it took the mail which ${confirmed.name} answers: the last reply was lost, and the bundle does not hold the mail.`);
    return lost;
  }
  must(sent.length > 0, confirmed.name, "No mail of its request was sent.");
  must(inTime.length > 0, confirmed.name, "The mail of its request was sent only after the confirmation.");
  must(linked, confirmed.name, "The mail of its request has no link that carries the request.");
  return linked;
}

/** Until when a request was open, as its opener says, or whoever asked for its mail again before it was confirmed. */
function openUntil(bundle, confirmed, opener) {
  const again = ofKind(bundle, "mail_requested").filter(({ event, index }) => event.request === confirmed.event.request && index < confirmed.index);
  const said = [opener, ...again].map(({ event }) => micros(event.confirmation_expires_at)).filter((time) => time !== null);
  return said.reduce((latest, time) => (time > latest ? time : latest));
}

async function story(bundle) {
  bundle.confirmations = new Map();
  for (const one of ofKind(bundle, "confirmed")) {
    const { name, event } = one;
    must(event.request !== undefined, name, "It belongs to no request.");
    const opener = openerOf(bundle, event.request, name);
    must(opener.index < one.index, name, "Its signup or invitation stands after it in the log.");
    const more = event.purposes.find((purpose) => !opener.event.purposes.includes(purpose));
    must(more === undefined, name, `“${more}” is confirmed, but was not asked for.`);
    const until = openUntil(bundle, one, opener);
    must(one.at < until, name, "It came after the link had expired.");
    const mail = mailFor(bundle, one);
    for (const before of [opener, mail].filter(({ number, at }) => number < one.number && at > one.at + FIVE_SECONDS)) {
      bundle.remarks.push(`${before.name} stands before ${name} in the log and says a later time: the clock was set back between them.`);
    }
    bundle.confirmations.set(one.number, { opener, mail, until });
  }
  const { size } = bundle.confirmations;
  return size ? `${count(size, "confirmation")}, each after its signup or invitation and its mail, in time, and for what was asked.` : "Nobody has confirmed.";
}

const STEPS = [
  ["Container", container],
  ["Key", key],
  ["Manifest", manifest],
  ["Checkpoint", checkpoint],
  ["Events", events],
  ["Proofs", proofs],
  ["Anchors", anchors],
  ["Times", times],
  ["Forms", forms],
  ["Mails", mails],
  ["Story", story],
];

/**
 * Checks a bundle. `trust` has `expected` (a vkey), `roots` and `witnesses` as `readTrust` gives them.
 * `{holds, steps, bundle}`; where it does not hold, also `{step, file, why}` of the first thing that is wrong.
 */
async function verify(bytes, trust) {
  const bundle = { bytes, trust };
  const steps = [];
  for (const [i, [title, check]] of STEPS.entries()) {
    try {
      steps.push({ title, saw: await check(bundle) });
    } catch (error) {
      // Whatever a broken file does to its reader, the answer is no.
      const known = error instanceof Wrong;
      const why = known ? error.message : `It could not be checked (${error.message}).`;
      return { holds: false, step: i + 1, file: known ? error.file : "", why, steps, bundle };
    }
  }
  return { holds: true, steps, bundle };
}

/** What the reader gives to compare with; texts may be empty. */
async function readTrust({ key: keyText = "", roots = "", witnesses = "" }) {
  const expected = keyText.trim();
  if (expected) await readVkey(expected, ED25519, "key");
  const lines = witnesses.split("\n").map((line) => line.trim()).filter(Boolean);
  return {
    expected,
    roots: roots.trim() ? readPem(roots, "roots") : [],
    witnesses: await Promise.all(lines.map((line) => readVkey(line, COSIGNATURE, "witnesses"))),
  };
}

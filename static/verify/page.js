// The page around it: file, fields, verdict. It has no way to send anything (connect-src 'none').

const byId = (id) => document.getElementById(id);

function showProblem(field, text) {
  const place = byId(`${field}-problem`);
  place.textContent = text;
  place.hidden = !text;
  byId(field).toggleAttribute("aria-invalid", Boolean(text));
}

/** The fields' contents, or null with the problem shown beside its field. */
async function trustOfFields() {
  for (const field of ["file", "key", "roots", "witnesses"]) showProblem(field, "");
  try {
    return await readTrust({ key: byId("key").value, roots: byId("roots").value, witnesses: byId("witnesses").value });
  } catch (error) {
    const field = error instanceof Wrong ? error.file : "key";
    byId("known").open = true;
    showProblem(field, error.message);
    byId(field).focus();
    return null;
  }
}

const MOST_OUTCOMES = 8;

/** What it comes to: each confirmation, refusal and withdrawal, with its time. */
function outcomes(bundle) {
  const told = bundle.events.filter(({ event }) => ["confirmed", "declined", "withdrawn", "purpose_changed", "complained"].includes(event.kind));
  const lines = told.slice(-MOST_OUTCOMES).map((one) => {
    const { event, number, at } = one;
    const who = bundle.confirmations.get(number)?.opener.event.address;
    return el("li", "", el("b", "", sentence(one, bundle)[0]), who ? ` by ${who}` : "", el("span", "when", utc(at)));
  });
  if (told.length > MOST_OUTCOMES) lines.unshift(el("li", "muted", `${told.length - MOST_OUTCOMES} earlier ones stand below.`));
  return lines.length ? el("ul", "outcomes", ...lines) : el("p", "", "Nobody has confirmed, declined or left anything in it.");
}

function restNote() {
  const link = el("a", "", "what was taken on trust");
  link.href = "#trust";
  return el("p", "muted", "Every event, mail and wording told here is as it was logged. Read below what each claim rests on, and ", link, ".");
}

function verdictCard(result, facts) {
  const card = el("section", `card verdict ${result.holds ? "good" : "bad"}`);
  const title = el("h2", "", result.holds ? "This bundle holds" : "This bundle does not hold");
  title.id = "verdict";
  title.tabIndex = -1;
  card.append(el("div", "head", icon(result.holds ? "good" : "bad"), title));
  if (result.holds) {
    card.append(outcomes(result.bundle), restNote());
  } else {
    const where = el("p", "where", `Step ${result.step} of ${STEPS.length}, ${STEPS[result.step - 1][0]}`, result.file ? ": " : "", result.file ? el("code", "", result.file) : null);
    const box = el("div", "wrong", where, el("p", "", result.why));
    card.append(el("p", "", "The first thing that is wrong:"), box);
    card.append(el("p", "muted", "Nothing after this was checked, and nothing in the bundle should be relied on. Its story is not shown."));
  }
  card.append(el("dl", "facts", ...facts.flatMap(([name, text, code]) => [el("dt", "", name), el("dd", code ? "code" : "", text)])));
  return card;
}

async function show(bytes, name, trust) {
  const result = await verify(bytes, trust);
  const facts = [
    ["File", `${name}, ${bytes.length.toLocaleString("en-GB")} bytes`],
    ["SHA-256", hex(await sha256(bytes)), true],
    ["Checked", `${utc(Date.now() * 1000)} by this browser's clock`],
  ];
  const parts = [verdictCard(result, facts)];
  if (result.holds) parts.push(storySection(result.bundle));
  if (result.holds && result.bundle.remarks.length) parts.push(remarksSection(result.bundle));
  if (result.holds) parts.push(trustSection(result.bundle));
  parts.push(stepsSection(result));
  byId("result").replaceChildren(...parts);
  byId("result").hidden = false;
  document.title = `${result.holds ? "Holds" : "Does not hold"}: ${name}`;
  byId("verdict").focus();
}

/** The bundle that was chosen or dropped last. */
let chosen = null;

async function check() {
  const trust = await trustOfFields();
  if (!trust) return;
  if (!chosen) {
    showProblem("file", "Choose a bundle first.");
    byId("file").focus();
    return;
  }
  byId("busy").hidden = false;
  byId("result").hidden = true;
  try {
    if (chosen.size > LIMIT_ALL) throw new Error("larger than 256 MB");
    await show(new Uint8Array(await chosen.arrayBuffer()), chosen.name, trust);
  } catch (error) {
    showProblem("file", `The file cannot be read: ${error.message}`);
  } finally {
    byId("busy").hidden = true;
  }
}

/** One check after another: a slow one never overwrites the answer of a later one. */
let queue = Promise.resolve();
const checkNext = () => (queue = queue.then(check));

function choose(file) {
  chosen = file;
  checkNext();
}

function start() {
  if (!globalThis.crypto?.subtle) {
    showProblem("file", "This browser does not let a page from disk use its cryptography. Try another browser.");
    return;
  }
  byId("file").addEventListener("change", (event) => event.target.files[0] && choose(event.target.files[0]));
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    checkNext();
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) choose(file);
  });
}

// For tests: the same check without the page.
globalThis.checkBundle = async (bytes, trust = {}) => {
  const { holds, step, file: name, why } = await verify(bytes, await readTrust(trust));
  return { holds, step, file: name, why };
};

start();

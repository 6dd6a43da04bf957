// The story for people: sentences, what each claim rests on, and what was taken on trust. Everything becomes text nodes.

function el(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const icon = (name) => document.getElementById(`icon-${name}`).content.cloneNode(true);

const utc = (at) => `${new Date(Math.floor(at / 1000)).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const LOCAL_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const local = (at) => LOCAL_TIME.format(new Date(at / 1000));

function when(at) {
  const time = el("time", "", utc(at));
  time.dateTime = new Date(at / 1000).toISOString();
  return el("span", "when", time, " ", el("span", "here", `${local(at)} here`));
}

function span(micro) {
  const seconds = Math.round(Math.abs(micro) / 1_000_000);
  if (seconds < 120) return count(seconds, "second");
  if (seconds < 7200) return count(Math.round(seconds / 60), "minute");
  if (seconds < 172_800) return count(Math.round(seconds / 3600), "hour");
  return count(Math.round(seconds / 86_400), "day");
}

const list = (texts) => (texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts[texts.length - 1]}`);
const quoted = (purposes) => list(purposes.map((purpose) => `“${purpose}”`));
const words = (value) => (isText(value) ? value : "");

const GRADES = {
  code: "By typing the code from the mail",
  same_browser: "Through the mail's link, in the browser that signed up",
  link_button: "Through the mail's link and the button on its page",
};

/** Title and a line below it, by kind. */
const SENTENCES = {
  signed_up: (event) => [`Signed up for ${quoted(event.purposes)}`, `${words(event.address_typed) || event.address}, on the form “${words(event.form)}”${event.asked_by?.legal_name ? `, asked by ${words(event.asked_by.legal_name)}` : ""}`],
  imported: (event) => event.left === true ? [`Left ${quoted(event.purposes)}, as an import says`, `${words(event.address_typed) || event.address}, line ${event.line} of the operator's file: it is the operator's word`] : [`Imported for ${quoted(event.purposes)}`, `${words(event.address_typed) || event.address}, line ${event.line} of the operator's file: where the address came from is the operator's word`],
  import_withdrawn: () => ["The import was taken back"],
  proof_added: (event) => [`Proof added for ${quoted(event.purposes)}`, `${words(event.by)} brought ${list(Object.keys(event.added ?? {}))} for the source ${words(event.claim?.source)}, line ${event.line} of the operator's file: it is the operator's word`],
  invited: (event) => [`${isReminder(event) ? "Reminded" : "Asked"} by campaign to confirm ${quoted(event.purposes)}`, `${words(event.address)}, with the wording of the form “${words(event.form)}”${event.asked_by?.legal_name ? `, asked by ${words(event.asked_by.legal_name)}` : ""}`],
  lapsed: (event) => [event.explicit === true ? `Asked again, nobody answered; consent ended: ${quoted(event.purposes)}` : `Consent that nobody confirmed lapsed: ${quoted(event.purposes)}`],
  mail_accepted: (event, bundle, number) => ["The mail server took the mail", `From ${words(event.from)} to ${bundle.mails.get(number).to.join(", ")}; it answered “${words(event.reply)}”`],
  confirmed: (event) => [`Confirmed ${quoted(event.purposes)}`, GRADES[event.grade]],
  declined: (event) => [`Said no to ${quoted(event.purposes)}`],
  withdrawn: (event) => [`Left ${quoted(event.purposes)}`],
  purpose_changed: (event) => [`Said yes to ${quoted(event.purposes)}`, "On the page behind the preferences link; the record holds the wording that it showed"],
  paused: (event) => [words(event.until) ? `Asked for no mail before ${words(event.until)}` : "Ended the pause"],
  language_changed: (event) => [`Changed the language to ${words(event.to)}`],
  bounced: (event) => [event.hard === true ? "A mail came back for good" : "A mail came back for the time being", `${words(event.status)} ${words(event.said)}`],
  complained: (event) => [event.purposes.length === 0 ? "Complained about a mail, having left everything before" : `Complained about a mail, and so left ${quoted(event.purposes)}`, "A provider reported it"],
  suppressed: (event) => ["An operator kept the brand from writing to the mailbox", words(event.reason)],
  suppression_lifted: (event) => ["An operator let the brand write to the mailbox again", words(event.reason)],
  operator_note: (event) => [`A note by ${words(event.by)}`, words(event.note)],
  legal_hold: (event) => [`An operator kept what is known for a claim, until ${words(event.until)}`, words(event.reason)],
  legal_hold_lifted: (event) => ["An operator ended the legal hold before its time", words(event.reason)],
  erasure_wished: (event) => [event.taken_back === true ? "Took the wish to be erased back" : "Asked to be erased; a legal hold stood in the way, and the wish was kept"],
  expired: () => ["Nobody answered in time; this request ended"],
  reminded: () => ["Nobody had answered yet; a reminder was due"],
  link_opened: (event) => ["A link from the mail was opened", event.same_browser === true ? "In the browser that signed up; opening alone confirms nothing" : "Opening alone confirms nothing"],
  mail_requested: (event) => event.confirmation_expires_at === undefined ? ["The mail was asked for again"] : ["The mail was asked for again", `The request is open until ${words(event.confirmation_expires_at)}`],
  mail_failed: () => ["A mail could not be delivered"],
  code_asked: () => ["The button was pressed as by a program; the code was asked for"],
  code_wrong: () => ["A wrong code was typed"],
  address_changed: () => ["The address was corrected; this request ended"],
  exported: (event) => [event.through === "preferences_page" ? "The person took along what is kept" : "What is kept was handed out to an operator or a program"],
  replaced: () => ["This request was replaced by a newer one"],
};

function sentence(one, bundle) {
  const tell = Object.hasOwn(SENTENCES, one.event.kind) ? SENTENCES[one.event.kind] : null;
  return tell ? tell(one.event, bundle, one.number) : [`Recorded: ${one.event.kind.replaceAll("_", " ")}`];
}

/** What speaks for an event's time: the time stamps between which it was logged. */
function timeRestsOn(one, bundle) {
  const before = bundle.anchors.filter((anchor) => anchor.size > one.index).sort((a, b) => a.time - b.time)[0];
  const after = bundle.anchors.filter((anchor) => anchor.size <= one.index).sort((a, b) => b.time - a.time)[0];
  const by = (anchor) => `${utc(anchor.time)} (${anchor.authority}, ${anchor.tsr})`;
  if (before && after) return `Logged after ${by(after)} and before ${by(before)}.`;
  if (before) return `Logged before ${by(before)}.`;
  if (after) return `Logged after ${by(after)}; no later time stamp covers it yet, so until when rests on the log's word.`;
  return "The log's word alone; no time stamp covers it.";
}

/** Network address and browser, as far as the bundle tells; null where no request caused the event. */
function whenceOf({ event, number }, bundle) {
  if (event.circumstances_sha256 === undefined) return null;
  const shown = bundle.circumstances.get(number);
  if (!shown) return "Not disclosed: the record names network address and browser by their hash, and this bundle does not hold them";
  const own = (name) => (Object.hasOwn(shown.members, name) ? shown.members[name] : "");
  const told = [own("ip"), own("peer") && `through ${own("peer")}`, own("user_agent") && `with the browser “${own("user_agent")}”`, own("opted_in_ip") && `signed up elsewhere, as a list says, from ${own("opted_in_ip")}`, own("confirmed_ip") && `confirmed elsewhere, as a list says, from ${own("confirmed_ip")}`].filter(Boolean);
  return `${told.join(", ") || "A network address and browser that were not noted"}; ${shown.name} has the hash that the record names`;
}

function restsOn(one, bundle) {
  const { event, number, index } = one;
  const rows = [
    ["Record", `${one.name}, entry ${index} of ${bundle.checkpoint.size} in the log, by proofs/${numbered(number)}.tlog-proof`],
    ["Time", timeRestsOn(one, bundle)],
  ];
  const whence = whenceOf(one, bundle);
  if (whence) rows.push(["Came from", whence]);
  if (event.kind === "signed_up" || event.kind === "invited") rows.push(["Wording", `forms/${event.form_version}.html has the hash that the record names`]);
  if (bundle.mails.has(number)) rows.push(["Mail", `${bundle.mails.get(number).name} is byte for byte what the server took, Message-ID ${event.message_id}`]);
  const confirmation = bundle.confirmations.get(number);
  if (confirmation) {
    const { opener, mail, until } = confirmation;
    const times = mail.at <= one.at ? `taken ${span(one.at - mail.at)} before` : "taken before, by the log's order";
    const order = mail.number < one.number ? times : "whose first copy had come before";
    const name = opener.event.kind === "invited" ? "Invitation" : "Signup";
    rows.push([name, `Event ${numbered(opener.number)}, which asked for ${quoted(opener.event.purposes)}; its link was good until ${utc(until)}`]);
    const sure = `Event ${numbered(mail.number)}, ${order}; its link carries this request, ${event.request}`;
    rows.push(["Mail", mail.event.kind === "mail_accepted" ? sure : `Event ${numbered(mail.number)}: no server said that it took it, and one may have; it is not in the bundle`]);
  }
  return el("dl", "rests", ...rows.flatMap(([name, text]) => [el("dt", "", name), el("dd", "", text)]));
}

const fold = (title, text) => el("details", "", el("summary", "", title), el("pre", "", text));

function mailText(mail) {
  const part = mail.parts.find(({ type }) => type === "text/plain") ?? mail.parts[0];
  const text = part ? new TextDecoder().decode(Uint8Array.from(part.text, (c) => c.charCodeAt(0))) : "";
  const lines = ["from", "to", "date", "subject"].flatMap((name) => valuesOf(mail.headers, name).map((value) => `${name[0].toUpperCase()}${name.slice(1)}: ${value}`));
  return `${lines.join("\n")}\n\n${text}`;
}

function storyItem(one, bundle) {
  const [title, more] = sentence(one, bundle);
  const { kind } = one.event;
  const mark = { declined: "withdrawn", complained: "withdrawn" }[kind] ?? kind;
  const known = ["signed_up", "mail_accepted", "confirmed", "withdrawn"].includes(mark);
  const item = el("li", known ? mark : "", icon(known ? mark : "other"), when(one.at), el("h3", "", title), more ? el("p", "muted", more) : null, restsOn(one, bundle));
  if (bundle.mails.has(one.number)) item.append(fold("The mail's text", mailText(bundle.mails.get(one.number))));
  const shown = bundle.circumstances.get(one.number);
  if (shown) item.append(fold("All that the browser showed", JSON.stringify(shown.members, null, 2)));
  item.append(fold("The whole record", JSON.stringify(one.event, null, 2)));
  return item;
}

/** A browser takes long over many thousands of items. */
const SHOWN_AT_ONCE = 500;

function storySection(bundle) {
  const story = el("ol", "story");
  const more = el("button", "more");
  more.type = "button";
  let shown = 0;
  const showMore = () => {
    const some = bundle.events.slice(shown, shown + SHOWN_AT_ONCE);
    shown += some.length;
    story.append(...some.map((one) => storyItem(one, bundle)));
    const left = bundle.events.length - shown;
    more.textContent = `Show ${Math.min(left, SHOWN_AT_ONCE)} of ${count(left, "further event")}`;
    if (left === 0) more.remove();
  };
  more.addEventListener("click", showMore);
  showMore();
  const intro = el("p", "muted", `Contact ${bundle.manifest.contact} of the brand ${bundle.manifest.brand}, in the order of the log.`);
  return el("section", "card", el("h2", "", "What happened"), intro, story, ...(bundle.events.length > SHOWN_AT_ONCE ? [more] : []));
}

/** What no calculation can prove. */
function trustItems(bundle) {
  const { key, trust, anchors: found, witnesses } = bundle;
  const items = [];
  if (!trust.expected) items.push(["That the log's key belongs to who you think. You gave none to compare with; this bundle's key is:", key.line]);
  for (const fingerprint of new Set(found.filter((one) => !one.known).map((one) => one.fingerprint))) {
    const one = found.find((anchor) => anchor.fingerprint === fingerprint);
    items.push([`That “${one.root}” is a time-stamping authority's root certificate. You gave none to compare with; its SHA-256 is:`, fingerprint]);
  }
  if (found.length === 0) items.push(["That the times are right. No authority has seen this log's head."]);
  const unknown = witnesses.filter((one) => one.seconds === null).map((one) => one.name);
  if (unknown.length) items.push([`Nothing of the cosignature by ${list(unknown)}: it was not checked, because you gave no key for it.`]);
  for (const one of witnesses.filter((witness) => witness.seconds !== null)) items.push([`That ${one.name} watches the log. Its cosignature of ${utc(one.seconds * 1e6)} holds.`]);
  items.push(["That the server wrote down what truly happened. The proofs show that these records were not changed since; not that they were true when they were written."]);
  items.push(["What report.html and record.jsonld say. They are the sender’s words, which nothing here was held against; the story on this page is what was checked."]);
  items.push(["That these are all the events of this contact. The log holds no names, so a bundle cannot show that none was left out, such as a later withdrawal."]);
  return items;
}

/** What is no fault and yet worth knowing: mostly clocks that were off. */
function remarksSection(bundle) {
  const section = el("section", "card", el("h2", "", "Worth knowing"), el("ul", "trust", ...bundle.remarks.map((text) => el("li", "", text))));
  section.id = "remarks";
  return section;
}

function trustSection(bundle) {
  const items = trustItems(bundle).map(([text, code]) => el("li", "", text, code ? el("span", "code", code) : null));
  const section = el("section", "card", el("h2", "", "What was taken on trust"), el("ul", "trust", ...items));
  section.id = "trust";
  return section;
}

function stepsSection(result) {
  const items = STEPS.map(([title], i) => {
    const done = result.steps[i];
    const failed = !result.holds && result.step === i + 1;
    const state = done ? "yes" : failed ? "no" : "none";
    const said = done ? done.saw : failed ? `${result.file ? `${result.file}: ` : ""}${result.why}` : "Not reached.";
    const spoken = done ? "holds" : failed ? "does not hold" : "not reached";
    const name = el("b", "", `${i + 1}. ${title}`, el("span", "unseen", `, ${spoken}`));
    return el("li", done || failed ? "" : "later", icon(state), name, el("span", failed ? "bad" : "", said));
  });
  return el("section", "card", el("h2", "", "The eleven steps"), el("ol", "steps", ...items));
}

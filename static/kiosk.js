// The form on a booth's tablet. Each person leaves an empty page behind. Without a connection an entry waits in this
// browser, sealed to the server: the key that could open it is never here.
(() => {
  "use strict";

  const by = (id) => document.getElementById(id);
  const form = by("form");
  if (!form) return;
  const told = by("staff").dataset;
  const { base } = told;
  // The worker keeps addresses that begin so.
  if (!location.search.startsWith("?kiosk=1")) {
    location.replace(told.url);
    return;
  }
  // What was wrong with an entry without scripts is no part of the page.
  history.replaceState(null, "", told.url);

  const IDLE = 60, WARNED = 20, AT_MOST = 5000, TOGETHER = 25, AGAIN = 30000, PATIENCE = 8000, WRONG = 300000;
  const say = (text, name, value) => text.replace(`{$${name}}`, value);
  const show = (node, on) => { node.hidden = !on; };

  // What waits: IndexedDB, sealed
  const opened = new Promise((done, fail) => {
    const asked = indexedDB.open(`countersign ${base}`, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("entries", { keyPath: "id" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const store = async (mode, act) => {
    const tx = (await opened).transaction("entries", mode, { durability: "strict" });
    const asked = act(tx.objectStore("entries"));
    return new Promise((done, fail) => {
      tx.oncomplete = () => done(asked.result);
      tx.onabort = () => fail(tx.error);
    });
  };
  const all = () => store("readonly", (entries) => entries.getAll());
  const put = (entry) => store("readwrite", (entries) => entries.put(entry));
  const drop = (id) => store("readwrite", (entries) => entries.delete(id));

  // HPKE (RFC 9180), base mode: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
  const crypt = window.crypto.subtle;
  const bytes = (text) => new TextEncoder().encode(text);
  const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
  const text64 = (raw) => btoa(String.fromCharCode(...raw)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  const raw64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const KEM = join(bytes("KEM"), [0, 16]);
  const HPKE = join(bytes("HPKE"), [0, 16, 0, 1, 0, 2]);
  const mac = async (key, data) => {
    // An empty key is one of zeros (RFC 2104, section 2).
    const raw = key.length ? key : new Uint8Array(32);
    const ready = await crypt.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypt.sign("HMAC", ready, data));
  };
  const extract = (suite, salt, label, ikm) => mac(salt, join(bytes("HPKE-v1"), suite, bytes(label), ikm));
  const expand = async (suite, key, label, info, long) =>
    (await mac(key, join([0, long], bytes("HPKE-v1"), suite, bytes(label), info, [1]))).slice(0, long);
  const seal = async (id, content) => {
    const curve = { name: "ECDH", namedCurve: "P-256" };
    const raw = raw64(told.key);
    const theirs = await crypt.importKey("raw", raw, curve, false, []);
    const ours = await crypt.generateKey(curve, false, ["deriveBits"]);
    const point = new Uint8Array(await crypt.exportKey("raw", ours.publicKey));
    const shared = new Uint8Array(await crypt.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256));
    const secret = await expand(KEM, await extract(KEM, [], "eae_prk", shared), "shared_secret", join(point, raw), 32);
    const about = join(
      [0],
      await extract(HPKE, [], "psk_id_hash", []),
      await extract(HPKE, [], "info_hash", bytes("countersign booth entry v1")),
    );
    const root = await extract(HPKE, secret, "secret", []);
    const key = await crypt.importKey("raw", await expand(HPKE, root, "key", about, 32), "AES-GCM", false, ["encrypt"]);
    const iv = await expand(HPKE, root, "base_nonce", about, 12);
    const additionalData = bytes(`${base.slice(3)} ${id}`);
    // Filled up, so that its length does not tell how long an address is.
    const plain = bytes(JSON.stringify(content));
    const padded = new Uint8Array(Math.ceil(plain.length / 256) * 256).fill(32);
    padded.set(plain);
    return join(point, new Uint8Array(await crypt.encrypt({ name: "AES-GCM", iv, additionalData }, key, padded)));
  };

  const number = () => {
    const raw = window.crypto.getRandomValues(new Uint8Array(16));
    raw[6] = (raw[6] & 15) | 64;
    raw[8] = (raw[8] & 63) | 128;
    const hex = Array.from(raw, (one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  // The server's time, when it was last heard of: no clock that is right lies before it.
  let off = false;
  const heardAt = () => {
    const kept = localStorage.getItem(`countersign ${base} time`) || "";
    return kept > told.now ? kept : told.now;
  };
  const heard = (now) => {
    localStorage.setItem(`countersign ${base} time`, now);
    off = Math.abs(Date.parse(now) - Date.now()) > WRONG;
    tellReady();
  };
  const isWrong = () => off || Date.now() < Date.parse(heardAt()) - WRONG;
  const ask = async (path, body) => {
    const answer = await fetch(path, {
      method: "POST",
      body: JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      headers: { accept: "application/json", "content-type": "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const json = await answer.json();
    if (json.now) heard(json.now);
    return { status: answer.status, json };
  };

  // For the staff
  // The entry that is just being sent by itself.
  let sole = null;
  const count = async () => {
    const kept = (await all()).filter(({ id }) => id !== sole);
    const refused = kept.filter((entry) => entry.reason);
    const waiting = kept.length - refused.length;
    by("waiting").textContent = say(told.waiting, "count", waiting);
    by("waiting").className = waiting ? "sign busy" : "sign good";
    by("stuck").textContent = refused.length ? say(told.refused, "count", refused.length) : "";
    const box = by("refused");
    show(box, refused.length);
    box.querySelector("h2").textContent = say(told.refused, "count", refused.length);
    box.querySelector("ul").replaceChildren(...refused.map((entry) => {
      const line = document.createElement("li");
      const at = new Date(entry.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      line.textContent = `${say(told.entered, "date", at)} ${entry.reason}`;
      return line;
    }));
    return kept.filter((entry) => !entry.reason);
  };
  let sending = null;
  const sendAll = async () => {
    for (let waiting = await count(); waiting.length; waiting = await count()) {
      const part = waiting.slice(0, TOGETHER);
      const entry = part.map(({ id, key, sealed }) => `${id}.${key}.${text64(sealed)}`);
      const now = new Date().toISOString();
      const { status, json } = await ask(`${base}/entries`, { lang: form.elements.lang.value, now, entry });
      if (status !== 200) return false;
      let gone = 0;
      for (const { id, state, reason } of json.entries) {
        // Let go of only when the server says that it is on its disk.
        if (state === "recorded") await drop(id);
        if (state === "refused") await put({ ...part.find((one) => one.id === id), reason });
        if (state !== "later") gone += 1;
      }
      if (!gone) return false;
    }
    return true;
  };
  const send = () => {
    sending ||= sendAll().catch(() => false).finally(() => { sending = null; });
    return sending;
  };
  const reach = async () => {
    if ((await count()).length) return send();
    return ask(`${base}/entries`, { entry: [] }).then(() => true, () => false);
  };
  addEventListener("online", send);
  setInterval(send, AGAIN);
  by("send").addEventListener("click", async () => {
    const line = by("sent");
    line.textContent = "";
    line.textContent = (await reach()) ? line.dataset.done : line.dataset.offline;
  });
  const refusedOnes = async (act) => {
    for (const entry of await all()) if (entry.reason) await act(entry);
    await count();
  };
  by("again").addEventListener("click", async () => {
    await refusedOnes(({ reason, ...entry }) => put(entry));
    send();
  });
  const remove = by("remove"), removes = remove.textContent;
  let sure = 0;
  const doubt = () => {
    clearTimeout(sure);
    sure = 0;
    remove.textContent = removes;
  };
  remove.addEventListener("click", async () => {
    if (!sure) {
      remove.textContent = remove.dataset.sure;
      sure = setTimeout(doubt, 10000);
      return;
    }
    doubt();
    await refusedOnes(({ id }) => drop(id));
  });

  const canSeal = Boolean(crypt && navigator.serviceWorker && told.key);
  let isKept = false;
  let isBroken = !canSeal;
  function tellReady() {
    const wrong = isWrong();
    show(by("clock"), wrong);
    const text = isBroken ? told.never : !isKept ? told.notReady : wrong ? told.wrong : told.ready;
    by("ready").textContent = text;
    by("ready").className = text === told.ready ? "sign good" : "sign";
  }
  const prepare = async () => {
    tellReady();
    if (!canSeal) return;
    await navigator.serviceWorker.register(`${base}/kiosk.js`, { scope: `${base}?kiosk=1`, updateViaCache: "none" });
    await navigator.serviceWorker.ready;
    await navigator.storage?.persist?.();
    isKept = true;
    tellReady();
  };
  prepare().catch(() => {
    // Offline, with the worker from before.
    isKept = Boolean(navigator.serviceWorker?.controller);
    tellReady();
  });

  const seconds = by("seconds");
  const chosen = localStorage.getItem(`countersign ${base} seconds`);
  if (chosen && [...seconds.options].some((one) => one.value === chosen)) seconds.value = chosen;
  seconds.addEventListener("change", () => localStorage.setItem(`countersign ${base} seconds`, seconds.value));

  // One person after the other
  const entry = by("entry"), thanks = by("thanks"), idle = by("idle");
  let busy = false;
  let until = 0;
  let clock = 0;
  let touched = 0;
  const problem = (field, text) => {
    by(`${field}-problem`).querySelector("span").textContent = text;
    const input = form.querySelector(`[name=${field}]`);
    if (!input) return;
    input.removeAttribute("aria-invalid");
    if (text) input.setAttribute("aria-invalid", "true");
  };
  const wait = (on) => {
    busy = on;
    const button = form.querySelector("button");
    button.removeAttribute("aria-disabled");
    if (on) button.setAttribute("aria-disabled", "true");
  };
  const stay = () => {
    show(idle, false);
    by("idle-alert").textContent = "";
  };
  const clear = () => {
    for (const input of form.querySelectorAll("input:not([type=hidden])")) {
      // A new field has nothing that "undo" could bring back.
      const empty = input.cloneNode();
      empty.removeAttribute("value");
      input.replaceWith(empty);
      empty.value = empty.type === "checkbox" ? input.value : "";
      empty.checked = false;
    }
    for (const field of ["email", "purpose", "form"]) problem(field, "");
    touched = 0;
    stay();
    wait(false);
  };
  const filled = () => [...form.querySelectorAll("input:not([type=hidden])")]
    .some((input) => (input.type === "checkbox" ? input.checked : input.value));
  const start = sessionStorage.getItem("start") || told.url;
  sessionStorage.setItem("start", start);
  const next = () => {
    clearInterval(clock);
    clear();
    by("staff").open = false;
    // The next person finds the language that the tablet was set up in.
    if (start !== told.url && navigator.serviceWorker?.controller) {
      location.replace(start);
      return;
    }
    show(thanks, false);
    show(entry, true);
    scrollTo(0, 0);
    entry.querySelector("h1").focus();
  };
  const thank = (kept) => {
    clear();
    const text = by("thanks-text");
    text.textContent = kept ? text.dataset.kept : text.dataset.sent;
    show(entry, false);
    show(thanks, true);
    scrollTo(0, 0);
    thanks.querySelector("h1").focus();
    until = Date.now() + Number(seconds.value) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      by("next-in").textContent = say(by("next-in").dataset.text, "seconds", left);
      if (!left) next();
    };
    clearInterval(clock);
    clock = setInterval(tick, 250);
    tick();
  };
  by("next").addEventListener("click", next);

  const wrong = (email) => {
    if (!email) return ["email", told.empty];
    if (!email.includes("@")) return ["email", told.at];
    if (!/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(email)) return ["email", told.syntax];
    if (!form.querySelector("[name=purpose][type=hidden], [name=purpose]:checked")) return ["purpose", told.purpose];
    return null;
  };
  const complain = ([field, text]) => {
    problem(field, text);
    form.querySelector(`[name=${field}]`)?.focus();
    wait(false);
  };
  // Sent at once if the server answers. True: it is on the server's disk; a list: what is wrong with it.
  const tell = async (id, fields) => {
    const { status, json } = await ask(told.url, { ...fields, entry: id });
    if (status === 202) return true;
    if (status === 422) return (json.errors || []).map(({ field, detail }) => [field, detail]);
    throw new Error(status);
  };
  const keep = async (id, fields, at) => {
    if (!canSeal) throw new Error(told.failed);
    if ((await all()).length >= AT_MOST) throw new Error(told.full);
    const { purpose, website, ...rest } = fields;
    const times = { entered_at: at, after: heardAt() };
    const content = { ...rest, purposes: purpose, fields: Object.keys(fields), bot: Boolean(website), ...times };
    await put({ id, key: told.keyId, at, sealed: await seal(id, content) });
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    wait(true);
    for (const field of ["email", "purpose", "form"]) problem(field, "");
    const data = new FormData(form);
    const fields = { page: location.origin + base };
    for (const [name, value] of data) if (name !== "purpose" && value) fields[name] = value.trim();
    fields.purpose = data.getAll("purpose");
    const found = wrong(fields.email);
    if (found) return complain(found);
    const [id, at] = [number(), new Date().toISOString()];
    // On this disk before it is sent: whatever happens to the page meanwhile, it is not lost.
    sole = id;
    const unkept = await keep(id, fields, at).then(() => null, (failure) => failure);
    const answer = navigator.onLine ? await tell(id, fields).catch(() => null) : null;
    if (answer && !unkept) await drop(id).catch(() => {});
    sole = null;
    await count().catch(() => {});
    if (Array.isArray(answer)) complain(answer[0] || ["form", told.failed]);
    else if (answer || !unkept) thank(!answer);
    else complain(["form", unkept.message === told.full ? told.full : told.failed]);
  });

  // Somebody who went away leaves nothing behind either
  for (const kind of ["input", "keydown", "pointerdown"]) {
    addEventListener(kind, () => {
      stay();
      touched = Date.now();
    }, { passive: true });
  }
  by("stay").addEventListener("click", () => form.querySelector("[name=email]").focus());
  setInterval(() => {
    if (entry.hidden || busy || !touched) return;
    const left = Math.ceil(IDLE + WARNED - (Date.now() - touched) / 1000);
    if (!filled()) return;
    if (left <= 0) next();
    else if (left <= WARNED) {
      const line = by("idle-text");
      line.textContent = say(line.dataset.text, "seconds", left);
      // Said once, not each second.
      if (idle.hidden) by("idle-alert").textContent = `${by("idle-title").textContent} ${line.textContent}`;
      show(idle, true);
    }
  }, 250);

  // No way back to what was there: the page is emptied as it is left, and every address of it is the same one
  addEventListener("pagehide", () => {
    clear();
    show(thanks, false);
    show(entry, true);
    clearInterval(clock);
  });
  addEventListener("pageshow", () => { if (!busy) clear(); });
  by("languages")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    location.replace(link.href);
  });

  count().then(reach, () => {
    isBroken = true;
    tellReady();
  });
})();

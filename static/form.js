// The hosted form, and the correction of an address: the proof of work where the form asks for one, no double submits, the page that embeds it. Also the
// copy buttons of the page that shows how to embed. Everything but the proof works without this script.
(() => {
  "use strict";

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));

  // ALTCHA, version 2: find the counter for which PBKDF2(nonce + counter, salt) begins with the prefix. A few tries run
  // at once; between them the page stays alive.
  const solve = async ({ parameters: asked, signature }) => {
    if (asked.algorithm !== "PBKDF2/SHA-256") throw new Error("unknown algorithm");
    const started = performance.now();
    const [nonce, salt] = [unhex(asked.nonce), unhex(asked.salt)];
    const derive = async (counter) => {
      const password = new Uint8Array(nonce.length + 4);
      password.set(nonce);
      new DataView(password.buffer).setUint32(nonce.length, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const rule = { name: "PBKDF2", hash: "SHA-256", salt, iterations: asked.cost };
      return hex(new Uint8Array(await crypto.subtle.deriveBits(rule, key, asked.keyLength * 8)));
    };
    for (let first = 0; ; first += 8) {
      const keys = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((at) => derive(first + at)));
      const at = keys.findIndex((key) => key.startsWith(asked.keyPrefix));
      if (at >= 0) {
        const solution = { counter: first + at, derivedKey: keys[at], time: performance.now() - started };
        return btoa(JSON.stringify({ challenge: { parameters: asked, signature }, solution }));
      }
      await new Promise((resume) => setTimeout(resume));
    }
  };

  for (const form of document.querySelectorAll("#form, form[data-challenge]")) {
    const { challenge, working, done, failed, sending } = form.dataset;
    const status = form.querySelector("[role=status]");
    const button = form.querySelector("button");
    let busy = false;
    let proof = null;

    const framed = window.parent !== window;
    if (form.elements.page) form.elements.page.value = framed ? document.referrer : location.origin + location.pathname;

    // A challenge is good for twenty minutes; a proof older than fifteen is made again.
    const prove = () => {
      if (!proof || Date.now() - proof.at > 900000) {
        const payload = fetch(challenge, { headers: { accept: "application/json" } })
          .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
          .then(solve);
        payload.catch(() => { proof = null; });
        proof = { at: Date.now(), payload };
      }
      return proof.payload;
    };
    const wait = (on) => {
      busy = on;
      button.toggleAttribute("aria-disabled", false);
      if (on) button.setAttribute("aria-disabled", "true");
    };

    if (challenge) form.addEventListener("focusin", () => prove().catch(() => {}), { once: true });
    form.addEventListener("submit", async (event) => {
      if (busy) {
        event.preventDefault();
        return;
      }
      wait(true);
      if (!challenge) return;
      event.preventDefault();
      const slow = setTimeout(() => { status.textContent = working; }, 400);
      try {
        form.elements.altcha.value = await prove();
        status.textContent = done;
        form.submit();
      } catch {
        status.textContent = failed;
        wait(false);
      } finally {
        clearTimeout(slow);
      }
    });
    form.addEventListener("submit", () => {
      // Said only when the answer takes its time.
      if (!challenge) setTimeout(() => { status.textContent = sending; }, 1000);
    });
    // Back from the next page: the browser shows this one as it was left.
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      wait(false);
      proof = null;
      status.textContent = "";
    });
  }
  document.getElementById("problems")?.focus();

  for (const button of document.querySelectorAll("[data-copy]")) {
    const text = button.textContent;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = button.dataset.copied;
        setTimeout(() => { button.textContent = text; }, 2000);
      } catch {
        getSelection().selectAllChildren(source);
      }
    });
  }
})();

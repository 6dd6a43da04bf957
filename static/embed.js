/* <countersign-form form="ID">: a form of a countersign server inside any page, and the next steps in its place.
   Attributes: form, lang (else the page's), server (else where this script is from). Style it by --countersign-accent,
   -accent-ink, -font, -radius, -edge and ::part(title label input choice consent button problem panel code).
   Sends no cookies. Fires "countersign" with detail.state: shown, waiting, confirmed, closed, failed.
   Texts:
   form-email-label form-name-label form-optional form-trap-label form-privacy form-proof-working form-sending
   form-failed form-problem-empty inbox-title inbox-sent-to inbox-from inbox-code-label inbox-code-button inbox-waiting
   inbox-nothing inbox-resend inbox-resend-wait inbox-sent-again inbox-wrong-address inbox-change-label
   inbox-change-button inbox-did-you-mean inbox-did-you-mean-yes inbox-confirmed-title inbox-closed-title
   inbox-closed-text inbox-closed-action done-text done-leave
*/
(() => {
  "use strict";
  const home = document.currentScript?.src.replace(/\/embed\.js.*/, "") || location.origin;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{display:block;font-family:var(--countersign-font,inherit);--a:var(--countersign-accent,var(--own-a));--e:var(--countersign-edge,color-mix(in srgb,currentColor 55%,transparent))}
*{box-sizing:border-box;border-radius:var(--countersign-radius,8px)}
h2,p,ul{margin:0;padding:0;list-style:none}
h2{font-size:1.35em;line-height:1.25}
a,summary{color:inherit;min-block-size:44px;cursor:pointer}
.all{container-type:inline-size;max-inline-size:34rem;line-height:1.5;overflow-wrap:break-word}
.all>*+*,form>*+*,.panel>*+*,li+li{margin-block-start:14px}
label{display:block;font-weight:600}
input[type=email],input[type=text],button{inline-size:100%;min-block-size:48px;margin-block-start:6px;padding:10px 14px;font:inherit;color:inherit;background:none;border:1px solid var(--e)}
button{font-weight:600;cursor:pointer}
.yes{color:var(--countersign-accent-ink,var(--own-i));background:var(--a);border-color:var(--a)}
[aria-disabled=true]{opacity:.65;cursor:default}
:focus-visible{outline:3px solid;outline-offset:2px}
h2:focus,.bad:focus{outline:0}
[aria-invalid],.boxes:has([aria-invalid]) i{border:2px solid #b3261e!important}
.given,.bad{padding-inline-start:14px;border-inline-start:4px solid var(--e);border-radius:0}
.bad{margin-block-start:6px;border-color:#b3261e}
:empty:is(p){display:none}
.choice{display:flex;gap:12px;padding:12px 14px;font-weight:400;border:1px solid var(--e);cursor:pointer}
.choice input{flex:none;inline-size:22px;block-size:22px;margin:2px 0 0;accent-color:var(--a)}
li b{display:block}
.trap{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
.panel{text-align:center}
svg{inline-size:72px;block-size:56px;fill:none;stroke:var(--a);stroke-width:3}
.boxes{--c:min(52px,100cqi/6);position:relative;display:grid;grid-template-columns:repeat(6,var(--c));inline-size:calc(var(--c)*6);margin:0 auto;overflow:clip}
.boxes:focus-within{outline:3px solid;outline-offset:2px}
i{block-size:52px;margin-inline:3px;border:1px solid var(--e)}
.boxes input{position:absolute;inset:0;inline-size:calc(100% + var(--c));margin:0;border:0!important;outline:0;padding:0 0 0 calc((var(--c) - 1ch)/2);font:600 24px/52px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;letter-spacing:calc(var(--c) - 1ch)}
.boxes ::selection{color:inherit;background:color-mix(in srgb,var(--a) 25%,transparent)}`);

  const h = (tag, props, ...children) => {
    const space = /^(svg|path)$/.test(tag) ? "2000/svg" : "1999/xhtml";
    const node = document.createElementNS(`http://www.w3.org/${space}`, tag);
    for (const [name, value] of Object.entries(props)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter(Boolean));
    return node;
  };

  // ALTCHA, version 2, as in form.js: a few tries at once, between which the page stays alive.
  const solve = async ({ parameters: asked, signature }) => {
    const unhex = (text) => text.match(/../g).map((pair) => parseInt(pair, 16));
    const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const salt = new Uint8Array(unhex(asked.salt));
    const derive = async (counter) => {
      const password = new Uint8Array([...unhex(asked.nonce), counter >>> 24, counter >>> 16, counter >>> 8, counter]);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const rule = { name: "PBKDF2", hash: "SHA-256", salt, iterations: asked.cost };
      return hex(await crypto.subtle.deriveBits(rule, key, asked.keyLength * 8));
    };
    for (let first = 0; ; first += 8) {
      const keys = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((at) => derive(first + at)));
      const at = keys.findIndex((key) => key.startsWith(asked.keyPrefix));
      if (at >= 0) {
        const solution = { counter: first + at, derivedKey: keys[at] };
        return btoa(JSON.stringify({ challenge: { parameters: asked, signature }, solution }));
      }
      await new Promise((resume) => setTimeout(resume));
    }
  };

  // Answers with JSON; throws the problem document, or {} where there is none.
  const ask = async (url, body) => {
    const headers = { accept: "application/json" };
    const init = { credentials: "omit", cache: "no-store", headers };
    if (body) {
      headers["content-type"] = "application/json";
      Object.assign(init, { method: "POST", body: JSON.stringify(body) });
    }
    try {
      const answer = await fetch(url, init);
      const json = await answer.json();
      if (answer.ok) return json;
      throw json;
    } catch (problem) {
      throw problem instanceof Error ? {} : problem;
    }
  };

  class CountersignForm extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) {
        this.watch?.();
        return;
      }
      this.attachShadow({ mode: "open" }).append(h("slot", {}));
      this.shadowRoot.adoptedStyleSheets = [sheet];
      this.load();
    }

    disconnectedCallback() {
      this.stop?.();
    }

    tell(state) {
      this.dispatchEvent(new CustomEvent("countersign", { bubbles: true, detail: { state } }));
    }

    say(key, values) {
      return this.def.texts[key].replace(/\{\$(\w+)\}/g, (_, name) => values[name]);
    }

    show(...children) {
      const all = h("div", { class: "all", lang: this.def.lang, dir: this.def.dir }, ...children);
      all.style.setProperty("--own-a", this.def.accent);
      all.style.setProperty("--own-i", this.def.accent_ink);
      this.shadowRoot.replaceChildren(all);
    }

    async load() {
      this.server = this.getAttribute("server") || home;
      this.base = `${this.server}/f/${this.getAttribute("form")}`;
      const lang = this.closest("[lang]")?.lang.slice(0, 2) || "";
      try {
        this.def = await ask(`${this.base}/definition?lang=${lang}`);
        this.start();
        this.tell("shown");
      } catch {
        // What the element holds stays visible, and a plain link to the form.
        this.shadowRoot.append(h("a", { href: this.base }, this.base));
        this.tell("failed");
      }
    }

    problem(name) {
      return h("p", { class: "bad", part: "problem", id: `${name}-problem` });
    }

    input(name, type, more) {
      return h("input", { id: name, name, type, part: "input", "aria-describedby": `${name}-problem`, ...more });
    }

    field(label, ...rest) {
      return h("div", {}, h("label", { for: rest[0], part: "label" }, label), this.input(...rest), this.problem(rest[0]));
    }

    email(label) {
      return this.field(this.say(label), "email", "email", { autocomplete: "email", inputmode: "email", maxlength: 254, required: "" });
    }

    // A form whose problems stand at their fields, and on top where there are several or none has a field.
    form(label, busy, send, ...fields) {
      const summary = h("p", { class: "bad", part: "problem", role: "alert", tabindex: -1 });
      const status = h("p", { role: "status" });
      const button = h("button", { class: "yes", part: "button" }, label);
      const form = h("form", { novalidate: "", submit: async (event) => {
        event.preventDefault();
        if (button.ariaDisabled === "true") return;
        button.ariaDisabled = "true";
        for (const old of form.querySelectorAll(".bad")) old.textContent = "";
        for (const old of form.querySelectorAll("[aria-invalid]")) old.removeAttribute("aria-invalid");
        const slow = setTimeout(() => { status.textContent = this.say(busy); }, 500);
        try {
          await send(new FormData(form));
        } catch ({ errors = [], detail }) {
          const found = errors.map((error) => {
            const note = form.querySelector(`[id="${error.field}-problem"]`);
            const input = note && form.querySelector(`[aria-describedby="${note.id}"]`);
            if (!input) return null;
            note.textContent = error.detail;
            input.setAttribute("aria-invalid", "true");
            return input;
          }).filter(Boolean);
          if (found.length !== 1 || errors.length > 1) {
            summary.textContent = errors.map((error) => error.detail).join(" ") || detail || this.say("form-failed");
          }
          (found[0] || summary).focus();
          found[0]?.select();
        }
        clearTimeout(slow);
        status.textContent = "";
        button.ariaDisabled = "false";
      } }, summary, ...fields, button, status);
      return form;
    }

    // A proof is good for one answer, and for fifteen minutes.
    prove() {
      if (!this.proof || Date.now() - this.proved > 900000) {
        this.proved = Date.now();
        this.proof = ask(this.server + this.def.proof_of_work).then(solve);
        this.proof.catch(() => { this.proof = null; });
      }
      return this.proof;
    }

    start() {
      const { def } = this;
      const { name: brand, privacy_url: privacy } = def.brand;
      const hard = def.proof_of_work;
      const form = this.form(def.button, hard ? "form-proof-working" : "form-sending", async (given) => {
        const email = given.get("email").trim();
        if (!email) throw { errors: [{ field: "email", detail: this.say("form-problem-empty") }] };
        const body = {
          ...Object.fromEntries(given),
          email,
          purpose: [...def.purposes.filter((purpose) => !purpose.choice).map((purpose) => purpose.slug), ...given.getAll("purpose")],
          lang: def.lang,
          page: location.origin + location.pathname,
          version: def.version,
          opened: def.opened,
        };
        if (hard) {
          body.altcha = await this.prove().catch(() => { throw {}; });
          this.proof = null;
        }
        this.wait(await ask(this.base, body));
      },
      this.email("form-email-label"),
      def.asks_name && this.field(`${this.say("form-name-label")} (${this.say("form-optional")})`, "name", "text", { autocomplete: "name", maxlength: 80 }),
      h("label", { class: "trap", "aria-hidden": true }, this.say("form-trap-label"), h("input", { type: "text", name: def.honeypot, tabindex: -1, autocomplete: "off" })),
      h("ul", {}, ...def.purposes.map(({ slug, name, wording, choice }) => {
        const words = h("span", {}, h("b", {}, name), wording);
        return h("li", {}, choice
          ? h("label", { class: "choice", part: "choice" }, h("input", { type: "checkbox", name: "purpose", value: slug, "aria-describedby": "purpose-problem" }), words)
          : h("div", { class: "given" }, words));
      })),
      this.problem("purpose"),
      h("p", { part: "consent" }, def.consent, " ", privacy && h("a", { href: privacy }, this.say("form-privacy", { brand }))));
      if (hard) form.addEventListener("focusin", () => { this.prove(); }, { once: true });
      this.show(h("h2", { part: "title" }, def.title), h("p", {}, def.intro), form);
    }

    // One step of what follows: a mark, a heading that takes the focus, and more.
    panel(path, title, ...more) {
      const heading = h("h2", { part: "title", tabindex: -1 }, this.say(title));
      const mark = h("svg", { viewBox: "0 0 72 56", "aria-hidden": true }, h("path", { d: path }));
      this.show(h("div", { class: "panel", part: "panel" }, mark, heading, ...more));
      heading.focus();
    }

    end(state) {
      this.stop();
      this.watch = null;
      const p = (key) => h("p", {}, this.say(key, { brand: this.def.brand.name }));
      if (state === "confirmed") this.panel("m17 27 13 13L58 8M4 53h64", "inbox-confirmed-title", p("done-text"), p("done-leave"));
      else {
        this.panel("M36 4a24 24 0 1 0 1 0zm0 10v15l9 6", "inbox-closed-title", p("inbox-closed-text"),
          h("button", { part: "button", click: () => this.load() }, this.say("inbox-closed-action")));
      }
      this.tell(state);
    }

    wait({ inbox, status, masked, sender, resend_in: first, did_you_mean: meant }) {
      this.stop?.();
      let ready = 0;
      const see = ({ state, resend_in: left }) => {
        if (state !== "waiting") this.end(state);
        else ready = Date.now() + left * 1000;
      };
      const p = (key, values) => h("p", {}, this.say(key, values));
      const typed = (text) => {
        code.value = text.replace(/\D/g, "").slice(0, 6);
        if (code.value.length === 6) codes.requestSubmit();
      };
      const code = this.input("code", "text", {
        inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, required: "",
        input: () => typed(code.value),
        paste: (event) => {
          event.preventDefault();
          typed(event.clipboardData.getData("text"));
        },
      });
      const codes = this.form(this.say("inbox-code-button"), "form-sending", async () => see(await ask(`${inbox}/code`, { code: code.value })),
        h("label", { for: "code", part: "label" }, this.say("inbox-code-label")),
        h("div", { class: "boxes", part: "code", dir: "ltr" }, ..."123456".split("").map(() => h("i", {})), code),
        this.problem("code"));
      const notice = h("p", { role: "status" });
      const resend = h("button", { part: "button", click: async () => {
        if (ready > Date.now()) return;
        ready = Date.now() + 60000;
        const sent = await ask(`${inbox}/resend`, {}).catch(() => null);
        notice.textContent = this.say(sent ? "inbox-sent-again" : "form-failed");
        if (sent) see(sent);
      } });
      const change = async (email) => this.wait(await ask(`${inbox}/address`, { email }));
      this.panel("M3 3h66v50H3zl33 28L69 3", "inbox-title",
        h("p", { role: "status" }, this.say("inbox-sent-to"), " ", h("b", {}, masked)),
        meant && this.form(this.say("inbox-did-you-mean-yes"), "form-sending", () => change(meant), p("inbox-did-you-mean", { address: meant })),
        p("inbox-from", { sender }), codes, p("inbox-waiting"), p("inbox-nothing"), resend, notice,
        h("details", {}, h("summary", {}, this.say("inbox-wrong-address")),
          this.form(this.say("inbox-change-button"), "form-sending", (given) => change(given.get("email")), this.email("inbox-change-label"))));

      // Each second: the countdown. Each fifth: asks how it stands where server-sent events do not work, else each 30th.
      this.watch = () => {
        let ticks = 0;
        const source = new EventSource(`${inbox}/events`);
        source.addEventListener("state", (event) => see(JSON.parse(event.data)));
        const tick = () => {
          const left = Math.ceil((ready - Date.now()) / 1000);
          resend.ariaDisabled = String(left > 0);
          resend.textContent = left > 0 ? this.say("inbox-resend-wait", { seconds: left }) : this.say("inbox-resend");
          ticks += 1;
          if (ticks % (source.readyState === 1 ? 30 : 5) === 0 && !document.hidden) ask(status).then((state) => this.watch === own && see(state), () => {});
        };
        const own = this.watch;
        const clock = setInterval(tick, 1000);
        this.stop = () => {
          source.close();
          clearInterval(clock);
        };
        tick();
      };
      see({ state: "waiting", resend_in: first });
      this.watch();
      this.tell("waiting");
    }
  }
  if (!customElements.get("countersign-form")) customElements.define("countersign-form", CountersignForm);
})();

/* <countersign-form form="ID" lang server>: a form in any page, and the next steps in its place.
   Style it by --countersign-accent, -accent-ink, -font, -radius, -edge, ::part(…). Fires "countersign" with detail.state. */
(() => {
  const home = document.currentScript?.src.replace(/\/embed\.js.*/, "") || location.origin;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{display:block}
.all{--a:var(--countersign-accent,var(--own-a));--e:var(--countersign-edge,#808080);container-type:inline-size;max-inline-size:34rem;font-family:var(--countersign-font,inherit);line-height:1.5;overflow-wrap:break-word}
*{box-sizing:border-box;border-radius:var(--countersign-radius,8px)}
h2,p,ul{margin:0;padding:0;list-style:none}
a{color:inherit}
.all>*+*,form>*+*,.panel>*+*,li+li{margin-block-start:14px}
label{display:block;font-weight:600}
input{margin-block-start:6px}
input,button,.go{inline-size:100%;min-block-size:48px;padding:10px 14px;font:inherit;color:inherit;background:none;border:1px solid var(--e)}
.go{display:block;text-decoration:none}
button,summary,.go{min-block-size:44px;font-weight:600;cursor:pointer}
.yes{color:var(--countersign-accent-ink,var(--own-i));background:var(--a);border-color:var(--a)}
[aria-disabled=true]{opacity:.65;cursor:default}
:focus-visible,.boxes:focus-within{outline:3px solid;outline-offset:2px}
[tabindex]:focus{outline:0}
[aria-invalid],:has(>[aria-invalid]) i{border:2px solid #b3261e!important}
.given,.bad{padding-inline-start:14px;border-inline-start:4px solid var(--e);border-radius:0}
.bad{margin-block-start:6px;border-color:#b3261e}
p:empty{display:none}
.choice{display:flex;gap:12px;padding:12px 14px;border:1px solid var(--e)}
.choice input{flex:none;align-self:start;inline-size:22px;min-block-size:22px;margin:0;accent-color:var(--a)}
li label{font-weight:400}
li b{display:block}
.trap{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}
.panel{text-align:center;text-wrap:balance}
.mark{color:var(--a);font-size:56px;line-height:1}
.boxes{--c:min(52px,100cqi/6);position:relative;display:grid;grid-template-columns:repeat(6,var(--c));inline-size:calc(var(--c)*6);margin:8px auto;overflow:clip}
i{block-size:52px;margin-inline:3px;border:1px solid var(--e)}
.boxes input{position:absolute;inset:0;inline-size:calc(100% + var(--c));margin:0;border:0!important;outline:0;padding:0 0 0 calc((var(--c) - 1ch)/2);font:600 24px/52px ui-monospace,Consolas,monospace;letter-spacing:calc(var(--c) - 1ch)}
::selection{color:inherit;background:color-mix(in srgb,var(--a) 25%,transparent)}`);

  const h = (tag, props, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (value.call) node.addEventListener(name, value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter(Boolean));
    return node;
  };

  // ALTCHA, version 2, as in form.js
  const solve = async ({ parameters: asked, signature }) => {
    const unhex = (text) => text.match(/../g).map((pair) => parseInt(pair, 16));
    const salt = new Uint8Array(unhex(asked.salt));
    const derive = async (counter) => {
      const password = new Uint8Array([...unhex(asked.nonce), counter >> 24, counter >> 16, counter >> 8, counter]);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const rule = { name: "PBKDF2", hash: "SHA-256", salt, iterations: asked.cost };
      const bytes = new Uint8Array(await crypto.subtle.deriveBits(rule, key, asked.keyLength * 8));
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    };
    for (let first = 0; ; first += 8) {
      const keys = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((at) => derive(first + at)));
      const at = keys.findIndex((key) => key.startsWith(asked.keyPrefix));
      const solution = { counter: first + at, derivedKey: keys[at] };
      if (at >= 0) return btoa(JSON.stringify({ challenge: { parameters: asked, signature }, solution }));
      await new Promise((resume) => setTimeout(resume));
    }
  };

  const ask = async (url, body) => {
    const answer = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      credentials: "omit",
      headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
    });
    const json = await answer.json();
    if (!answer.ok) throw json;
    return json;
  };

  customElements.define("countersign-form", class extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open" }).append(h("slot", {}));
      this.shadowRoot.adoptedStyleSheets = [sheet];
      this.load();
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
      try {
        this.def = await ask(`${this.base}/definition?lang=${this.closest("[lang]")?.lang.slice(0, 2)}`);
        this.start();
        this.tell("shown");
      } catch {
        this.shadowRoot.append(h("a", { href: this.base }, this.base));
        this.tell("failed");
      }
    }

    problem(name) {
      return h("p", { class: "bad", part: "problem", id: `${name}-problem` });
    }

    field(label, id, props) {
      return h("div", {}, h("label", { for: id, part: "label" }, label),
        h("input", { id, name: id, part: "input", "aria-describedby": `${id}-problem`, ...props }), this.problem(id));
    }

    email(label) {
      return this.field(this.say(label), "email", { type: "email", autocomplete: "email", inputmode: "email", required: "" });
    }

    // Problems stand at their fields, and on top where there are several.
    form(label, send, ...fields) {
      const summary = h("p", { class: "bad", part: "problem", role: "alert", tabindex: -1 });
      const status = h("p", { role: "status" });
      const button = h("button", { class: "yes", part: "button" }, label);
      const form = h("form", { novalidate: "", submit: async (event) => {
        event.preventDefault();
        if (button.ariaDisabled === "true") return;
        button.ariaDisabled = "true";
        for (const old of form.querySelectorAll(".bad, [aria-invalid]")) old.matches(".bad") ? old.replaceChildren() : (old.ariaInvalid = null);
        const slow = setTimeout(() => { status.textContent = this.say(this.proof ? "form-proof-working" : "form-sending"); }, 500);
        try {
          await send(new FormData(form));
        } catch ({ errors = [], detail }) {
          let first;
          let all = errors.length !== 1;
          for (const error of errors) {
            const input = form.querySelector(`[aria-describedby="${error.field}-problem"]`);
            if (input) {
              form.querySelector(`#${error.field}-problem`).textContent = error.detail;
              input.ariaInvalid = "true";
              first ||= input;
            } else all = true;
          }
          if (all) summary.textContent = errors.map((error) => error.detail).join(" ") || detail || this.say("form-failed");
          (first || summary).focus();
          first?.select();
        }
        clearTimeout(slow);
        status.textContent = "";
        button.ariaDisabled = "false";
      } }, summary, ...fields, button, status);
      return form;
    }

    trap() {
      return h("label", { class: "trap", "aria-hidden": true }, this.say("form-trap-label"), h("input", { name: this.def.honeypot, tabindex: -1, autocomplete: "off" }));
    }

    // Good for one answer, and for a quarter of an hour
    prove() {
      if (!this.proof || Date.now() - this.proved > 9e5) {
        this.proved = Date.now();
        this.proof = ask(this.server + this.def.proof_of_work).then(solve);
        this.proof.catch(() => { this.proof = null; });
      }
      return this.proof;
    }

    async send(url, body) {
      if (this.def.proof_of_work) body.altcha = await this.prove();
      this.proof = null;
      this.wait(await ask(url, body));
    }

    start() {
      const { def } = this;
      const { lang, version, opened, brand: { name: brand, privacy_url: privacy } } = def;
      const form = this.form(def.button, (given) =>
        this.send(this.base, { ...Object.fromEntries(given), purpose: given.getAll("purpose"), lang, version, opened, page: location.origin + location.pathname }),
      this.email("form-email-label"),
      def.asks_name && this.field(`${this.say("form-name-label")} (${this.say("form-optional")})`, "name", { autocomplete: "name" }),
      this.trap(),
      h("ul", {}, ...def.purposes.map(({ slug: value, name, wording, choice }) => h("li", {},
        h("label", choice ? { class: "choice", part: "choice" } : { class: "given" },
          h("input", { type: choice ? "checkbox" : "hidden", name: "purpose", value, "aria-describedby": "purpose-problem" }),
          h("span", {}, h("b", {}, name), wording))))),
      this.problem("purpose"),
      h("p", { part: "consent" }, def.consent, " ", privacy && h("a", { href: privacy }, this.say("form-privacy", { brand }))));
      if (def.proof_of_work) form.addEventListener("focusin", () => this.prove(), { once: true });
      this.show(h("h2", { part: "title" }, def.title), h("p", {}, def.intro), form);
    }

    panel(mark, title, ...more) {
      const heading = h("h2", { part: "title", tabindex: -1 }, this.say(title));
      this.show(h("div", { class: "panel", part: "panel" }, h("div", { class: "mark", "aria-hidden": true }, mark), heading, ...more));
      heading.focus();
    }

    wait({ inbox, status, masked, sender, resend_in: first, did_you_mean: address, opened, webmail }) {
      this.stop?.();
      const p = (key, values) => h("p", {}, this.say(key, values));
      const link = (href, target, text) => h("a", { class: "go", part: "button", href, target }, text);
      let ready = Date.now() + first * 1000;
      const see = ({ state, resend_in: left }) => {
        ready = Date.now() + left * 1000;
        if (state === "waiting") return;
        this.stop();
        const { continue_url: next, brand: { name: brand, contact } } = this.def;
        if (state === "confirmed") this.panel("\u2713", "inbox-confirmed-title", p("done-text", { brand }), p("done-leave"), next && link(next, "_self", this.say("inbox-continue")));
        else this.panel("\u2026", "inbox-closed-title", p("inbox-closed-text", { brand, contact }),
          h("button", { part: "button", click: () => this.load() }, this.say("inbox-closed-action")));
        this.tell(state);
      };
      const code = h("input", { id: "code", inputmode: "numeric", autocomplete: "one-time-code", "aria-describedby": "code-problem", input: () => {
        const six = code.value = code.value.replace(/\D/g, "").slice(0, 6);
        if (six.length > 5 && six !== this.six) codes.requestSubmit();
        this.six = six;
      } });
      const codes = this.form(this.say("inbox-code-button"), async () => see(await ask(`${inbox}/code`, { code: code.value })),
        h("label", { for: "code", part: "label" }, this.say("inbox-code-label")),
        h("div", { class: "boxes", part: "code", dir: "ltr" }, ...Array.from("123456", () => h("i", {})), code),
        this.problem("code"));
      const notice = h("p", { role: "status" });
      const resend = h("button", { part: "button", click: async () => {
        if (ready > Date.now()) return;
        ready = Date.now() + 60000;
        const sent = await ask(`${inbox}/resend`, { opened }).catch(() => 0);
        ready = Date.now() + (sent ? sent.resend_in : 3) * 1000;
        notice.textContent = this.say(sent ? "inbox-sent-again" : "form-failed");
      } });
      const change = (body) => this.send(`${inbox}/address`, body);
      this.panel("\u2709\ufe0e", "inbox-title",
        h("p", { role: "status" }, this.say("inbox-sent-to"), " ", h("b", {}, masked)),
        webmail && link(webmail.url, "_blank", this.say("inbox-webmail", webmail)),
        address && this.form(this.say("inbox-did-you-mean-yes"), () => change({ email: address }), p("inbox-did-you-mean", { address })),
        p("inbox-from", { sender }), codes, p("inbox-waiting"), p("inbox-nothing"), resend, notice,
        h("details", {}, h("summary", {}, this.say("inbox-wrong-address")),
          this.form(this.say("inbox-change-button"), (given) => change(Object.fromEntries(given)), this.email("inbox-change-label"), this.trap())));

      // Without server-sent events it asks.
      const source = new EventSource(`${inbox}/events`);
      source.addEventListener("state", (event) => see(JSON.parse(event.data)));
      let ticks = 0;
      const tick = () => {
        const seconds = Math.ceil((ready - Date.now()) / 1000);
        resend.ariaDisabled = seconds > 0;
        resend.textContent = this.say(seconds > 0 ? "inbox-resend-wait" : "inbox-resend", { seconds });
        if (++ticks % 5 < 1 && source.readyState !== 1 && !document.hidden) ask(status).then((state) => clock && see(state), () => {});
        if (!this.isConnected) this.stop();
      };
      let clock = setInterval(tick, 1000);
      this.stop = () => {
        source.close();
        clearInterval(clock);
        clock = 0;
      };
      tick();
      this.tell("waiting");
    }
  });
})();

// "Check your inbox": turns to "confirmed" by itself, counts down to "send again", submits the code when it is complete.
// Without this script the page works with plain forms and a link.
(() => {
  "use strict";

  const inbox = document.getElementById("inbox");
  if (!inbox) return;
  const { url, failed } = inbox.dataset;
  const confirmed = document.getElementById("confirmed");
  let over = false;
  let source = null;

  const show = ({ state, resend_in: left }) => {
    if (over) return;
    if (state === "waiting") {
      count(left);
      return;
    }
    over = true;
    source?.close();
    inbox.hidden = true;
    const panel = state === "closed" ? document.getElementById("closed") : confirmed.firstElementChild;
    panel.hidden = false;
    const heading = panel.querySelector("h1");
    document.title = document.title.replace(/^.*?(?= – |$)/, heading.textContent);
    heading.focus();
  };

  const ask = async (path, body) => {
    const init = { headers: { accept: "application/json" }, cache: "no-store" };
    if (path !== "/status") {
      init.method = "POST";
      init.headers["content-type"] = "application/json";
      init.body = JSON.stringify(body || {});
    }
    const answer = await fetch(url + path, init);
    const json = await answer.json();
    if (!answer.ok) throw json;
    return json;
  };
  const look = () => ask("/status").then(show, () => {});

  // Server-sent events where they work; else the page asks, ever more seldom, and at once when it is looked at again.
  const listen = () => {
    source = new EventSource(`${url}/events`);
    source.addEventListener("state", (event) => show(JSON.parse(event.data)));
  };
  let pause = 3000;
  const poll = async () => {
    if (over) return;
    if (source?.readyState !== 1 && !document.hidden) {
      await look();
      pause = Math.min(pause * 1.2, 20000);
    }
    setTimeout(poll, pause);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  if (window.EventSource) listen();
  setTimeout(poll, pause);

  // Send again
  const resend = document.getElementById("resend-form");
  const button = resend.querySelector("button");
  const notice = document.getElementById("resend-notice");
  let ready = 0;
  let clock = 0;
  const tick = () => {
    const left = Math.ceil((ready - Date.now()) / 1000);
    if (left > 0) {
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.wait.replace("{$seconds}", left);
    } else {
      button.removeAttribute("aria-disabled");
      button.textContent = button.dataset.ready;
      clearInterval(clock);
      clock = 0;
    }
  };
  const count = (seconds) => {
    ready = Date.now() + seconds * 1000;
    clock ||= setInterval(tick, 500);
    tick();
  };
  count(Number(inbox.dataset.resendIn));
  resend.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (clock) return;
    count(60);
    try {
      const state = await ask("/resend", Object.fromEntries(new FormData(resend)));
      notice.textContent = notice.dataset.sent;
      show(state);
    } catch {
      notice.textContent = failed;
      count(3);
    }
  });

  // The code
  const form = document.getElementById("code-form");
  const code = form.elements.code;
  const problem = document.querySelector("#code-problem span");
  let asking = false;
  const complain = (text) => {
    problem.textContent = text;
    code.toggleAttribute("aria-invalid", false);
    if (text) code.setAttribute("aria-invalid", "true");
  };
  const send = async () => {
    if (asking) return;
    asking = true;
    try {
      const state = await ask("/code", { code: code.value });
      complain("");
      show(state);
    } catch (answer) {
      complain(answer.errors?.[0]?.detail || failed);
      code.select();
    }
    asking = false;
  };
  // "402 718", pasted, has seven characters.
  code.removeAttribute("maxlength");
  // A key too many is cut off again and must not cost a try.
  let sent = "";
  code.addEventListener("input", () => {
    const digits = code.value.replace(/\D/g, "").slice(0, 6);
    if (digits !== code.value) code.value = digits;
    if (digits.length === 6 && digits !== sent) {
      sent = digits;
      send();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
})();

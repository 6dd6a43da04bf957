// Loaded only in the browser that signed up: the page confirms by itself, once somebody sees it. A page that is merely
// loaded ahead, or opened in a tab behind, waits. The button works all the while.
(() => {
  "use strict";

  const form = document.getElementById("confirm");
  if (!form?.dataset.working) return;
  // Whoever comes back to this page wants to see it.
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") return;
  let sent = false;

  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  // A server that does not answer leaves the button usable.
  const start = () => {
    if (sent || document.prerendering || document.hidden) return;
    document.getElementById("confirm-status").textContent = form.dataset.working;
    form.requestSubmit();
    setTimeout(() => { sent = false; }, 5000);
  };
  document.addEventListener("prerenderingchange", start);
  document.addEventListener("visibilitychange", start);
  addEventListener("pageshow", (event) => { if (!event.persisted) start(); });
})();

// Keeps one form's booth page on the tablet, and nothing else: empty pages and what they load, never what anybody typed.
// `kept` stands above: which pages and files, under a name that changes with them.
"use strict";

const fresh = async (cache, url) => {
  const answer = await fetch(url, { cache: "no-cache", credentials: "omit" });
  if (!answer.ok || answer.redirected) throw new Error(`${url}: ${answer.status}`);
  await cache.put(url, answer);
};

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(kept.name);
    await Promise.all([...kept.pages, ...kept.files].map((url) => fresh(cache, url)));
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(kept.form) && name !== kept.name);
    await Promise.all(old.map((name) => caches.delete(name)));
    await clients.claim();
  })());
});

// The page from the server if it answers soon; else as it was kept, in the language that was asked for.
const page = async (request) => {
  const url = new URL(request.url);
  const cut = AbortSignal.timeout(4000);
  try {
    const answer = await fetch(request, { signal: cut });
    if (answer.status < 500) return answer;
  } catch {
    // No connection: that is what this is for.
  }
  const cache = await caches.open(kept.name);
  const lang = `&lang=${url.searchParams.get("lang")}`;
  const found = kept.pages.find((one) => one.endsWith(lang)) || kept.pages[0];
  return (await cache.match(found)) || Response.error();
};

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if ((url.pathname + url.search).startsWith(kept.scope)) event.respondWith(page(request));
  } else if (kept.files.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname).then((found) => found || fetch(request)));
  }
});

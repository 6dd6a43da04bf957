// What the operators' pages do a little better with scripts. Nothing needs them.

// Esc closes the menu of narrow screens.
const menu = document.querySelector(".menu");
if (menu) {
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open && matchMedia("(max-width: 61.99rem)").matches) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// A button that is pressed twice acts once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});

// Work that goes on by itself is looked at again, until it is done or somebody types or chooses something.
const live = document.querySelector("[data-live]");
if (live) {
  let touched = false;
  document.addEventListener("input", () => (touched = true));
  const look = async () => {
    if (touched || document.hidden) return void setTimeout(look, 2000);
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
        const now = document.querySelector("[data-live]");
        if (fresh && now && !now.contains(document.activeElement)) now.replaceWith(fresh);
        if (!fresh) return location.reload();
      }
    } catch {
      // The server is away for a moment; the next look may find it.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
}

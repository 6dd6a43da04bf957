// What the operators' pages do a little better with scripts. Nothing needs them.

// A button that is pressed twice acts once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // A preview goes into a frame and may be asked for as often as one likes.
  if (form.method !== "post" || event.defaultPrevented || event.submitter?.formTarget) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});

// On a phone the places are a row that scrolls: the one where somebody is comes into sight.
const here = document.querySelector(".bar nav [aria-current]");
if (here) {
  const row = here.closest("nav");
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

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

// The previews beside a form that is being changed follow what is typed.
const previews = document.querySelectorAll("button[formtarget]");
if (previews.length) {
  let waiting;
  // One after the other: a form that is sent again in the same moment takes its first sending back.
  const show = () => previews.forEach((button, place) => setTimeout(() => button.form.requestSubmit(button), 50 * place));
  document.addEventListener("input", (event) => {
    if (event.target.form !== previews[0].form) return;
    clearTimeout(waiting);
    waiting = setTimeout(show, 600);
  });
  show();
}

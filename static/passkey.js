// Passkeys: fetches what is asked of the browser, has its authenticator answer, and sends that as the form that stands in the
// page. Without scripts the form stays hidden, and the page says so.
const form = document.querySelector("form[data-passkey]");

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const make = async (options) => {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  return [made, { attestationObject: text(made.response.attestationObject), transports: made.response.getTransports?.() ?? [] }];
};

const sign = async (options) => {
  const got = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const { authenticatorData, signature, userHandle } = got.response;
  const signed = { authenticatorData: text(authenticatorData), signature: text(signature) };
  if (userHandle?.byteLength) signed.userHandle = text(userHandle);
  return [got, signed];
};

// What went wrong, in words that say what to do (WebAuthn Level 3, sections 5.1.3 and 5.1.4).
const words = (problem) => {
  switch (problem.name) {
    case "NotAllowedError":
    case "AbortError":
      return "No passkey came: it was called off, or it took too long. Try again, with the passkey at hand.";
    case "InvalidStateError":
      return "This passkey is set up here already. Take another phone, computer or security key.";
    case "SecurityError":
      return "The browser makes no passkeys for this address. Open these pages by the public address of the server, over https.";
    case "NotSupportedError":
    case "ConstraintError":
      return "This phone, computer or security key cannot make such a passkey. Try another one.";
    default:
      return problem.told ?? "That did not work. Load this page again and try once more.";
  }
};

if (form) {
  const told = form.querySelector("[role=alert]");
  const say = (words) => {
    told.textContent = words;
    told.hidden = !words;
  };
  form.hidden = false;
  const button = form.querySelector("button");
  if (!window.PublicKeyCredential) {
    button.disabled = true;
    say("This browser has no passkeys here. They need a recent browser, and https.");
  } else if (form.dataset.passkey === "sign" && !document.querySelector("main > [role=alert]")) {
    button.focus();
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    say("");
    try {
      // What was typed goes along: a new passkey takes the password.
      const typed = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.begin, { method: "POST", headers: { accept: "application/json" }, body: typed });
      // Signed out meanwhile: the door answers with a page.
      if (!answer.headers.get("content-type")?.startsWith("application/json")) return location.reload();
      const asked = await answer.json();
      if (!answer.ok) throw { told: asked.problem };
      const [credential, response] = await (form.dataset.passkey === "make" ? make(asked) : sign(asked));
      response.clientDataJSON = text(credential.response.clientDataJSON);
      form.elements.answer.value = JSON.stringify({
        id: credential.id,
        rawId: text(credential.rawId),
        type: credential.type,
        authenticatorAttachment: credential.authenticatorAttachment ?? null,
        clientExtensionResults: {},
        response,
      });
      // It has done its work.
      if (form.elements.current) form.elements.current.value = "";
      form.submit();
    } catch (problem) {
      say(words(problem));
      button.disabled = false;
      button.focus();
    }
  });
}

// A form with data-passkey ("create" or "get") is sent with what the browser answers
// to a question about passkeys (Web Authentication Level 3). data-passkey-ask is where
// the question comes from. Bytes travel as base64url; browsers that can translate them
// by themselves are still too few.

const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const textOf = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function question(options) {
  const list = (keys) => keys?.map((key) => ({ ...key, id: bytesOf(key.id) }));
  const asked = { ...options, challenge: bytesOf(options.challenge) };
  if (options.user) asked.user = { ...options.user, id: bytesOf(options.user.id) };
  if (options.excludeCredentials) asked.excludeCredentials = list(options.excludeCredentials);
  if (options.allowCredentials) asked.allowCredentials = list(options.allowCredentials);
  return asked;
}

function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = textOf(credential.response[name]);
  }
  const transports = credential.response.getTransports?.();
  if (transports) response.transports = transports;
  return JSON.stringify({
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  });
}

async function ask(form) {
  const reply = await fetch(form.dataset.passkeyAsk, { method: "POST" });
  if (!reply.ok) throw new Error(reply.statusText);
  const publicKey = question(await reply.json());
  return answer(await navigator.credentials[form.dataset.passkey]({ publicKey }));
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-passkey]");
  if (!form) return;
  event.preventDefault();
  const [button, fault] = [form.querySelector("[type=submit]"), form.querySelector("[data-passkey-fault]")];
  button.disabled = true;
  fault.hidden = true;
  try {
    form.querySelector("[data-passkey-answer]").value = await ask(form);
    form.submit();
  } catch (error) {
    // A person may have cancelled; the standard has browsers not tell.
    fault.textContent = error.name === "InvalidStateError" ? fault.dataset.known : fault.dataset.failed;
    fault.hidden = false;
  } finally {
    button.disabled = false;
  }
});

// Pictures for a text: one that is chosen, dropped on the text or pasted into it is sent at
// once, and what shows it stands where the cursor was.

// insertText types it, as it were, so that it can be undone.
export function insertText(field, text) {
  field.focus();
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// takePictures has the text of a form take them. shown is what stands for one, of what the
// server tells of it; it may throw words that say why the text has none.
export function takePictures(form, shown) {
  const text = form.querySelector("[data-pictures]");
  const field = form.querySelector("[data-picture-file]");
  const problem = form.querySelector("[data-upload-problem]");

  function say(words) {
    problem.textContent = words;
    problem.hidden = words === "";
  }

  async function send(file) {
    const data = new FormData();
    data.append("picture", file);
    const answer = await fetch(text.dataset.pictures, { method: "POST", body: data });
    if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw text.dataset.signedOut;
    const told = await answer.json();
    if (!answer.ok) throw told.problem;
    insertText(text, `\n${shown(told)}\n`);
  }

  async function sendAll(event, files) {
    const list = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (list.length === 0) return;
    event.preventDefault();
    say("");
    text.setAttribute("aria-busy", "true");
    try {
      for (const file of list) await send(file);
    } catch (error) {
      say(String(error.message ?? error)); // ours, or of the connection, in the browser's words
    }
    text.removeAttribute("aria-busy");
  }

  text.addEventListener("paste", (event) => sendAll(event, event.clipboardData?.files));
  text.addEventListener("drop", (event) => sendAll(event, event.dataTransfer?.files));
  field.addEventListener("change", async (event) => {
    await sendAll(event, field.files);
    field.value = "";
  });
}

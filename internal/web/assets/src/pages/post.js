// The editor of posts: a picture that is chosen, dropped on the text or pasted into it
// is sent at once, and its Markdown stands where the cursor was. And nobody leaves the
// page by mistake with something unsaved.

const form = document.querySelector("[data-editor]");
const text = form.querySelector("[data-pictures]");
const problem = form.querySelector("[data-upload-problem]");

let changed = false;

form.addEventListener("input", () => (changed = true));
form.addEventListener("submit", (event) => {
  if (event.submitter?.formTarget !== "preview") changed = false;
});
window.addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});

function say(words) {
  problem.textContent = words;
  problem.hidden = words === "";
}

// insert types it, as it were, so that it can be undone.
function insert(words) {
  text.focus();
  if (!document.execCommand("insertText", false, words)) {
    text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  }
  changed = true;
}

async function send(file) {
  say("");
  text.setAttribute("aria-busy", "true");
  const data = new FormData();
  data.append("picture", file);
  try {
    const answer = await fetch(text.dataset.pictures, { method: "POST", body: data });
    const told = await answer.json();
    if (answer.ok) insert(`\n${told.markdown}\n`);
    else say(told.problem);
  } catch (error) {
    say(String(error)); // the connection, in the browser's words
  }
  text.removeAttribute("aria-busy");
}

const pictures = (files) => [...(files ?? [])].filter((file) => file.type.startsWith("image/"));

async function sendAll(event, files) {
  const list = pictures(files);
  if (list.length === 0) return;
  event.preventDefault();
  for (const file of list) await send(file);
}

text.addEventListener("paste", (event) => sendAll(event, event.clipboardData?.files));
text.addEventListener("drop", (event) => sendAll(event, event.dataTransfer?.files));

const field = form.querySelector("[data-insert]");
field.addEventListener("change", async (event) => {
  await sendAll(event, field.files);
  field.value = "";
});

// The editor of a message: what is typed is kept in this browser until it is stored, a
// starter takes its place only with a yes, a click on a merge field puts it where one writes,
// and the text takes pictures. The page of a message that was just stored forgets what was kept of it.

import { insertText, takePictures } from "../pictures.js";

const PREFIX = "vestnik.message.";
const OLD = 30 * 24 * 3600 * 1000; // milliseconds after which nobody looks for a text; chosen

const form = document.querySelector("[data-kept]");
const stored = document.querySelector("[data-kept-stored]");

// Where a browser keeps nothing, it is left to ask before the page goes.
let keeps = true;

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

function write(key, text) {
  try {
    if (text) localStorage.setItem(PREFIX + key, JSON.stringify(text));
    else localStorage.removeItem(PREFIX + key);
  } catch {
    keeps = false;
  }
}

// Others' texts, and those that are too old, are in nobody's way any more.
function tidy(owner) {
  try {
    for (const key of Object.keys(localStorage).filter((k) => k.startsWith(PREFIX))) {
      const text = read(key.slice(PREFIX.length));
      if (!key.startsWith(PREFIX + owner + ".") || !(Date.now() - text?.at < OLD)) localStorage.removeItem(key);
    }
  } catch {
    keeps = false;
  }
}

// stamp tells texts apart, shorter than they are.
function stamp(text) {
  let sum = 0;
  for (const letter of text.subject + "\n" + text.body) sum = (sum * 31 + letter.codePointAt(0)) | 0;
  return sum;
}

if (stored) {
  const key = stored.dataset.keptStored + ".typed";
  if (read(key)?.sent) write(key, null); // what was typed since in another tab stays
}

if (form) edit();

function edit() {
  const name = form.dataset.kept, typedKey = name + ".typed", beforeKey = name + ".before";
  const { subject, body } = form.elements;
  const formats = [...form.elements.format];
  const now = () => ({ subject: subject.value, body: body.value, format: formats.find((f) => f.checked)?.value ?? "" });
  const same = (a, b) => a.subject === b.subject && a.body === b.body && a.format === b.format;
  const blank = (t) => !t.subject.trim() && !t.body.trim();
  const first = now(); // as the server wrote it
  const answered = "keptAnswer" in form.dataset; // with what was typed, which is not stored
  const typed = read(typedKey);
  const of = answered && typed ? typed.of : stamp(first);
  const note = (which) => document.querySelector(`[data-kept-note="${which}"]`);
  let unsaved = false, leaving = false;

  tidy(name.split(".")[0]);
  try {
    localStorage.setItem(PREFIX + "try", "");
    localStorage.removeItem(PREFIX + "try");
  } catch {
    keeps = false;
  }

  function show(text) {
    subject.value = text.subject;
    body.value = text.body;
    for (const f of formats) f.checked = f.value === text.format;
  }

  function keep(sent) {
    const text = now();
    unsaved = answered || !same(text, first);
    write(typedKey, blank(text) || !unsaved ? null : { ...text, of, at: Date.now(), sent });
  }

  function offerBefore() {
    const before = read(beforeKey);
    note("before").hidden = !before;
    if (before) note("before").querySelector("[data-kept-subject]").textContent = before.subject || before.body.slice(0, 80);
  }

  // What belongs to another beginning, or to what the message was before, is offered; it
  // does not take the place of what is shown.
  const here = name.endsWith(".0") && !new URLSearchParams(location.search).has("from");
  if (answered) {
    keep(false);
  } else if (typed && !same(typed, first) && (here || typed.of === of)) {
    show(typed);
    keep(false);
    note("restored").hidden = false;
  } else if (typed && !same(typed, first)) {
    write(beforeKey, { ...typed, sent: false });
    write(typedKey, null);
  }
  offerBefore();

  form.addEventListener("input", () => keep(false));
  form.addEventListener("submit", (event) => {
    if (event.submitter?.formTarget === "preview") return;
    leaving = true;
    keep(!event.submitter?.hasAttribute("formaction"));
  });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("beforeunload", (event) => {
    if (!keeps && unsaved && !leaving) event.preventDefault();
  });

  const deeds = {
    anew() { // the text can still be brought back
      write(beforeKey, { ...now(), of, at: Date.now() });
      show(first);
      keep(false);
      note("restored").hidden = true;
      offerBefore();
      subject.focus();
    },
    back() { // what stands there takes its place
      const before = read(beforeKey), text = now();
      if (!before) return;
      write(beforeKey, blank(text) || same(text, first) ? null : { ...text, of, at: Date.now() });
      show(before);
      keep(false);
      offerBefore();
      subject.focus();
    },
    forget() {
      write(beforeKey, null);
      offerBefore();
      subject.focus();
    },
  };

  // The fields that one writes in; a merge field goes into the latest.
  let writes = body;
  for (const field of [subject, body]) field.addEventListener("focus", () => { writes = field; });

  takePictures(form, (told) => {
    const format = now().format;
    if (!told[format]) throw body.dataset.noPictures;
    return told[format];
  });

  document.addEventListener("click", (event) => {
    const field = event.target.closest?.("[data-insert]");
    if (field) insertText(writes, field.dataset.insert);
    const deed = event.target.closest?.("[data-kept-do]");
    if (deed) deeds[deed.dataset.keptDo]();
    const starter = event.target.closest?.("[data-starter]");
    const ask = document.getElementById("ask-starter");
    if (!starter || !ask || blank(now()) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask.querySelector("[data-yes]").href = starter.href;
    ask.showPopover();
  });
}

// The palette: a dialog in which one types where to go. The service finds; this shows
// what it found in a list that the field's arrows move in. Without a script the button
// leads to the page of the search, and so does Enter while nothing is found.

const WAIT = 120; // milliseconds after the last letter; chosen

const dialog = document.querySelector("[data-palette]");
const field = dialog?.querySelector("[role=combobox]");
const list = dialog?.querySelector("[role=listbox]");
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

let asking; // the request that is under way
let timer;
let stale = false; // what stands in the list was found for other words
let entered = false; // Enter was pressed before the list was there

const hits = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector('[aria-selected="true"]');

function choose(hit) {
  chosen()?.setAttribute("aria-selected", "false");
  if (!hit) {
    field.removeAttribute("aria-activedescendant");
    return;
  }
  hit.setAttribute("aria-selected", "true");
  hit.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", hit.id);
}

function show(html) {
  list.innerHTML = html;
  const found = list.querySelector("[data-palette-hits]");
  const any = hits().length > 0;
  list.hidden = !any;
  dialog.querySelector("[data-palette-nothing]").hidden = any;
  dialog.querySelector("[data-palette-says]").textContent = found?.dataset.says ?? "";
  field.setAttribute("aria-expanded", String(any));
  choose(hits()[0]);
  stale = false;
  if (entered) go();
}

function go() {
  entered = stale;
  if (stale) return;
  const hit = chosen();
  if (hit) hit.click();
  else field.form.submit();
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const query = new URLSearchParams({ q: field.value, part: "1" });
  try {
    const answer = await fetch(`${field.form.action}?${query}`, { signal });
    // Who is signed out by now gets another page; Enter leads there.
    show(answer.ok && !answer.redirected ? await answer.text() : "");
  } catch (error) {
    if (error.name !== "AbortError") show("");
  }
}

export function openPalette() {
  if (!dialog || dialog.open) return;
  document.querySelector("dialog[open]")?.close();
  field.value = "";
  entered = false;
  dialog.showModal();
  field.focus();
  ask();
}

function move(event) {
  const all = hits();
  if (all.length === 0) return;
  const at = all.indexOf(chosen());
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(all[(to + all.length) % all.length]);
}

if (dialog) {
  if (mac) for (const key of document.querySelectorAll("[data-palette-key]")) key.textContent = "⌘ K";
  for (const button of document.querySelectorAll("[data-palette-open]")) {
    button.setAttribute("role", "button");
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-keyshortcuts", mac ? "Meta+K" : "Control+K");
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab
      event.preventDefault();
      openPalette();
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== " ") return; // a button answers to the space bar, too
      event.preventDefault();
      openPalette();
    });
  }
  field.addEventListener("input", () => {
    stale = true;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  field.addEventListener("keydown", move);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  list.addEventListener("click", () => dialog.close()); // or Back would find it open
  list.addEventListener("pointermove", (event) => {
    const hit = event.target.closest("[role=option]");
    if (hit && hit !== chosen()) choose(hit);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-palette-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    asking?.abort();
  });
  document.addEventListener("keydown", (event) => {
    // By the place of the key, so that it is the same with Russian letters.
    if (event.code !== "KeyK" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else openPalette();
  });
}

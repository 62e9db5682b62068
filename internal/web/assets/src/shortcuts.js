// Keys: "?" tells them all and "/" goes to the search of the page. Both are single keys,
// and can be switched off in the dialog that tells them.

const SINGLE = "vestnik-single-keys"; // in the browser: "off" once they are switched off

const dialog = document.querySelector("[data-shortcuts]");
const on = () => localStorage.getItem(SINGLE) !== "off";

const types = (element) =>
  element.isContentEditable || (element.matches("input, textarea, select") && !element.matches("[type=checkbox], [type=radio], [type=button]"));

function openShortcuts() {
  document.querySelector("dialog[open]")?.close();
  dialog.querySelector("[data-shortcuts-single]").checked = on();
  dialog.showModal();
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || types(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      openShortcuts();
    } else if (event.key === "/" || (event.code === "Slash" && !event.shiftKey)) {
      const search = document.querySelector("main input[type=search]");
      if (!search || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
  // The field of the palette is empty: there "?" is no word either.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || !event.target.matches("[data-palette] [role=combobox]") || event.target.value !== "") return;
    event.preventDefault();
    openShortcuts();
  });
  dialog.addEventListener("change", (event) => {
    if (event.target.matches("[data-shortcuts-single]")) localStorage.setItem(SINGLE, event.target.checked ? "on" : "off");
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-shortcuts-close]")) dialog.close();
  });
}

// Rows chosen for a bulk action: the checkbox in the head of a table chooses
// all rows of the page, and the bar above it shows how many are chosen. The
// checkboxes belong to the bar's form by their "form" attribute.

const boxesOf = (formID) =>
  [...document.querySelectorAll(`input[type=checkbox][name=id][form="${CSS.escape(formID)}"]`)];

// A form's own "id" is hidden by its fields of that name.
const idOf = (form) => form.getAttribute("id");

function refresh(formID) {
  const boxes = boxesOf(formID);
  const chosen = boxes.filter((box) => box.checked).length;
  const bar = document.getElementById(formID);
  if (bar) {
    bar.dataset.chosen = String(chosen);
    bar.querySelector("[data-bulk-count]").textContent = String(chosen);
    for (const button of bar.querySelectorAll("button")) button.disabled = chosen === 0;
  }
  for (const all of document.querySelectorAll(`[data-select-all="${CSS.escape(formID)}"]`)) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

function refreshAll() {
  for (const bar of document.querySelectorAll("form[data-bulk]")) refresh(idOf(bar));
}

document.addEventListener("change", (event) => {
  const target = event.target;
  const all = target.dataset?.selectAll;
  if (all) {
    for (const box of boxesOf(all)) box.checked = target.checked;
    refresh(all);
  } else if (target.name === "id" && target.type === "checkbox" && target.form?.matches("[data-bulk]")) {
    refresh(idOf(target.form));
  }
});

document.addEventListener("htmx:after:swap", refreshAll);
window.addEventListener("pageshow", refreshAll); // the browser may have kept the ticks
refreshAll();

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
    const count = offerAll(bar, chosen > 0 && chosen === boxes.length) ?? String(chosen);
    for (const output of bar.querySelectorAll("[data-bulk-count]")) output.textContent = count;
    for (const button of bar.querySelectorAll("button:not([data-bulk-guard])")) button.disabled = chosen === 0;
  }
  for (const all of document.querySelectorAll(`[data-select-all="${CSS.escape(formID)}"]`)) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

// Who has chosen the whole page is offered all that was found. It returns how many that
// are once they are chosen.
function offerAll(bar, wholePage) {
  const offer = bar.querySelector("[data-bulk-all]");
  if (!offer) return null;
  const box = offer.querySelector("input");
  offer.hidden = !wholePage;
  if (!wholePage) box.checked = false;
  return box.checked ? offer.dataset.bulkAll : null;
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
  } else if (target.closest?.("[data-bulk-all]")) {
    refresh(idOf(target.form));
  }
});

document.addEventListener("htmx:after:swap", refreshAll);
window.addEventListener("pageshow", refreshAll); // the browser may have kept the ticks
refreshAll();

// What an answer finds wrong with fields that stand elsewhere on the page (ui.LateErrors):
// each error goes to its field, as if it had been there from the start, and goes away with
// the first answer that does not tell it any more.

const described = (field) => (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);

function describe(field, ids) {
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

function mark(field, error) {
  const id = `${field.id}-error`;
  const said = document.getElementById(id);
  if (said && said.textContent.trim() === error.textContent.trim()) return;
  const copy = error.cloneNode(true);
  copy.id = id;
  copy.dataset.lateAt = field.id;
  delete copy.dataset.errorOf;
  const hint = document.getElementById(`${field.id}-hint`);
  if (said) said.replaceWith(copy);
  else if (hint) hint.before(copy);
  else field.closest(".field").append(copy);
  field.setAttribute("aria-invalid", "true");
  describe(field, [id, ...described(field).filter((other) => other !== id)]);
}

function unmark(error) {
  const field = document.getElementById(error.dataset.lateAt);
  error.remove();
  field?.removeAttribute("aria-invalid");
  if (field) describe(field, described(field).filter((id) => id !== error.id));
}

function renew() {
  const told = new Map([...document.querySelectorAll("[data-error-of]")].map((error) => [error.dataset.errorOf, error]));
  for (const error of document.querySelectorAll("[data-late-at]")) if (!told.has(error.dataset.lateAt)) unmark(error);
  for (const [id, error] of told) {
    const field = document.getElementById(id);
    if (field) mark(field, error);
  }
}

document.addEventListener("htmx:after:swap", renew);
renew();

// The page on which a mailing is made: htmx keeps what is typed; this says so, keeps what
// was typed last when the page is left, and shows the message anew when another is chosen.

const form = document.querySelector("[data-autosave]");
const said = document.getElementById("saved");

let unsaved = false; // something was typed that no request has taken along yet
let leaving = false; // the form itself is being sent, with all that stands in it

form.addEventListener("input", () => {
  unsaved = true;
  said.textContent = said.dataset.saving;
});

// What happens to requests of other elements, such as a button that searches, does not count.
const ofForm = (event) => event.target === form;

form.addEventListener("htmx:config:request", (event) => {
  if (ofForm(event)) unsaved = false;
});
// A request that had to wait for another knows what that has told.
form.addEventListener("htmx:before:request", (event) => {
  if (ofForm(event)) event.detail.ctx.request.body.set("seen", form.elements.seen.value);
});
for (const kind of ["htmx:error", "htmx:response:error"]) {
  form.addEventListener(kind, (event) => {
    if (!ofForm(event) || event.detail.ctx?.response?.status === 409) return; // the answer says why
    unsaved = true;
    said.textContent = said.dataset.failed;
  });
}

form.addEventListener("submit", (event) => {
  if (event.submitter?.formTarget !== "preview") leaving = true;
});

// Whoever closes the page within the pause after a letter loses nothing either.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || !unsaved || leaving) return;
  unsaved = false;
  const body = new URLSearchParams(new FormData(form));
  fetch(form.action, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
});

form.addEventListener("change", (event) => {
  if (event.target.matches("[data-show-again]") && form.elements.message.value !== "") form.querySelector("[data-show]").click();
});

// A link to a section opens it, without leaving the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-step]");
  const section = link && document.getElementById(link.dataset.step);
  if (!section) return;
  event.preventDefault();
  section.open = true;
  section.querySelector("summary").focus();
  section.scrollIntoView({ block: "start" });
});

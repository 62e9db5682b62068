// Shows passwords. The eye in a field is for the mouse: who types goes on from a password
// to the next field and to the button that sends, and must not stop at an eye in each. The
// keyboard has a button of its own for the whole form, at its end, which is seen while it
// has the focus; so nothing is left to the mouse alone (WCAG 2.2, 2.1.1), and the order of
// the focus is that of the work (2.4.3).

function show(eye, shown) {
  document.getElementById(eye.dataset.reveal).type = shown ? "text" : "password";
  eye.setAttribute("aria-pressed", String(shown));
}

for (const form of document.querySelectorAll("form:has([data-reveal])")) {
  const eyes = form.querySelectorAll("[data-reveal]");
  const twin = document.createElement("button");
  twin.type = "button";
  twin.className = "btn reveal-all";
  twin.textContent = eyes[0].getAttribute("aria-label");
  twin.setAttribute("aria-pressed", "false");
  twin.addEventListener("click", () => {
    const shown = twin.getAttribute("aria-pressed") !== "true";
    twin.setAttribute("aria-pressed", String(shown));
    for (const eye of eyes) show(eye, shown);
  });
  form.append(twin);
  for (const eye of eyes) eye.tabIndex = -1;
}

document.addEventListener("click", (event) => {
  const eye = event.target.closest("[data-reveal]");
  if (eye) show(eye, eye.getAttribute("aria-pressed") !== "true");
});

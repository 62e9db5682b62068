// A message that is there when the page loads is in no live region that changes,
// so screen readers pass it over: it is said once more, by one that does. Escape
// in a message dismisses it.

const SOON = 150; // milliseconds in which a screen reader has found the region

const sayer = document.getElementById("say");
const texts = [...document.querySelectorAll("#flashes .flash-text")].map((e) => e.textContent.trim());
if (sayer && texts.length) setTimeout(() => { sayer.textContent = texts.join(" "); }, SOON);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const toast = event.target.closest?.("[data-flash]");
  if (!toast) return;
  toast.remove();
  document.getElementById("main")?.focus();
});

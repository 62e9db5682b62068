// While a list is on its way, it says so: to the eye by the style of aria-busy, and, when it is there,
// to a screen reader in how many were found. What stands there stays until then, so that
// nothing jumps.

const listOf = (event) => {
  const target = event.detail?.ctx?.target;
  return target instanceof Element && target.matches(".list") ? target : null;
};

document.addEventListener("htmx:before:request", (event) => listOf(event)?.setAttribute("aria-busy", "true"));

document.addEventListener("htmx:finally:request", () => {
  for (const list of document.querySelectorAll(".list[aria-busy]")) list.removeAttribute("aria-busy");
  const says = document.querySelector("[data-list-says]");
  const found = document.querySelector(".list [data-list-found], .list .nothing-title");
  if (says && found) says.textContent = found.textContent.trim();
});

// The theme switch is a form that the server answers by setting a cookie, and keeps
// for who is signed in. With this script the page changes at once and is not loaded
// again; the server is told in the background, whether the page stays or not.

const YEAR = 365 * 24 * 60 * 60; // seconds

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-switch]");
  const chosen = event.submitter;
  if (!form || chosen?.name !== "theme") return;
  event.preventDefault();
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const name = secure ? "__Host-theme" : "theme"; // as the server calls it
  document.cookie = `${name}=${chosen.value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  document.documentElement.dataset.bsTheme = chosen.value;
  const told = new URLSearchParams({ theme: chosen.value });
  fetch(form.action, { method: "POST", body: told, keepalive: true, redirect: "manual" }).catch(() => {});
  for (const button of form.querySelectorAll("button[name=theme]")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  const menu = form.closest("details");
  menu.open = false;
  menu.querySelector("summary").focus();
});

// The form of a mail server: a preset fills it in without loading the page anew, so that all
// that was typed stays, the password too. The server does the same for who has no script
// (relay_preset.go), but for the password, which it shows nobody.

const form = document.getElementById("relay");
const chips = [...form.querySelectorAll("[data-preset]")];
const own = chips.find((chip) => chip.value === "own");
const fieldsOf = (chip) => JSON.parse(chip?.dataset.preset ?? "{}");
const host = form.elements.host;

// The preset whose server is filled in; undefined: it is one's own.
const filledIn = () => chips.find((chip) => chip !== own && fieldsOf(chip).host === host.value.trim());

function show(chosen) {
  for (const chip of chips) chip.setAttribute("aria-pressed", String(chip === chosen));
  for (const note of form.querySelectorAll("[data-preset-note]")) note.hidden = note.dataset.presetNote !== chosen?.value;
}

form.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-preset]");
  if (!chip) return;
  event.preventDefault();
  const was = fieldsOf(filledIn());
  for (const [name, value] of Object.entries(fieldsOf(chip))) {
    const field = form.elements[name];
    const forced = chip !== own && ["host", "port", "tls"].includes(name);
    if (forced || field.value === "" || field.value === was[name]) field.value = value;
  }
  show(chip);
  if (chip === own) host.focus();
});

host?.addEventListener("input", () => show(filledIn() ?? own));

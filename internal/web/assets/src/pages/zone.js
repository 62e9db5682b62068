// Fills in the time zone of this device where the page only guesses one, so that a new
// person need not look for it. Without scripts it is chosen from the list.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const field of document.querySelectorAll("[data-zone]")) {
  const offered = !field.options || [...field.options].some((option) => option.value === zone);
  if (zone && offered && field.value === field.dataset.zone) field.value = zone;
}

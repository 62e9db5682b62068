// Counts the seconds in which something can still be taken back, in the words that
// the server uses too (CLDR's).

const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });

function renew(box, now) {
  const left = Math.ceil((Date.parse(box.dataset.recall) - now) / 1000);
  const gauge = box.querySelector("progress");
  gauge.value = Math.max(left, 0);
  if (left > 0) box.querySelector("[data-recall-left]").textContent = words.format(left, "second");
  else box.querySelector("[data-recall-lead]").textContent = box.dataset.late;
}

function renewAll() {
  const now = Date.now();
  for (const box of document.querySelectorAll("[data-recall]")) renew(box, now);
}

setInterval(() => document.hidden || renewAll(), 250);
document.addEventListener("visibilitychange", renewAll);
renewAll();

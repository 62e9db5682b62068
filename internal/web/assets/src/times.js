// Keeps relative times true while the page stands, in the words that the
// server uses too (CLDR's), and counts the seconds of the last hour before a
// moment. The server wrote every time into the page; this only renews it.

const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR; // seconds

const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });

// Beyond 30 days the page shows a date, which does not change. Within a minute
// the server's "just now" stays until a minute is over.
function relative(seconds) {
  const distance = Math.abs(seconds);
  if (distance < MINUTE || distance >= 30 * DAY) return null;
  if (distance < HOUR) return words.format(Math.trunc(seconds / MINUTE), "minute");
  if (distance < DAY) return words.format(Math.trunc(seconds / HOUR), "hour");
  return words.format(Math.trunc(seconds / DAY), "day");
}

function countdown(seconds) {
  const pad = (n) => String(n).padStart(2, "0");
  return pad(Math.floor(seconds / MINUTE)) + ":" + pad(Math.floor(seconds % MINUTE));
}

function renew() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-relative], time[data-countdown]")) {
    const seconds = (Date.parse(element.dateTime) - now) / 1000;
    const counts = "countdown" in element.dataset && seconds >= 0 && seconds < HOUR;
    const text = counts ? countdown(seconds) : relative(seconds);
    if (text !== null && text !== element.textContent) element.textContent = text;
  }
}

// The hidden tab of a page has nobody to show the time to.
setInterval(() => document.hidden || renew(), 1000);
document.addEventListener("visibilitychange", renew);
renew();

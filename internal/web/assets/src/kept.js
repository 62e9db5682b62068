// What this browser keeps of messages that were typed and not stored (pages/message.js) is
// one person's: who signs out leaves none of it behind.

document.addEventListener("submit", (event) => {
  if (new URL(event.target.action, location).pathname !== "/logout") return;
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith("vestnik.message.")) localStorage.removeItem(key);
  } catch {
    // this browser keeps nothing
  }
});

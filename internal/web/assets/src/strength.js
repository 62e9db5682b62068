// Says in words how hard a new password is to guess, while it is typed. Nothing is sent
// anywhere. What the rules refuse besides, such as one's own name, the server says.

const LEAST = 8; // as the rules ask
const GOOD = 14; // from here on, and STRONG: chosen, as lengths of phrases
const STRONG = 20;
const LEAST_DIFFERENT = 5; // letters, below which length is no strength

function grade(password) {
  const letters = [...password.normalize("NFC")];
  const different = new Set(letters).size;
  if (letters.length < LEAST) return 0;
  if (letters.length < GOOD || different < LEAST_DIFFERENT) return 1;
  return letters.length < STRONG ? 2 : 3;
}

document.addEventListener("input", (event) => {
  const words = document.querySelector(`[data-strength="${CSS.escape(event.target.id)}"]`);
  if (!words) return;
  const password = event.target.value;
  const level = grade(password);
  words.textContent = password ? words.dataset.words.split("|")[level] : "";
  words.dataset.level = password ? level : "";
});

// A button copies the text that stands before it, and says so for a while.

const saidFor = 2000; // milliseconds; chosen

// The clipboard is for pages by https or from this machine; elsewhere the text is
// chosen and copied as a person would.
async function copy(element) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(element.textContent);
    return;
  }
  getSelection().selectAllChildren(element);
  document.execCommand("copy");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  const words = button?.querySelector("[data-copy-words]");
  if (!words) return;
  await copy(button.previousElementSibling);
  button.dataset.words ??= words.textContent;
  words.textContent = button.dataset.copied;
  setTimeout(() => (words.textContent = button.dataset.words), saidFor);
});

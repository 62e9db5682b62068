// The editor of posts takes pictures into the text, and nobody leaves it by mistake with
// something unsaved.

import { takePictures } from "../pictures.js";

const form = document.querySelector("[data-editor]");

let changed = false;

form.addEventListener("input", () => (changed = true));
form.addEventListener("submit", (event) => {
  if (event.submitter?.formTarget !== "preview") changed = false;
});
window.addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});

takePictures(form, (told) => told.markdown);

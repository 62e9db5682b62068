// A file may be dropped on the frame around a file field. Its name shows that
// it was taken.

const frameOf = (event) => event.target.closest?.("[data-drop]");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  const frame = frameOf(event);
  if (!frame || !carriesFiles(event)) return;
  event.preventDefault();
  frame.dataset.over = "yes";
});

document.addEventListener("dragleave", (event) => {
  const frame = frameOf(event);
  if (frame && !frame.contains(event.relatedTarget)) delete frame.dataset.over;
});

document.addEventListener("drop", (event) => {
  const frame = frameOf(event);
  if (!frame || !carriesFiles(event)) return;
  event.preventDefault();
  delete frame.dataset.over;
  const field = frame.querySelector("input[type=file]");
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  field.files = one.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});

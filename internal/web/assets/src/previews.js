// A picture that was chosen is shown in the frame beside its field before it is sent.
// The page may load no pictures but ours and those that stand in it as data.

document.addEventListener("change", (event) => {
  const field = event.target.closest?.("input[type=file][data-preview]");
  const frame = field?.closest("section").querySelector("[data-preview-frame]");
  const file = field?.files[0];
  if (!frame || !file?.type.startsWith("image/")) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    const shown = document.createElement("img");
    shown.alt = "";
    shown.className = frame.firstElementChild?.getAttribute("class")?.replace(/\b(face-\d|icon)\b/g, "") ?? "";
    shown.src = reader.result;
    frame.replaceChildren(shown);
  });
  reader.readAsDataURL(file);
});

// A part of a page was asked for by the button of a form, and the answer is a page of its own
// (say, the question who is there): the browser sends the form as it would without htmx.

document.addEventListener("send-whole", ({ target }) => {
  const form = target.form ?? target.closest("form");
  if (!form) return;
  if (target.hasAttribute("formaction")) form.action = target.formAction;
  form.submit();
});

// What went wrong is said at the top of the page; a person may be far below.
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (detail.ctx?.hx?.reswap !== "none") return;
  document.querySelector("#flashes .tone-danger")?.scrollIntoView({ block: "nearest" });
});

// Dialogs: what is loaded into one opens it; buttons close it, and the backdrop unless something has been typed.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const target = ctx?.target;
  const dialog = typeof target === "string" ? document.querySelector(target) : target; // the server's choice is a name
  if (!(dialog instanceof HTMLDialogElement) || dialog.open || !dialog.childElementCount) return;
  dialog.showModal();
  // A button that rested while it was asked for has lost the focus: the browser does not know where to give it back.
  const button = ctx.request.submitter;
  if (button) dialog.addEventListener("close", () => button.focus(), { once: true });
});

// What it asked for has been done, or refused by a toast.
for (const done of ["task-created", "answered"]) {
  document.addEventListener(done, (event) => event.target.closest?.("dialog")?.close());
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const opens = target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens).showModal();
  const closes = target.closest("dialog [data-closes]");
  if (closes) {
    event.preventDefault();
    closes.closest("dialog").close();
  }
  if (target instanceof HTMLDialogElement && !("changed" in target.dataset) && outside(target, event)) target.close();
});

// A click on the padding hits the dialog itself too, so its box decides.
function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

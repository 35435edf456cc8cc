// Forms with data-confirm ask first. Without this script they are sent at once.
const dialog = document.getElementById("confirm");
let confirmed = null;

// In the capture phase: before htmx sees the event.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm) return;
  if (form === confirmed) {
    confirmed = null;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(form, event.submitter);
}, true);

function ask(form, submitter) {
  dialog.querySelector("h2").textContent = form.dataset.question || form.dataset.confirm;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    confirmed = form;
    form.requestSubmit(submitter?.disabled ? null : submitter);
  }, { once: true });
}

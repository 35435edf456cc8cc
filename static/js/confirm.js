// Forms with data-confirm ask first. Without this script the server asks.
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
    form.addEventListener("formdata", ({ formData }) => formData.set("confirmed", "1"), { once: true });
    form.requestSubmit(submitter?.disabled ? null : submitter);
  }, { once: true });
}

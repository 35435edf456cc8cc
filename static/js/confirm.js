// Buttons with data-question ask first. Without this script the server asks.
const dialog = document.getElementById("confirm");
let confirmed = null;

// In the capture phase: before htmx sees the event.
document.addEventListener("submit", (event) => {
  const { submitter } = event;
  if (!submitter?.dataset.question) return;
  if (submitter === confirmed) {
    confirmed = null;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(submitter);
}, true);

function ask(button) {
  const { question, warning } = button.dataset;
  const { value } = button;
  dialog.querySelector("h2").textContent = `${question}?`;
  dialog.querySelector("p").textContent = warning;
  dialog.querySelector(".danger").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    confirmed = button;
    button.value = value; // what was asked about, whatever a poll has made of it meanwhile
    button.form.addEventListener("formdata", ({ formData }) => formData.set("confirmed", "1"), { once: true });
    button.form.requestSubmit(button);
  }, { once: true });
}

// The create form: its button waits for a name.
function show() {
  for (const button of document.querySelectorAll("[data-needs]")) {
    button.disabled = !button.form.elements[button.dataset.needs].value.trim();
  }
}

show();
document.addEventListener("input", show);
document.addEventListener("htmx:after:swap", show);

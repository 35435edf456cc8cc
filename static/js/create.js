// The create form: its button waits for a name; what was typed stays until it is sent or cancelled; its row is marked.
const dialog = document.getElementById("create");
let created = null; // the id of a row that has not come yet

function show() {
  for (const button of document.querySelectorAll("[data-needs]")) {
    const sent = button.form.matches(".htmx-request, :has(select.htmx-request)");
    button.disabled = sent || !button.form.elements[button.dataset.needs].value.trim();
  }
}

function forget() {
  if (dialog) delete dialog.dataset.changed;
}

// Only where there is a form: most pages never show one.
function more() {
  if (!document.getElementById("create-form")) return;
  import("./draft.js");
  import("./link.js");
  if (document.querySelector("[data-editor]")) import("./examples.js");
}

show();
more();
document.addEventListener("htmx:after:swap", more);
document.addEventListener("input", ({ target }) => {
  show();
  if (dialog?.contains(target)) dialog.dataset.changed = "";
});

document.addEventListener("htmx:config:request", (event) => {
  if (event.detail.ctx.target !== dialog || !("changed" in (dialog?.dataset ?? {}))) return;
  event.preventDefault();
  dialog.showModal();
});

document.addEventListener("click", ({ target }) => target.closest("#create [data-closes]") && forget());

document.addEventListener("task-created", ({ detail }) => {
  forget();
  created = `task-${detail.number}`;
  // Not back to the button that opened the dialog: a second Enter would open it again.
  document.getElementById("main").focus({ preventScroll: true });
});

// After it the request is over, and what htmx had disabled is enabled.
document.addEventListener("htmx:finally:request", () => queueMicrotask(show));

document.addEventListener("htmx:after:swap", () => {
  show();
  const row = created && document.getElementById(created);
  if (!row) return;
  row.dataset.fresh = "";
  created = null;
});

// Come back to by the browser's Back, a form that was sent would stay on its way for ever: its copy can be sent again.
addEventListener("pageshow", ({ persisted }) => {
  const form = persisted && document.querySelector("#create-form:has(.unseen:disabled)");
  if (!form) return;
  const copy = form.cloneNode(true);
  copy.classList.remove("htmx-request");
  for (const button of copy.querySelectorAll("button")) button.disabled = false;
  for (const select of copy.querySelectorAll("select")) select.value = form.elements[select.name].value;
  form.replaceWith(copy);
  htmx.process(copy);
  show();
});

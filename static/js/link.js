// Copies an address that opens the create form just as it is filled in now, without what stands in passwords' fields.
const SAID_MS = 2000;
const LONGEST = 3900; // bytes of a request's first line that the server reads

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies-link]");
  if (!button) return;
  const address = addressOf(button.form);
  if (address.length > LONGEST) return say(button, "Too long for a link");
  await copy(address);
  say(button, "Copied");
});

function addressOf(form) {
  const query = new URLSearchParams();
  const absent = ".group:has(> .tick input:not(:checked)) > .param-fields *";
  for (const field of form.elements) {
    const { name, type, value } = field;
    if (!name || ["hidden", "password", "submit", "button", "fieldset"].includes(type) || field.matches(absent)) continue;
    if (type === "radio" && !field.checked) continue;
    if (type !== "checkbox") {
      if (value || name.startsWith("p.")) query.append(name, value);
    } else if (field.closest(".boxes")) {
      if (field.checked) query.append(name, value);
      else if (!query.has(name) && !form.querySelector(`[name="${CSS.escape(name)}"]:checked`)) query.append(name, "");
    } else {
      query.append(name, field.checked);
    }
  }
  if (query.has("run_at")) query.append("zone", form.elements.zone.value);
  return `${new URL(form.action).href}?${query}`;
}

function say(button, text) {
  button.dataset.says ??= button.textContent;
  button.textContent = text;
  setTimeout(() => { button.textContent = button.dataset.says; }, SAID_MS);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page that came without TLS has no clipboard.
  const input = document.createElement("textarea");
  input.value = text;
  document.activeElement.after(input);
  input.select();
  document.execCommand("copy");
  input.remove();
}

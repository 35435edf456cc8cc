// What is typed into the create form is kept in this tab, for each kind by itself, until the task is created or the form
// cancelled: it survives a reload and going away. Never what stands in a password's field.
const form = () => document.getElementById("create-form");
// An address that fills the form in has drafts of its own.
const scope = form()?.hasAttribute("data-filled") ? location.search : "";
let switching = null; // the kind whose draft is to be put in once its fields have come

const store = (() => {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden by the browser's settings
  }
})();

const place = () => `draft ${form().dataset.draft} ${scope}`;
const key = (kind) => `${place()} ${kind}`;
const kindOf = () => form().elements.kind?.value ?? "";
const read = (kind) => JSON.parse(store?.getItem(key(kind)) ?? "null");

function fields() {
  return [...form().elements].filter(({ name, type }) => name && name !== "kind" && !["hidden", "password", "submit", "button", "fieldset"].includes(type));
}

function state(field) {
  return ["checkbox", "radio"].includes(field.type) ? field.checked : field.value;
}

// By name and turn: several boxes may have one name.
function keyed() {
  const turns = {};
  return fields().map((field) => [`${field.name} ${(turns[field.name] = (turns[field.name] ?? 0) + 1)}`, field]);
}

function save() {
  if (!store || !form()) return;
  const states = Object.fromEntries(keyed().map(([name, field]) => [name, state(field)]));
  try {
    store.setItem(key(kindOf()), JSON.stringify(states));
    store.setItem(place(), kindOf());
  } catch {
    // No room: it is not kept.
  }
}

function forget() {
  if (!store || !form()) return;
  store.removeItem(key(kindOf()));
  store.removeItem(place());
  tell(false);
}

function forgetAll() {
  if (!store || !form()) return;
  for (const name of Object.keys(store)) if (name.startsWith(place())) store.removeItem(name);
}

function tell(restored) {
  document.getElementById("restored").hidden = !restored;
}

function restore(kind, within) {
  const states = read(kind);
  if (!states) return;
  let changed = false;
  for (const [name, field] of keyed()) {
    if (!(name in states) || states[name] === state(field) || !field.closest(within)) continue;
    field[typeof states[name] === "boolean" ? "checked" : "value"] = states[name];
    changed = true;
  }
  if (!changed) return;
  tell(true);
  form().dispatchEvent(new Event("input", { bubbles: true }));
}

// The form as it first comes, with the kind that was worked on last unless the address asks for one.
function begin() {
  if (!store || !form() || form().hasAttribute("data-typed")) return;
  const last = store.getItem(place());
  const select = form().elements.kind;
  const asked = scope === "" && new URLSearchParams(location.search).has("kind");
  const other = last && select && last !== select.value && !asked && read(last) && [...select.options].some(({ value }) => value === last);
  restore(other ? last : kindOf(), "form");
  if (!other) return;
  switching = last;
  select.value = last;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("input", ({ target }) => {
  if (target.closest?.("#create-form") && target.name !== "kind") save();
});

document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (!form()) return;
  if (detail.ctx?.target?.id === "create") begin();
  if (detail.ctx?.target?.id !== "params") return;
  tell(false);
  restore(kindOf(), switching === kindOf() ? "#params" : ".params");
  switching = null;
});

document.addEventListener("htmx:after:request", ({ target, detail }) => {
  const { status, headers } = detail.ctx.response;
  // A session that has ended leads away as well, to sign in.
  if (target.id === "create-form" && status < 400 && headers.has("HX-Redirect")) forget();
});
document.addEventListener("task-created", forget);

document.addEventListener("click", ({ target }) => {
  if (target.closest("#create-form [data-closes]")) forgetAll();
  if (!target.closest("[data-afresh]")) return;
  const kind = kindOf();
  form().reset();
  form().elements.kind.value = kind;
  form().dispatchEvent(new Event("input", { bubbles: true }));
  forget();
  form().elements.name.focus();
});

begin();

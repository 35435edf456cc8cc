// One-key commands; off while somebody types or something lies open above the page. The row that j and k stand on is the focused one.
let going = false;

const COMMANDS = {
  g: () => { going = true; }, // the next key names a page, however late: no such letter does anything else
  c: () => document.querySelector("[data-key=c]")?.click(),
  "/": () => document.querySelector("[data-key='/']")?.select(),
  j: () => move(1),
  k: () => move(-1),
  x: () => { const box = row()?.querySelector("input[type=checkbox]"); if (box?.checkVisibility()) box.click(); },
  r: () => press("r"),
  e: () => press("e"),
  p: () => press("p"),
  n: () => press("n"),
  ".": () => document.querySelector("[data-pauses]")?.click(),
  "?": () => document.getElementById("help").showModal(),
  Escape: () => document.dispatchEvent(new CustomEvent("deselect")),
};

const OPEN = "dialog[open], [popover=auto]:popover-open";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector(OPEN)) return;
  const command = page(event.key) ?? COMMANDS[event.key];
  if (!command) return;
  event.preventDefault();
  command();
});

// The command that leads to the page of this name, right after a g.
function page(key) {
  const awaited = going;
  going = false;
  const link = awaited && [...document.querySelectorAll("[data-go]")].find(({ dataset }) => dataset.go === key);
  return link ? () => link.click() : undefined;
}

// On a box it would press the first button of the form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.closest?.("#tasks-form input")) return;
  event.preventDefault();
  row()?.querySelector("a").click();
});

document.addEventListener("click", (event) => {
  const clicks = event.target.closest("[data-clicks]");
  if (!clicks) return;
  event.preventDefault();
  document.querySelector(`[data-key=${clicks.dataset.clicks}]`)?.click();
});

// For what is selected, else for the row that has the focus, else for the task whose page this is.
function press(key) {
  const button = document.querySelector(`[data-key=${key}]`);
  if (button instanceof HTMLAnchorElement) return button.click();
  const box = row()?.querySelector("input[type=checkbox]");
  if (!button || (button.disabled && !box)) return;
  const focused = button.disabled && box.value;
  if (focused) button.form.addEventListener("formdata", ({ formData }) => formData.set(box.name, focused), { once: true });
  button.form.requestSubmit(button);
}

const row = () => document.activeElement?.closest(".tasks tbody tr");

function move(by) {
  const links = [...document.querySelectorAll(".tasks tbody .t-name a")];
  const at = links.findIndex((link) => link.closest("tr") === row());
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

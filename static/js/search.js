// The search: its address in the bar, and a list of what may stand where the caret is, ruled by the arrow keys.
const box = document.getElementById("q");
const list = document.getElementById("completions");
let picked = ""; // what the chosen one would make of the text
let typing = false; // since it was last left: then each look is not a step to go back to

document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
  const address = target.id === "search" && ctx.response?.headers?.get("X-Address");
  if (!address || address === location.pathname + location.search) return;
  history[typing ? "replaceState" : "pushState"](null, "", address);
  typing = true;
});
addEventListener("popstate", () => location.reload());

document.addEventListener("htmx:config:request", ({ target, detail: { ctx } }) => {
  if (target !== list) return;
  ctx.request.body.set("q", box.value);
  ctx.request.body.set("at", box.selectionStart);
});

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");
const complete = () => list.dispatchEvent(new CustomEvent("complete"));

box.addEventListener("input", complete);
box.addEventListener("focus", complete);
box.addEventListener("click", complete);
box.addEventListener("blur", () => {
  typing = false;
  close();
});

list.addEventListener("htmx:after:swap", () => {
  if (document.activeElement !== box) close();
  // A list that comes a little late takes nothing away from whoever has begun to choose.
  show(options().find(({ dataset }) => dataset.text === picked) ?? null);
});

box.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && options().length) move(step);
  else if (event.key === "Enter" && chosen()) take(chosen());
  else if (event.key === "Tab" && !event.shiftKey && chosen()) take(chosen());
  else if (event.key === "Escape" && options().length) close();
  else if (event.key === "Escape") return box.blur();
  else if (event.key === "Enter") return close();
  else return;
  event.preventDefault();
});

// Not by click: the box would lose the focus before.
list.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const option = event.target.closest("[role=option]");
  if (option) take(option);
});

function move(step) {
  const all = options();
  const at = all.indexOf(chosen());
  show(all[(at < 0 && step < 0 ? all.length : at) + step] ?? null);
}

function show(option) {
  picked = option?.dataset.text ?? "";
  for (const each of options()) each.ariaSelected = String(each === option);
  option?.scrollIntoView({ block: "nearest" });
  box.ariaExpanded = String(options().length > 0);
  if (option) box.setAttribute("aria-activedescendant", option.id);
  else box.removeAttribute("aria-activedescendant");
}

function close() {
  list.replaceChildren();
  show(null);
}

function take(option) {
  const { text, caret } = option.dataset;
  close();
  box.value = text;
  box.setSelectionRange(caret, caret);
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

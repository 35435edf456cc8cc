// The selection of the table: the boxes for all, ranges by Shift, how many are chosen, and what may be done with them.
const boxes = () => [...document.querySelectorAll(".tasks tbody input[name=number]")];
let last = null;

function show() {
  const button = document.getElementById("delete");
  if (!button) return;
  const chosen = boxes().filter((box) => box.checked).length;
  button.disabled = chosen === 0;
  document.getElementById("chosen").textContent = chosen || "";
  button.form.dataset.question = `Delete ${chosen === 1 ? "the selected task" : `the ${chosen} selected tasks`}?`;
  for (const all of document.querySelectorAll("[data-all]")) {
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  }
}

document.addEventListener("change", ({ target }) => {
  const all = "all" in target.dataset;
  if (all) for (const box of boxes()) box.checked = target.checked;
  if (all || target.name === "number") show();
});

document.addEventListener("click", ({ target, shiftKey }) => {
  if (target.name !== "number") return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) for (const box of all.slice(from, to + 1)) box.checked = target.checked;
  last = target;
});

document.addEventListener("deselect", () => {
  for (const box of boxes()) box.checked = false;
  show();
});

// The button rests now and the rows leave: the focus goes to the row that follows them.
document.addEventListener("tasks-changed", () => {
  if (document.activeElement !== document.body && document.activeElement.id !== "delete") return;
  const all = boxes();
  const next = all.slice(all.findIndex((box) => box.checked)).find((box) => !box.checked);
  (next?.closest("tr").querySelector("a") ?? document.getElementById("main")).focus({ preventScroll: true });
});

show();
document.addEventListener("htmx:after:swap", show);
// htmx enables the button again after this event.
document.addEventListener("htmx:finally:request", () => setTimeout(show));

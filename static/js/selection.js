// The selection of the table: the boxes for all, ranges by Shift, how many are chosen, and what may be done with them.
const boxes = () => [...document.querySelectorAll(".tasks tbody input[name=number]")];
let last = null;

function show() {
  const chosen = boxes().filter((box) => box.checked);
  for (const button of document.querySelectorAll(".acts button")) {
    button.disabled = chosen.length === 0 || ("one" in button.dataset && chosen.length > 1);
    const what = chosen.length === 1 ? `task ${chosen[0].value}` : `${chosen.length} tasks`;
    if (button.dataset.question) button.dataset.question = `${button.textContent.trim()} ${what}`;
  }
  const count = document.getElementById("chosen");
  if (count) count.textContent = chosen.length || "";
  for (const all of document.querySelectorAll("[data-all]")) {
    all.checked = chosen.length > 0 && chosen.length === boxes().length;
    all.indeterminate = chosen.length > 0 && !all.checked;
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

// The button rests now, and the rows may leave: the focus goes to the row that follows them.
document.addEventListener("tasks-changed", () => {
  if (document.activeElement !== document.body && !document.activeElement.closest("[data-acts]")) return;
  const all = boxes();
  const next = all.slice(all.findIndex((box) => box.checked)).find((box) => !box.checked);
  (next?.closest("tr").querySelector("a") ?? document.getElementById("main")).focus({ preventScroll: true });
});

show();
document.addEventListener("htmx:after:swap", show);
// htmx enables the button again after this event.
document.addEventListener("htmx:finally:request", () => setTimeout(show));

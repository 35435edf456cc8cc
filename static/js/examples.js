// An example goes into the editor, where undoing brings back what it replaces; without script it opens in a new tab.
import { editorOf, say } from "./editor.js";
import { insertText } from "../vendor/prism-code-editor/utils/index.js";

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-example]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const textarea = link.closest(".code-field").querySelector("textarea");
  const code = await read(link.dataset.example);
  if (!textarea.isConnected) return;
  if (code === null) return say(textarea, "The server did not answer. Try again.");
  link.closest("details").open = false;
  insertText(editorOf(textarea), code, 0, textarea.value.length, 0);
  editorOf(textarea).container.scrollTop = 0;
  name(textarea.form.elements.name, link);
  say(textarea, "The example is in the editor. Ctrl Z brings back what was there.");
});

// The menu closes as menus do.
document.addEventListener("click", ({ target }) => {
  const menu = open();
  if (menu && !menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = open();
  if (!menu || event.key !== "Escape") return;
  event.preventDefault(); // the dialog around it stays
  menu.open = false;
  menu.querySelector("summary").focus();
});

const open = () => document.querySelector(".examples[open]");

async function read(address) {
  try {
    const answer = await fetch(address);
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

// The task's name too, unless somebody has thought of one.
function name(input, link) {
  const titles = [...link.closest("ul").querySelectorAll("a")].map(title);
  if (input.value.trim() && !titles.includes(input.value)) return;
  input.value = title(link);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

const title = (link) => link.firstChild.data;

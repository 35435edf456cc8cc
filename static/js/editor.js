// A field for code becomes an editor, whose textarea takes the field's place: the form, its draft and labels go on with it.
import { createEditor } from "../vendor/prism-code-editor/index.js";
import { defaultKeymap, editorCommands, ignoreTab, setIgnoreTab } from "../vendor/prism-code-editor/extensions/commands/index.js";
import { cursorPosition } from "../vendor/prism-code-editor/extensions/cursor/index.js";
import { highlightBracketPairs } from "../vendor/prism-code-editor/extensions/matchBrackets/highlight.js";
import { matchBrackets } from "../vendor/prism-code-editor/extensions/matchBrackets/index.js";
import { searchWidget } from "../vendor/prism-code-editor/extensions/search/index.js";
import "../vendor/prism-code-editor/languages/python.js";
import "../vendor/prism-code-editor/prism/languages/python.js";
import { isMac, setSelection } from "../vendor/prism-code-editor/utils/index.js";

const PAIRS = ["()", "[]", "{}"]; // no quotes: after the f of an f-string there would be one too many
// Beyond these characters in all, or in one line, each key would be felt while all is coloured again.
const LONG = 40_000;
const LONG_LINE = /^.{2000}/m;
const editors = new Map(); // by their textareas

export const editorOf = (textarea) => editors.get(textarea);

function show() {
  for (const textarea of editors.keys()) if (!textarea.isConnected) editors.delete(textarea);
  for (const field of document.querySelectorAll("[data-editor]")) if (!editors.has(field)) upgrade(field);
}

function upgrade(field) {
  const editor = createEditor();
  const { textarea, container } = editor;
  const focused = document.activeElement === field;
  editors.set(textarea, editor);
  adopt(textarea, field);
  // What comes back by the browser's Back is the copy of an editor.
  (field.closest(".prism-code-editor") ?? field).replaceWith(container);
  editor.addExtensions(matchBrackets(false), highlightBracketPairs(), searchWidget(), cursorPosition(), editorCommands(keymap(), PAIRS));
  listen(editor);
  editor.setOptions({ language: languageFor(field.value), tabSize: 4, value: field.value });
  markFault(editor);
  if (focused) textarea.focus();
}

function adopt(textarea, field) {
  for (const { name, value } of field.attributes) if (!["class", "rows", "cols"].includes(name)) textarea.setAttribute(name, value);
  const keys = document.getElementById(`${field.id}_keys`);
  const told = new Set([...(field.getAttribute("aria-describedby") ?? "").split(" "), keys.id]);
  textarea.setAttribute("aria-describedby", [...told].join(" ").trim());
  textarea.defaultValue = field.defaultValue;
  if (isMac) for (const key of keys.querySelectorAll("kbd")) key.textContent = onMac(key.textContent);
}

function listen(editor) {
  const { textarea, container } = editor;
  editor.on("update", (value) => fit(editor, value));
  editor.keyCommandMap.Escape = () => leave(editor);
  textarea.addEventListener("input", () => setIgnoreTab(false));
  textarea.addEventListener("blur", () => setIgnoreTab(false));
  container.addEventListener("keydown", keep);
}

function keymap() {
  const keys = Object.entries(defaultKeymap).filter(([key]) => !key.endsWith("+m"));
  return { ...Object.fromEntries(keys), "Mod+Enter": submit };
}

function submit({ textarea }) {
  textarea.form.requestSubmit();
  return true;
}

// The first Escape gives the Tab key back, the next one is for what lies around: it closes a dialog.
function leave({ textarea }) {
  if (ignoreTab) return false;
  setIgnoreTab(true);
  say(textarea, "Tab leaves the editor now.");
  return true;
}

// The one that closes the search does not close the dialog around it.
function keep(event) {
  if (event.key === "Escape" && event.target.closest(".prism-search")) event.preventDefault();
}

// Code that is indented by tabs goes on with them.
function fit(editor, value) {
  editor.options.insertSpaces = !/^\t/m.test(value);
  const language = languageFor(value);
  if (editor.options.language !== language) {
    editor.setOptions({ language });
    say(editor.textarea, language === "text" ? "Long code is not coloured here." : "");
  }
  editor.lines[editor.activeLine]?.classList.remove("is-faulty");
}

const languageFor = (value) => (value.length > LONG || LONG_LINE.test(value) ? "text" : "python");

function markFault(editor) {
  const { textarea, lines, container } = editor;
  const number = textarea.dataset.faultyLine;
  const line = lines[number];
  if (!line) return;
  const start = textarea.value.split("\n").slice(0, number - 1).reduce((sum, { length }) => sum + length + 1, 0);
  setSelection(editor, start);
  line.classList.add("is-faulty");
  container.scrollTop = line.offsetTop - container.clientHeight / 2;
}

export function say(textarea, text) {
  textarea.closest(".code-field").querySelector(".code-said").textContent = isMac ? onMac(text) : text;
}

const onMac = (text) => text.replace("Ctrl", "Cmd");

show();
document.addEventListener("htmx:after:swap", show);
addEventListener("pageshow", show);
// What others have put into the field: a draft, or nothing when it begins afresh.
document.addEventListener("input", ({ target }) => {
  for (const [textarea, editor] of editors) if (target === textarea.form && textarea.value !== editor.value) editor.update();
});

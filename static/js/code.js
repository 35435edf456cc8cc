// Colours code that is shown, as the editor does; without script it is plain.
import { languages, tokenizeText } from "../vendor/prism-code-editor/prism/index.js";
import "../vendor/prism-code-editor/prism/languages/python.js";

for (const code of document.querySelectorAll("[data-highlights]")) {
  const tokens = tokenizeText(code.textContent, languages[code.dataset.highlights]);
  code.textContent = "";
  append(code, tokens);
}

function append(element, tokens) {
  for (const token of tokens) element.append(typeof token === "string" ? token : coloured(token));
}

function coloured({ type, alias, content }) {
  const element = document.createElement("span");
  element.className = `token ${type} ${alias ?? ""}`;
  append(element, [content].flat());
  return element;
}

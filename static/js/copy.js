// Copies the text that a button names, and says so on it.
const SAID_MS = 2000;

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies]");
  if (!button) return;
  await copy(document.getElementById(button.dataset.copies));
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, SAID_MS);
});

async function copy(source) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text(source));
  // A page that came without TLS has no clipboard.
  getSelection().selectAllChildren(source);
  document.execCommand("copy");
}

// Without what stands in it only for whoever reads it here.
function text(source) {
  const copy = source.cloneNode(true);
  for (const each of copy.querySelectorAll("[data-uncopied]")) each.remove();
  return copy.textContent;
}

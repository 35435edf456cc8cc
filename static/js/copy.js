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
  if (navigator.clipboard) return navigator.clipboard.writeText(source.textContent);
  // A page that came without TLS has no clipboard.
  getSelection().selectAllChildren(source);
  document.execCommand("copy");
}

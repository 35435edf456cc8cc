// New tasks are announced to those who listen: at once, then at most every ten seconds.
const PAUSE_MS = 10_000;
const said = document.getElementById("news-said");
let pausing = false;

function announce() {
  const text = document.getElementById("news")?.textContent.trim() ?? "";
  if (!said || pausing || text === said.textContent) return;
  said.textContent = text;
  pausing = true;
  setTimeout(() => {
    pausing = false;
    announce();
  }, PAUSE_MS);
}

announce();
document.addEventListener("htmx:after:swap", announce);

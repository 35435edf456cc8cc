// GraphiQL, asking with the session of whoever looks; what they typed, and their history, are kept apart from others' in
// this browser; an address may bring a query along, once.
const root = document.getElementById("graphiql");
const { endpoint, csrf, person } = root.dataset;
const FIRST = `# Ctrl Enter runs it, Ctrl Space completes, Escape gives the Tab key back.
# The book at the left tells everything that can be asked.
query {
  viewer { username }
  taskCounts { queueing running finished failed cancelled }
  tasks(first: 5) {
    nodes { number name status value statusText }
  }
}
`;

async function ask(question) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
  try {
    const response = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(question) });
    return await response.json();
  } catch {
    return { errors: [{ message: "No answer: the server is away, or what came was no JSON. Try again in a moment." }] };
  }
}

const stored = (act) => { try { return act(window.localStorage); } catch { return null; } };
const own = (key) => `${person} ${key}`;
// Its theme is that of the page: each of the two switches moves the other.
const theme = () => ({ light: "light", dark: "dark" })[document.documentElement.dataset.theme] ?? null;
const choose = (chosen) => document.querySelector(`input[name=theme][value=${chosen}]`)?.click();
const storage = {
  get length() { return stored(({ length }) => length) ?? 0; },
  getItem: (key) => (key === "graphiql:theme" ? theme() : stored((all) => all.getItem(own(key)))),
  setItem: (key, value) => (key === "graphiql:theme" ? choose(value) : stored((all) => all.setItem(own(key), value))),
  removeItem: (key) => (key === "graphiql:theme" ? choose("system") : stored((all) => all.removeItem(own(key)))),
  clear: () => stored((all) => Object.keys(all).filter((key) => key.startsWith(own("graphiql:"))).forEach((key) => all.removeItem(key))),
};

function wear() {
  document.body.classList.remove("graphiql-light", "graphiql-dark");
  if (theme()) document.body.classList.add(`graphiql-${theme()}`);
}

function brought() {
  const given = new URLSearchParams(location.search);
  if (!given.has("query")) return {};
  history.replaceState(null, "", location.pathname);
  return { query: given.get("query"), variables: given.get("variables") ?? "" };
}

// Typing goes on where the editor is, as soon as that is there and can show an answer: GraphiQL binds its keys anew once
// the page with both has been painted.
const arrival = new MutationObserver(() => {
  const editor = root.querySelector(".graphiql-query-editor .CodeMirror");
  if (!editor || !root.querySelector(".result-window .CodeMirror")) return;
  arrival.disconnect();
  requestAnimationFrame(() => setTimeout(() => editor.CodeMirror.focus()));
});

// The Tab key goes on to the next thing until something is typed, and again after Escape; from an answer it always does.
const GOES_ON = { name: "goes-on", Tab: false, "Shift-Tab": false };
const STAYS = ["Tab", "Shift", "Control", "Alt", "Meta"];

function letGo({ target, key = "Escape" }) {
  const editor = target.closest(".CodeMirror")?.CodeMirror;
  if (!editor || STAYS.includes(key)) return;
  editor.removeKeyMap("goes-on");
  if (key === "Escape" || editor.getOption("readOnly")) editor.addKeyMap(GOES_ON);
}
root.addEventListener("focusin", letGo);
root.addEventListener("keydown", letGo, true);

const { createElement } = window.React;
const settings = { fetcher: ask, storage, defaultQuery: FIRST, isHeadersEditorEnabled: false, showPersistHeadersSettings: false, ...brought() };
arrival.observe(root, { childList: true, subtree: true });
window.ReactDOM.createRoot(root).render(createElement(window.GraphiQL, settings));
new MutationObserver(wear).observe(document.documentElement, { attributeFilter: ["data-theme"] });
wear();

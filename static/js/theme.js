// The theme a person chose, set before the first paint; and the switch that chooses it.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* private mode: for this page only */ } };
  const apply = (theme) => { root.dataset.theme = theme || "system"; };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    for (const radio of document.querySelectorAll("input[name=theme]")) radio.checked = radio.value === root.dataset.theme;
  });
  document.addEventListener("change", (event) => {
    if (event.target.name !== "theme") return;
    apply(event.target.value);
    store(event.target.value);
  });
})();

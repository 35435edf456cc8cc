// An act whose answer never came says so; what polls asks again by itself.
const toasts = document.getElementById("toasts");

document.addEventListener("htmx:error", ({ target, detail }) => {
  if (!detail.ctx || target.id === "live" || target.id === "health") return;
  const [toast, icon, text] = ["p", "span", "span"].map((name) => document.createElement(name));
  toast.className = "toast error";
  icon.className = "icon icon-error";
  text.textContent = `The server did not answer. ${target.dataset?.unanswered ?? "Try again."}`;
  toast.append(icon, text);
  toasts.append(toast);
});

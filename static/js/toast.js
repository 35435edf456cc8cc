// Toasts: they stand above open dialogs; good news leaves by itself, the rest stays until it is dismissed.
const toasts = document.getElementById("toasts");
const STAYS_MS = 6000;

function welcome(toast) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toast-close";
  button.ariaLabel = "Dismiss";
  button.addEventListener("click", () => dismiss(toast));
  toast.append(button);
  if (toast.matches(".success, .info")) setTimeout(() => dismiss(toast), STAYS_MS);
}

function dismiss(toast) {
  toast.remove();
  if (!toasts.querySelector(".toast")) toasts.hidePopover?.();
}

// Shown anew, the popover is the topmost of what lies above the page.
function raise() {
  if (!toasts.showPopover) return;
  toasts.popover = "manual";
  toasts.hidePopover();
  toasts.showPopover();
}

new MutationObserver((records) => {
  const fresh = records.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.classList?.contains("toast"));
  fresh.forEach(welcome);
  if (fresh.length) raise();
}).observe(toasts, { childList: true });

const first = [...toasts.querySelectorAll(".toast")];
first.forEach(welcome);
if (first.length) raise();

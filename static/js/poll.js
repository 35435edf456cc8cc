// The live part asks by the server's rhythm; this says when to ask less or not at all, what to hold back, and that the server is away.
const HIDDEN_MS = 5000;
const SLOW_MS = 3000;
const SCROLLED_PX = 120;
const READ = matchMedia("(hover: hover)").matches ? ":is(:hover, :focus-within)" : ":focus-within";
const away = document.getElementById("away");
let askedAt = 0;
let slow = 0;
let follow = false;
let paused = false; // until it is resumed or the page is left; what one does oneself is shown all the same

const live = () => document.getElementById("live");
const isLive = (event) => event.target === live();
const refresh = () => live()?.dispatchEvent(new CustomEvent("refresh"));

document.addEventListener("htmx:config:request", (event) => {
  if (!isLive(event)) return;
  if (document.hidden && Date.now() - askedAt < HIDDEN_MS) {
    event.preventDefault();
    return;
  }
  askedAt = Date.now();
  const { ctx } = event.detail;
  ctx.follows = follow;
  const top = held() && document.querySelector(".tasks tbody input[name=number]")?.value;
  if (top) ctx.request.body.set("seen", top);
});

// The extension may have come too late to read the page's tag.
document.addEventListener("htmx:config:request", ({ target, detail: { ctx: { request } } }) => {
  const tag = target.getAttribute("hx-ptag");
  if (tag) request.headers["HX-PTag"] ??= tag;
});

// New rows would move what somebody reads, points at or has selected: they are announced instead.
function held() {
  if (follow || /[?&](after|before)=/.test(live().getAttribute("hx-get"))) return false;
  return scrollY > SCROLLED_PX || document.querySelector(`.tasks tbody :is(tr${READ}, input:checked)`) !== null;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-follows]") || /[?&](after|before)=/.test(location.search)) return;
  event.preventDefault();
  follow = true;
  scrollTo({ top: 0 });
  document.getElementById("main").focus({ preventScroll: true }); // the link leaves
  refresh();
});
// In the capture phase: before htmx asks for the rows.
document.addEventListener("task-created", () => { follow = true; }, true);

document.addEventListener("htmx:before:request", (event) => {
  if (isLive(event)) slow = setTimeout(say, SLOW_MS, true);
});
document.addEventListener("htmx:after:request", (event) => {
  if (isLive(event)) say(event.detail.ctx.response.status >= 500);
});
document.addEventListener("htmx:error", (event) => {
  if (isLive(event)) say(true);
});
document.addEventListener("htmx:finally:request", (event) => {
  if (isLive(event) && event.detail.ctx.follows) follow = false;
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

// Before whoever asks or counts. Whether the system is well is told all the same.
for (const beat of ["every", "visibilitychange"]) {
  document.addEventListener(beat, (event) => paused && event.target.id !== "health" && event.stopImmediatePropagation(), true);
}
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-pauses]");
  if (!button) return;
  paused = !paused;
  button.setAttribute("aria-pressed", paused);
  say(false);
  if (!paused) document.dispatchEvent(new Event("visibilitychange")); // as one who comes back: all ask at once
});

function say(isAway) {
  clearTimeout(slow);
  const text = isAway ? "Reconnecting…" : paused ? "Live updates are paused" : "";
  if (away.textContent !== text) away.textContent = text;
}

// The live part asks by the server's rhythm; this says when to ask less, what to hold back, and that the server is away.
const HIDDEN_MS = 5000;
const SCROLLED_PX = 120;
const away = document.getElementById("away");
let askedAt = 0;
let follow = false;

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
  const top = held() && document.querySelector(".tasks tbody input[name=number]")?.value;
  if (top) event.detail.ctx.request.body.set("seen", top);
});

// New rows would move what somebody reads or has selected: they are announced instead.
function held() {
  if (follow || /[?&](after|before)=/.test(live().getAttribute("hx-get"))) return false;
  return scrollY > SCROLLED_PX || document.querySelector(".tasks tbody input:checked") !== null;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-follows]") || /[?&](after|before)=/.test(location.search)) return;
  event.preventDefault();
  follow = true;
  scrollTo({ top: 0 });
  refresh();
});

document.addEventListener("htmx:after:request", (event) => {
  if (!isLive(event)) return;
  away.hidden = event.detail.ctx.response.status < 500;
});
document.addEventListener("htmx:error", (event) => {
  if (isLive(event)) away.hidden = false;
});
document.addEventListener("htmx:finally:request", (event) => {
  if (isLive(event)) follow = false;
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

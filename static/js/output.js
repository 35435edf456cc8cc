// The output: sticks to its end while it is followed, folds its long lines or not, rests while nobody looks.
const WRAP = "millrace-wrap";
const NEAR_PX = 24;
let following = true;
let lastTop = 0;

const terminal = () => document.getElementById("output-text");
const live = () => document.getElementById("output-live");
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;

function show() {
  const box = terminal();
  // The reader may have scrolled up at this very moment, before anybody was told.
  if (box && box.scrollTop < lastTop && !atEnd(box)) following = false;
  const [follow, wrap] = ["follow", "wrap"].map((name) => document.querySelector(`#output [data-${name}]`));
  if (!follow) return;
  follow.hidden = !live();
  follow.setAttribute("aria-pressed", following);
  const wraps = localStorage.getItem(WRAP) !== "off";
  wrap.setAttribute("aria-pressed", wraps);
  box?.classList.toggle("unwrapped", !wraps);
  if (box && following && live()) box.scrollTop = box.scrollHeight;
  lastTop = box?.scrollTop ?? 0;
}

// Scroll events do not bubble; those of the output are seen on their way down. One that `show` makes ends at the end.
document.addEventListener("scroll", ({ target }) => {
  if (target !== terminal() || following === atEnd(target)) return;
  following = atEnd(target);
  show();
}, true);

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-follow]")) {
    following = !following;
    lastTop = 0;
  }
  else if (target.closest("[data-wrap]")) localStorage.setItem(WRAP, target.closest("[aria-pressed=true]") ? "off" : "on");
  else return;
  show();
});

document.addEventListener("htmx:config:request", (event) => {
  if (event.target === live() && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => document.hidden || live()?.dispatchEvent(new CustomEvent("refresh")));
document.addEventListener("htmx:after:swap", show);
show();

// Times that keep moving, in the reader's own zone. The steps are those of apps/tasks/templatetags/task_times.py.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const two = (number) => String(number).padStart(2, "0");
const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const minute = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
const exact = (at) => `${day(at)} ${minute(at)}:${two(at.getSeconds())}`;

function ago(at) {
  const seconds = (Date.now() - at) / 1000;
  if (seconds < 5) return "just now";
  if (seconds >= 30 * 86400) return day(at);
  const [size, unit] = UNITS.find(([size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function count(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 1);
  const index = UNITS.findIndex(([size]) => seconds >= size);
  const [size, unit] = UNITS[index];
  const [partSize, partUnit] = UNITS[index + 1] ?? [1, ""];
  const part = partUnit && Math.floor((seconds % size) / partSize);
  return `${Math.floor(seconds / size)} ${unit}${part ? ` ${part} ${partUnit}` : ""}`;
}

const clock = (at) => (day(at) === day(new Date()) ? minute(at) : `${day(at)} ${minute(at)}`);

const second = (at) => (day(at) === day(new Date()) ? exact(at).slice(11) : exact(at));
const since = (at) => count(Date.now() - at);
const until = (at) => count(at - Date.now());

const FORMS = { ago, since, until, clock, second, exact };

function show() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const form = Object.keys(FORMS).find((name) => name in time.dataset);
    if (!form) continue;
    const at = new Date(time.dateTime);
    const text = FORMS[form](at);
    if (time.textContent !== text) time.textContent = text;
    if (form !== "exact" && time.title !== exact(at)) time.title = exact(at);
  }
}

show();
setInterval(() => document.hidden || document.querySelector("[data-pauses][aria-pressed=true]") || show(), 1000);
document.addEventListener("visibilitychange", show);
document.addEventListener("htmx:after:swap", show);

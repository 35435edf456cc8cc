// Times are typed in the reader's own zone: the form says which one that is.
function show() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  // For days named in a search.
  document.cookie = `millrace_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  for (const input of document.querySelectorAll("input[name=zone]")) input.value = zone;
  for (const note of document.querySelectorAll("[data-zone]")) note.textContent = `(${zone})`;
}

show();
document.addEventListener("htmx:after:swap", show);

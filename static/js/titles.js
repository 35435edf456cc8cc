// What a cell cuts off is shown whole while the pointer rests on it; sent twice, it would double the table.
document.addEventListener("pointerover", ({ target }) => {
  const cell = target.closest?.(".tasks tbody :is(td, th), .runs a, .host span");
  if (!cell) return;
  const cut = cell.scrollWidth > cell.clientWidth;
  if (cut && !cell.querySelector("[title]")) cell.title = cell.textContent.trim();
  else if (!cut && cell.title) cell.removeAttribute("title");
});

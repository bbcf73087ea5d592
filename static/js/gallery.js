// The galleries by keyboard, and what is chosen in them. Without this script the boxes and buttons work all the same.

const gallery = document.querySelector("[data-gallery]");
const search = document.querySelector("[data-search]");

if (gallery) {
  const cards = [...gallery.querySelectorAll("[data-card]")];
  const picks = [...gallery.querySelectorAll("[data-pick]")];
  const all = gallery.querySelector("[data-pick-all]");
  const told = gallery.querySelector("[data-chosen]");

  const tell = () => {
    if (!told) return;
    const count = picks.filter((box) => box.checked).length;
    told.textContent = count ? told.dataset.text.replace("%s", count) : "";
    all.checked = count === picks.length;
    all.indeterminate = count > 0 && count < picks.length;
  };
  all?.addEventListener("change", () => {
    for (const box of picks) box.checked = all.checked;
    tell();
  });
  gallery.addEventListener("change", tell);
  tell(); // a browser that goes back brings old choices along

  // How many stand in a row is what the first row shows.
  const columns = () => {
    const top = (card) => Math.round(card.closest("li").getBoundingClientRect().top);
    const second = cards.findIndex((card) => top(card) !== top(cards[0]));
    return second < 0 ? cards.length : second;
  };
  const steps = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns() };

  gallery.addEventListener("keydown", (event) => {
    const at = cards.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = steps[event.key] && cards[at + steps[event.key]()];
    if (next) {
      next.focus();
      event.preventDefault();
    } else if (event.key === "x") {
      event.target.closest("li").querySelector("[data-pick]")?.click();
    } else if (event.key === "Delete" && picks.some((box) => box.checked)) {
      gallery.querySelector(".action > button, button.button:has(+ dialog)")?.click();
    }
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  (search ?? document.querySelector("[data-card]"))?.focus();
  event.preventDefault();
});

// Runs before the first paint, so that a chosen look never flashes the other one. Not a module: modules wait for the page.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem("unmask-theme");
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  } catch {
    // Storage may be refused; the system's look then stands.
  }
})();

// What every page has: the dark/light switch, the account menu, and the small helps of enhance.js.
import { enhance } from "./enhance.js";

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const systemLook = () => (systemDark.matches ? "dark" : "light");
const look = () => root.dataset.theme ?? systemLook();

function keep(chosen) {
  try {
    if (chosen === systemLook()) localStorage.removeItem("unmask-theme");
    else localStorage.setItem("unmask-theme", chosen);
  } catch {
    // The look then holds for this page only.
  }
}

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  const name = () => {
    const words = look() === "dark" ? button.dataset.toLight : button.dataset.toDark;
    button.querySelector("[data-theme-label]").textContent = words;
    button.title = words;
  };
  button.addEventListener("click", () => {
    const chosen = look() === "dark" ? "light" : "dark";
    root.dataset.theme = chosen;
    keep(chosen);
    name();
  });
  systemDark.addEventListener("change", name);
  name();
}

for (const menu of document.querySelectorAll("details[data-menu]")) {
  const close = (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("pointerdown", close);
  document.addEventListener("focusin", close);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

enhance(document);

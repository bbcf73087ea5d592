// Adds to a piece of page what works only with a script. Called for the whole page, and again for a piece swapped in later.

import { compare } from "./compare.js";
import { loupe } from "./loupe.js";
import { timeline } from "./timeline.js";

export function enhance(root) {
  root.querySelectorAll("time[datetime]").forEach(showLocally);
  root.querySelectorAll("details[data-dialog]").forEach(turnIntoDialog);
  root.querySelectorAll("[data-copy]").forEach(copyOnClick);
  root.querySelectorAll("[data-looks]").forEach(stackLooks);
  root.querySelectorAll(".plate__boxes").forEach(linkBoxes);
  root.querySelectorAll("[data-timeline]").forEach(timeline);
  root.querySelectorAll("[data-compare]").forEach(compare);
  root.querySelectorAll("[data-loupe]").forEach(loupe);
}

function showLocally(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  element.textContent = format.format(moment);
}

// Without a script these are disclosures in the page; with one, their content is shown as a modal dialog.
function turnIntoDialog(details) {
  const summary = details.querySelector("summary");
  const body = details.querySelector("[data-dialog-body]");
  const heading = body.querySelector("h2");
  const dialog = document.createElement("dialog");
  heading.id ||= `dialog-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.append(body);

  const button = document.createElement("button");
  button.type = "button";
  button.className = summary.className;
  button.append(...summary.childNodes);
  button.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  body.querySelectorAll("[data-close]").forEach((close) => {
    close.hidden = false;
    close.addEventListener("click", () => dialog.close());
  });
  const open = details.open;
  details.replaceWith(button, dialog);
  if (open) dialog.showModal();
}

function copyOnClick(button) {
  const source = document.getElementById(button.dataset.copy);
  const before = button.textContent;
  button.hidden = false;
  source.addEventListener("focus", () => source.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      source.select();
      document.execCommand("copy"); // pages served without TLS have no clipboard API
    }
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = before), 2500);
  });
}

// The maps lie on the face (see .js .looks--mapped); the radio buttons choose one of them, the slider how strong it is.
function stackLooks(looks) {
  const maps = [...looks.querySelectorAll("[data-map]")];
  const slider = looks.querySelector("input[type=range]");
  if (!maps.length || !slider) return;
  const apply = () => {
    const chosen = looks.querySelector("input[type=radio]:checked")?.value ?? maps[0].dataset.map;
    for (const map of maps) {
      map.classList.toggle("is-behind", map.dataset.map !== chosen);
      map.style.opacity = String(Number(slider.value) / 100);
    }
    slider.setAttribute("aria-valuetext", `${slider.value} %`);
  };
  looks.addEventListener("input", apply);
  apply(); // a browser that goes back brings the old choice along
}

function linkBoxes(boxes) {
  for (const link of boxes.querySelectorAll("a")) {
    const card = document.querySelector(link.getAttribute("href"));
    if (!card) continue;
    card.addEventListener("pointerenter", () => link.classList.add("is-on"));
    card.addEventListener("pointerleave", () => link.classList.remove("is-on"));
  }
}

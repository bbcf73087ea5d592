// The desk by keyboard, a picture that can be enlarged, and a sign of life while somebody looks.

const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const SIGN_EVERY = 60_000;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio], [type=range], [type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
  const step = { "+": 1, "=": 1, "-": -1 }[event.key];
  const button = step ? document.querySelector(`[data-zoom="${step}"]`) : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button || button.disabled) return;
  event.preventDefault();
  button.click();
});

for (const form of document.querySelectorAll("[data-desk] form[method=post]")) {
  // A second press of a key must not send the verdict of one item to the next.
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true))));
}
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

for (const select of document.querySelectorAll("[data-filters] select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

const sheet = document.querySelector(".desk-item .plate__sheet");
if (sheet) zoom(sheet);

function zoom(sheet) {
  const picture = sheet.querySelector(".plate__picture");
  const shown = document.querySelector("[data-zoom-now]");
  if (!picture) return;
  let at = 0;
  function set(next, x = 0.5, y = 0.5) {
    const before = ZOOMS[at];
    at = Math.max(0, Math.min(ZOOMS.length - 1, next));
    const factor = ZOOMS[at] / before;
    const left = (sheet.scrollLeft + x * sheet.clientWidth) * factor - x * sheet.clientWidth;
    const top = (sheet.scrollTop + y * sheet.clientHeight) * factor - y * sheet.clientHeight;
    sheet.classList.toggle("is-zoomed", at > 0);
    picture.style.setProperty("--zoom", String(ZOOMS[at]));
    shown.textContent = `${Math.round(100 * ZOOMS[at])} %`;
    sheet.scrollTo(left, top);
  }
  sheet.style.setProperty("--fit", `${picture.clientWidth}px`);
  sheet.style.setProperty("--frame", `${sheet.clientHeight}px`);
  addEventListener("resize", () => {
    if (at) return;
    sheet.style.removeProperty("--fit");
    sheet.style.setProperty("--fit", `${picture.clientWidth}px`);
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => set(at + Number(button.dataset.zoom)));
  }
  picture.addEventListener("dblclick", (event) => {
    const box = sheet.getBoundingClientRect();
    set(at ? 0 : 2, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  // Dragging moves an enlarged picture; a click that did not move still follows the link under it.
  let from = null;
  let moved = false;
  sheet.addEventListener("pointerdown", (event) => {
    if (!at || event.pointerType !== "mouse") return;
    from = [event.clientX, event.clientY, sheet.scrollLeft, sheet.scrollTop];
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    moved ||= Math.abs(event.clientX - from[0]) + Math.abs(event.clientY - from[1]) > 4;
    sheet.scrollTo(from[2] - event.clientX + from[0], from[3] - event.clientY + from[1]);
  });
  addEventListener("pointerup", () => (from = null));
  sheet.addEventListener("dragstart", (event) => event.preventDefault());
  sheet.addEventListener("click", (event) => moved && event.preventDefault(), true);
}

const judge = document.querySelector("[data-judge][data-renew]");
if (judge) {
  const body = () => new URLSearchParams({ csrfmiddlewaretoken: judge.querySelector("[name=csrfmiddlewaretoken]").value });
  const timer = setInterval(async () => {
    if (document.hidden) return; // whoever looks elsewhere is not looking at it
    const answer = await fetch(judge.dataset.renew, { method: "POST", body: body(), headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return; // the connection comes back, or the next press of a button says what is wrong
    if ((await answer.json()).held) return;
    clearInterval(timer);
    judge.querySelector("[data-hold-words]").textContent = judge.dataset.textLost;
    judge.querySelectorAll("[data-judge-form] button").forEach((button) => (button.disabled = true));
  }, SIGN_EVERY);
}

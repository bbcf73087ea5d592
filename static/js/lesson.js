// A person being learned: draws the loss as it falls, and asks for an end when its owner has seen enough.

const WIDTH = 320;
const HEIGHT = 140;
const [LEFT, RIGHT, TOP, BOTTOM] = [36, 8, 10, 24];

export function lesson(panel) {
  const box = document.querySelector("[data-lesson]");
  if (!box) return;
  const finish = box.querySelector("[data-finish]");
  const finishing = box.querySelector("[data-finishing]");
  let drawn = 0;
  panel.addEventListener("unmask:job", ({ detail: job }) => {
    finish.hidden = !job.may_finish || job.finishing;
    finishing.hidden = !job.finishing;
    const history = job.facts?.history ?? [];
    if (history.length > 1 && history.at(-1)[0] !== drawn) {
      drawn = history.at(-1)[0];
      draw(box.querySelector("[data-curve]"), history, box.dataset.textSteps);
    }
  });
  finish.addEventListener("submit", async (event) => {
    event.preventDefault();
    finish.hidden = true;
    finishing.hidden = false;
    const answer = await fetch(finish.action, { method: "POST", body: new URLSearchParams(new FormData(finish)), headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) [finish.hidden, finishing.hidden] = [false, true];
  });
}

// The same drawing as generation/templatetags/lessons.py makes for a page that is loaded anew.
function draw(place, history, steps) {
  const last = history.at(-1)[0];
  const values = history.flatMap(([, loss, held]) => [loss, held]);
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.08 * (high - low) || 0.1 * Math.abs(high) || 1;
  [low, high] = [Math.max(0, low - room), high + room];
  const points = (index) =>
    history.map((row) => `${(LEFT + ((WIDTH - LEFT - RIGHT) * row[0]) / Math.max(1, last)).toFixed(1)},${(TOP + ((HEIGHT - TOP - BOTTOM) * (high - row[index])) / (high - low)).toFixed(1)}`).join(" ");
  const curve = place.querySelector("svg");
  if (!curve) {
    refresh(place);
    return;
  }
  const [learned, held] = curve.querySelectorAll("polyline");
  learned.setAttribute("points", points(1));
  held.setAttribute("points", points(2));
  const [top, bottom, , end] = curve.querySelectorAll("text");
  top.textContent = Number(high.toPrecision(2));
  bottom.textContent = Number(low.toPrecision(2));
  end.textContent = steps.replace("%s", last);
}

// The first curve comes from the server, with its words.
async function refresh(place) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const curve = page.querySelector("[data-curve]");
  if (curve?.querySelector("svg")) place.replaceChildren(...curve.childNodes);
}

// The page of a check that is still going on: shows each stage as it comes, then puts the verdict in its place.
import { JobFeed } from "./live.js";
import { enhance } from "./enhance.js";
import { lesson } from "./lesson.js";

const panel = document.querySelector("[data-job]");
const announcer = document.querySelector("[data-announce]");

if (panel) follow(panel);

function follow(panel) {
  const part = (name) => panel.querySelector(`[data-${name}]`);
  const texts = panel.dataset;
  let spoken = texts.stage;

  const feed = new JobFeed({ socket: texts.socket, state: texts.state, seq: Number(texts.seq) });
  feed.addEventListener("job", ({ detail: job }) => {
    const percent = Math.round(100 * job.fraction);
    part("bar").value = job.fraction;
    part("percent").textContent = `${percent} %`;
    const queued = job.state === "queued";
    panel.dataset.is = job.state;
    part("now").textContent = queued ? texts.textQueued : job.stage_label || texts.textStarting;
    part("place").hidden = !queued || !job.queue_place;
    part("place-number").textContent = job.queue_place ?? "";
    part("eta").textContent = job.eta_seconds == null ? "" : texts.textLeft.replace("%s", Math.max(1, Math.round(job.eta_seconds)));
    if (job.device) part("device").textContent = job.device;
    if (job.preview && part("look")) look(part("look"), job.preview);
    panel.dispatchEvent(new CustomEvent("unmask:job", { detail: job }));
    const list = part("stages");
    list.toggleAttribute("data-started", !queued && Boolean(job.stage));
    for (const item of list.children) {
      const now = !queued && item.dataset.code === job.stage;
      item.toggleAttribute("aria-current", now);
      if (now) item.setAttribute("aria-current", "step");
      item.querySelector("[data-count]").textContent = now && job.total > 1 ? `${job.done} / ${job.total}` : "";
    }
    if (job.stage !== spoken) {
      spoken = job.stage;
      announcer.textContent = job.stage_label;
    }
  });
  lesson(panel);
  feed.addEventListener("ended", showResult);
  feed.addEventListener("gone", showResult);
  feed.open();
}

// What there is of the work so far; the next picture is loaded before it takes the place of the last.
function look(box, preview) {
  const img = box.querySelector("img");
  if (img.dataset.src === preview.url) return;
  img.dataset.src = preview.url;
  const next = new Image();
  next.addEventListener("load", () => {
    if (img.dataset.src !== preview.url) return;
    img.src = preview.url;
    img.width = preview.width;
    img.height = preview.height;
    box.hidden = false;
  });
  next.src = preview.url;
}

async function showResult() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  } catch {
    setTimeout(showResult, 3000);
    return;
  }
  if (!answer.ok) {
    location.reload(); // deleted, or signed out elsewhere: the server's own page says which
    return;
  }
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.getElementById("main");
  const hadFocus = main.contains(document.activeElement);
  document.title = next.title;
  main.replaceChildren(...next.getElementById("main").childNodes);
  enhance(main);
  const heading = main.querySelector("h1");
  announcer.textContent = heading.textContent.trim();
  if (hadFocus) heading.focus({ preventScroll: true });
}

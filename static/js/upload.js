// The table: takes pictures by drop, clipboard, picker or camera, sends them one after another, and follows each.
import { JobFeed } from "./live.js";
import { Refused, TryLater, sendPicture } from "./send.js";

const form = document.querySelector("form[data-upload]");
const texts = form.dataset;
const list = document.querySelector("[data-queue]");
const section = document.querySelector("[data-upload-section]");
const errors = document.querySelector("[data-upload-errors]");
const status = document.querySelector("[data-upload-status]");
const rowTemplate = document.querySelector("template[data-row]");
const errorTemplate = document.querySelector("template[data-error]");
const waiting = [];
let sending = false;
let taken = 0;
let wake = () => {};

class Row {
  constructor(file) {
    this.file = file;
    this.element = rowTemplate.content.firstElementChild.cloneNode(true);
    this.part("name").textContent = file.name;
    this.part("name").title = file.name;
    this.thumb = URL.createObjectURL(file);
    const image = this.part("thumb");
    image.addEventListener("load", () => URL.revokeObjectURL(this.thumb), { once: true });
    image.addEventListener("error", () => image.removeAttribute("src"), { once: true });
    image.src = this.thumb;
    this.part("stop").addEventListener("click", () => this.stop());
    list.append(this.element);
    this.say(texts.textWaiting);
  }

  part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  say(words, fraction = null) {
    this.part("words").textContent = words;
    const bar = this.part("bar");
    bar.hidden = fraction === null;
    if (fraction !== null) bar.value = fraction;
  }

  async stop() {
    if (this.job) {
      const body = new URLSearchParams({ csrfmiddlewaretoken: form.csrfmiddlewaretoken.value });
      await fetch(`/jobs/${this.job}/cancel`, { method: "POST", body, headers: { Accept: "application/json" } });
      return; // the feed tells how it ended
    }
    this.dropped = true;
    this.request?.abort();
    this.remove();
    wake();
  }

  remove() {
    this.element.remove();
    section.hidden = !list.children.length;
  }

  follow(check) {
    this.job = check.job.id;
    this.part("name").href = check.url;
    this.say(texts.textQueued, 0);
    let spoken = null;
    this.feed = new JobFeed({ socket: check.socket, state: `/jobs/${this.job}.json` });
    this.feed.addEventListener("job", ({ detail: job }) => {
      const words = [job.state === "queued" ? texts.textQueued : job.stage_label || texts.textQueued];
      if (job.queue_place) words.push(`${texts.textPlace} ${job.queue_place}`);
      if (job.eta_seconds != null) words.push(texts.textLeft.replace("%s", Math.max(1, Math.round(job.eta_seconds))));
      this.say(words.join(" · "), job.fraction);
      if (job.stage && job.stage !== spoken) status.textContent = `${this.file.name}: ${job.stage_label}`;
      spoken = job.stage;
    });
    this.feed.addEventListener("ended", ({ detail: job }) => this.ended(job, check.url));
    this.feed.open();
  }

  ended(job, url) {
    const words = { succeeded: texts.textReady, cancelled: texts.textCancelled }[job.state] ?? job.error?.message ?? texts.textFailed;
    this.say(words);
    status.textContent = `${this.file.name}: ${words}`;
    this.element.dataset.ended = job.state;
    this.part("stop").hidden = true;
    const open = this.part("open");
    open.href = url;
    open.hidden = false;
    wake(); // a place in the queue has become free
    if (job.state === "succeeded") this.showVerdict(url);
  }

  // The verdict as the result page words it, so that several pictures can be compared at a glance.
  async showVerdict(url) {
    const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const tag = page.querySelector("[data-verdict-tag] .verdict-tag");
    if (tag) this.part("words").replaceChildren(document.adoptNode(tag));
  }
}

function refuse(name, message) {
  const note = errorTemplate.content.firstElementChild.cloneNode(true);
  note.querySelector("[data-name]").textContent = name;
  note.querySelector("[data-message]").textContent = message;
  errors.append(note);
  errors.hidden = false;
}

function take(files) {
  errors.querySelectorAll(".note").forEach((note) => note.remove());
  errors.hidden = true;
  const most = Number(texts.maxFiles) || Infinity;
  if (files.length > most) refuse("", texts.textToomany);
  for (const file of [...files].slice(0, most)) {
    const limit = Number(file.type.startsWith("video/") ? texts.maxVideoBytes : texts.maxBytes);
    if (limit && file.size > limit) {
      refuse(file.name, texts.textToolarge);
      continue;
    }
    taken += 1;
    waiting.push(new Row(file));
  }
  section.hidden = !list.children.length;
  if (list.children.length + errors.querySelectorAll(".note").length > 1) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    (errors.hidden ? section : errors).scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
  sendAll();
}

async function sendAll() {
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const row = waiting.shift();
    if (!row.dropped) await send(row);
  }
  sending = false;
}

async function send(row) {
  while (!row.dropped) {
    try {
      const answer = await sendPicture(form, row.file, {
        started: (request) => (row.request = request),
        progress: (share) => row.say(`${texts.textUploading} ${Math.round(100 * share)} %`, share),
      });
      row.request = null;
      if (taken === 1) {
        location.assign(answer.url); // a lone picture: its own page has the stages and, in a moment, the verdict
        return;
      }
      row.follow(answer);
      return;
    } catch (reason) {
      if (row.dropped) return;
      if (reason instanceof TryLater) {
        await countDown(row, reason.seconds);
      } else {
        refuse(row.file.name, reason instanceof Refused && reason.message ? reason.message : texts.textNetwork);
        row.remove();
        return;
      }
    }
  }
}

// Waits as long as the server asked, or until one of this page's own checks has ended and made room.
async function countDown(row, seconds) {
  let woken = false;
  wake = () => (woken = true);
  for (let left = seconds; left > 0 && !woken && !row.dropped; left -= 1) {
    row.say(`${texts.textRetry} ${left} ${texts.textSeconds}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  wake = () => {};
}

for (const input of form.querySelectorAll("[data-pick]")) {
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
}
// The file field of the page without scripts must not hold up the form's other ways in.
form.querySelector("#files").disabled = true;

const drop = form.querySelector("[data-drop]");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  drop.classList.add("is-over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("is-over");
});
addEventListener("drop", (event) => {
  drop.classList.remove("is-over");
  if (!carriesFiles(event)) return;
  event.preventDefault();
  if (event.dataTransfer.files.length) take(event.dataTransfer.files);
});
// A page that comes back from the browser's memory would show an upload that has long gone its way.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// Pictures that are on their way are lost with the page; those that have arrived are not.
addEventListener("beforeunload", (event) => {
  if (sending && taken > 1) event.preventDefault();
});
addEventListener("paste", (event) => {
  const files = event.clipboardData?.files ?? [];
  if (files.length) take(files);
});

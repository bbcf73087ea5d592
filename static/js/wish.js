// The form of an enhancement: shows the picture that was chosen, takes one that is dropped or pasted, says how large the
// result will be, and tells how far the upload is. Without this script the form is sent as any other.

const form = document.querySelector("form[data-wish]");
const texts = form.dataset;
const file = form.querySelector("#id_picture");
const preview = form.querySelector("[data-preview]");
const size = form.querySelector("[data-size]");
const status = form.querySelector("[data-status]");
const errors = form.querySelector("[data-errors]");
const bar = form.querySelector("[data-bar]");
const button = form.querySelector("[data-submit]");
const sized = (words, width, height) => words.replace("%w", width).replace("%h", height);
let picture = texts.width ? { width: Number(texts.width), height: Number(texts.height) } : null;

function refuse(lines) {
  errors.querySelector("ul").replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  errors.hidden = !lines.length;
  if (lines.length) errors.focus();
}

function show() {
  const chosen = file.files[0];
  picture = null;
  preview.hidden = size.hidden = true;
  if (!chosen) return tell();
  const most = chosen.type.startsWith("video/") ? texts.maxVideoBytes : texts.maxBytes;
  refuse(chosen.size > Number(most) ? [texts.textToolarge] : []);
  if (chosen.type.startsWith("video/")) return tell();
  const address = URL.createObjectURL(chosen);
  preview.onload = () => {
    picture = { width: preview.naturalWidth, height: preview.naturalHeight };
    size.textContent = sized(texts.textSize, picture.width, picture.height);
    preview.hidden = size.hidden = false;
    URL.revokeObjectURL(address);
    tell();
  };
  preview.onerror = () => URL.revokeObjectURL(address);
  preview.src = address;
}

// Seconds of work, roughly, for the methods that are chosen. Faces alone are restored whatever the picture's size.
function taken(methods, scale, task) {
  const megapixels = task === "face" && scale === 1 ? 0 : (picture.width * picture.height) / 1e6;
  return methods.reduce((sum, { dataset }) => sum + Number(dataset.once) + Number(dataset.pace) * megapixels, 0);
}

// What the chosen scale makes of it and how long that takes, before anybody waits for an answer.
function tell() {
  const task = form.querySelector("[name=task]:checked")?.value;
  const part = form.querySelector(`[data-of="${task}"]`);
  const scale = Number(part?.querySelector(`[name="scale_${task}"]:checked`)?.value ?? 1);
  let chosen = [...(part?.querySelectorAll("[name=methods]:checked") ?? [])];
  if (!chosen.length) chosen = [...(part?.querySelectorAll("[name=methods]") ?? [])].slice(0, 1);
  status.textContent = "";
  if (!picture) return;
  const minutes = Math.round(taken(chosen, scale, task) / 60);
  const [width, height] = [picture.width * scale, picture.height * scale];
  if ((width * height * chosen.length) / 1e6 > Number(texts.maxPixels)) {
    status.textContent = texts.textToomany.replace("%s", texts.maxPixels);
  } else if (minutes > Number(texts.maxMinutes)) {
    status.textContent = texts.textToolong.replace("%s", minutes);
  } else {
    const large = scale > 1 ? sized(texts.textResult, width, height) : "";
    const takes = minutes ? texts.textTakes.replace("%s", minutes) : "";
    status.textContent = `${large} ${takes}`.trim();
  }
}

if (file) {
  file.addEventListener("change", show);
  const drop = form.querySelector("[data-drop]");
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const take = (files) => {
    if (!files.length) return;
    const one = new DataTransfer();
    one.items.add(files[0]);
    file.files = one.files;
    show();
  };
  addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    drop.classList.add("is-over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("is-over");
  });
  addEventListener("drop", (event) => {
    drop.classList.remove("is-over");
    if (!carries(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
  if (file.files.length) show(); // a browser that goes back brings the file along
}

const range = form.querySelector("[data-strength]");
const number = form.querySelector("#id_strength");
range.addEventListener("input", () => {
  number.value = range.value;
  form.querySelector('[name=own_strength][value="1"]').checked = true;
});
number.addEventListener("input", () => {
  range.value = number.value;
  form.querySelector('[name=own_strength][value="1"]').checked = true;
});
form.addEventListener("change", tell);
tell();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

function send() {
  const request = new XMLHttpRequest();
  request.open("POST", form.action || location.href);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
    if (!lengthComputable) return;
    bar.value = loaded / total;
    status.textContent = `${texts.textUploading} ${Math.round((100 * loaded) / total)} %`;
  });
  request.addEventListener("load", () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // A proxy's own page, not this site's answer.
    }
    if (answer.url) return location.assign(answer.url);
    if (answer.sign_in) return location.assign(answer.sign_in);
    idle();
    refuse(answer.errors?.map((error) => error.message) ?? [answer.error?.message ?? texts.textNetwork]);
  });
  request.addEventListener("error", () => {
    idle();
    refuse([texts.textNetwork]);
  });
  refuse([]);
  button.disabled = true;
  bar.hidden = false;
  bar.value = 0;
  request.send(new FormData(form));
}

function idle() {
  button.disabled = false;
  bar.hidden = true;
  tell();
}
// A page that comes back from the browser's memory would show an upload that has long gone its way.
addEventListener("pageshow", (event) => {
  if (event.persisted) idle();
});

// One picture (or clip) over another with a line between them: dragged, tapped, or moved with the keys of the slider.
// The markup is templates/partials/compare.html; without a script both lie side by side. Also for pieces added later.

export function compare(box) {
  const stage = box.querySelector("[data-stage]");
  const slider = box.querySelector("input[type=range]");
  if (!stage || !slider || box.dataset.ready) return;
  box.dataset.ready = "";

  const show = () => {
    stage.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", box.dataset.text.replace("%s", slider.value));
  };
  const moveTo = (event) => {
    const { left, width } = stage.getBoundingClientRect();
    if (!width) return;
    slider.value = String(Math.min(100, Math.max(0, (100 * (event.clientX - left)) / width)));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };

  slider.addEventListener("input", show);
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button, a")) return;
    stage.setPointerCapture(event.pointerId);
    slider.focus({ preventScroll: true }); // so that the arrow keys go on from here
    moveTo(event);
    event.preventDefault(); // no picture is dragged away, no text marked
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) moveTo(event);
  });
  show(); // a browser that goes back brings the old place along
  together(box, [...stage.querySelectorAll("video")]);
}

// The site serves files whole; a browser can go back and forth only in what it holds itself.
function whole(clip) {
  clip.whole ??= fetch(clip.getAttribute("src"))
    .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(String(answer.status)))))
    .then((blob) => {
      const ready = new Promise((resolve) => clip.addEventListener("loadeddata", resolve, { once: true }));
      clip.src = URL.createObjectURL(blob);
      return ready;
    })
    .catch(() => {});
  return clip.whole;
}

// Two clips run as one: the one behind leads, the other follows it.
function together(box, [leader, follower]) {
  const button = box.querySelector("[data-play]");
  if (!leader || !follower || !button) return;
  for (const clip of [leader, follower]) {
    clip.controls = false;
    clip.muted = true;
  }
  const catchUp = () => {
    if (Math.abs(follower.currentTime - leader.currentTime) > 0.08) follower.currentTime = leader.currentTime;
  };
  const word = () => {
    button.textContent = leader.paused ? button.dataset.play : button.dataset.pause;
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!leader.paused) return [leader, follower].forEach((clip) => clip.pause());
    button.disabled = true;
    await Promise.all([leader, follower].map(whole));
    button.disabled = false;
    Promise.all([leader.play(), follower.play()]).catch(word);
  });
  leader.addEventListener("timeupdate", catchUp);
  leader.addEventListener("play", () => follower.play().catch(() => {}));
  leader.addEventListener("pause", () => follower.pause());
  for (const name of ["play", "pause", "ended"]) leader.addEventListener(name, word);
  word();
}

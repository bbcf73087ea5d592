// A video's strip: a frame is chosen by click, by arrow keys or by playing, and the line on the drawing follows.

export function timeline(section) {
  const links = [...section.querySelectorAll("[data-strip] [data-seek]")];
  const video = section.querySelector("[data-play]");
  const line = section.querySelector("[data-now]");
  const whole = Number(section.dataset.seconds);
  let chosen = null;

  function nearest(seconds) {
    return links.reduce((best, link) => (distance(link, seconds) < distance(best, seconds) ? link : best), links[0]);
  }

  function show(seconds, link, scroll) {
    if (line) {
      const x = String(Math.min(1000, (1000 * seconds) / whole));
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      line.removeAttribute("hidden");
    }
    if (!link || link === chosen) return;
    chosen?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    chosen = link;
    const strip = link.closest("[data-strip]");
    const frame = link.parentElement;
    if (scroll) strip.scrollLeft = frame.offsetLeft - (strip.clientWidth - frame.clientWidth) / 2;
  }

  async function seek(seconds) {
    if (!video) return;
    await loaded(video);
    video.pause();
    video.currentTime = Math.min(seconds, video.duration || seconds);
  }

  for (const link of section.querySelectorAll("[data-seek]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const seconds = Number(link.dataset.seek);
      show(seconds, links.includes(link) ? link : nearest(seconds), !links.includes(link));
      seek(seconds);
    });
  }
  section.querySelector("[data-strip]")?.addEventListener("keydown", (event) => {
    const at = links.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || next === undefined || !links[next]) return;
    event.preventDefault();
    links[next].focus();
    links[next].click();
  });
  video?.addEventListener("timeupdate", () => show(video.currentTime, nearest(video.currentTime), !video.paused));
  // Until it is played the video costs nothing; then it is fetched whole, because only so can it be searched.
  video?.addEventListener("play", () => loaded(video), { once: true });
}

function distance(link, seconds) {
  return Math.abs(Number(link.dataset.seek) - seconds);
}

// The site serves files whole; a browser can jump about only in what it holds itself.
function loaded(video) {
  video.whole ??= fetch(video.getAttribute("src"))
    .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(String(answer.status)))))
    .then((blob) => {
      const playing = !video.paused;
      const ready = new Promise((resolve) => video.addEventListener("loadedmetadata", resolve, { once: true }));
      video.src = URL.createObjectURL(blob);
      video.load();
      if (playing) video.play().catch(() => {});
      return ready;
    })
    .catch(() => {});
  return video.whole;
}

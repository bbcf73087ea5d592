// Several pictures of one scene under one loupe: all show the same place, as large as chosen. Dragged, or moved by keys.
// The place is a share of the picture, so that pictures of different sizes stay together.

const STEP = 0.12; // of what a lens shows, for one arrow key
const ZOOMS = ["fit", "1", "2", "4", "8"];

export function loupe(box) {
  const lenses = [...box.querySelectorAll("[data-lens]")];
  const buttons = [...box.querySelectorAll("[data-zoom]")];
  const told = box.querySelector("[data-told]");
  if (!lenses.length || !buttons.length || box.dataset.ready) return;
  box.dataset.ready = "";
  const width = Number(box.dataset.width);
  const height = Number(box.dataset.height);
  let zoom = "fit";
  let place = { x: 0.5, y: 0.5 };

  // How many CSS pixels one pixel of the result is, in this lens.
  const scaleIn = (lens) => {
    const fit = Math.min(lens.clientWidth / width, lens.clientHeight / height);
    return zoom === "fit" ? fit : Math.max(fit, Number(zoom) / devicePixelRatio);
  };

  function draw() {
    const [first] = lenses;
    const scale = scaleIn(first);
    place = { x: kept(place.x, first.clientWidth, width * scale), y: kept(place.y, first.clientHeight, height * scale) };
    for (const lens of lenses) {
      const image = lens.firstElementChild;
      image.style.width = `${width * scale}px`;
      image.style.height = `${height * scale}px`;
      image.style.translate = `${lens.clientWidth / 2 - place.x * width * scale}px ${lens.clientHeight / 2 - place.y * height * scale}px`;
      image.style.imageRendering = scale * devicePixelRatio >= 3 ? "pixelated" : "auto";
      lens.classList.toggle("is-close", zoom !== "fit");
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
  }

  function choose(wanted) {
    zoom = wanted;
    if (zoom === "fit") place = { x: 0.5, y: 0.5 };
    draw();
    if (told) told.textContent = told.dataset.text.replace("%s", buttons.find((each) => each.dataset.zoom === zoom).textContent);
  }

  function move(lens, x, y) {
    const scale = scaleIn(lens);
    place = { x: place.x + x / (width * scale), y: place.y + y / (height * scale) };
    draw();
  }

  const nextZoom = (by) => ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.indexOf(zoom) + by))];
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.zoom));

  for (const lens of lenses) {
    let last = null;
    lens.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      lens.focus({ preventScroll: true });
      if (zoom === "fit") {
        // A tap on the whole picture goes close to where it was.
        const { left, top } = lens.getBoundingClientRect();
        const scale = scaleIn(lens);
        const x = (event.clientX - left - (lens.clientWidth - width * scale) / 2) / (width * scale);
        const y = (event.clientY - top - (lens.clientHeight - height * scale) / 2) / (height * scale);
        lens.addEventListener(
          "click",
          () => {
            place = { x, y };
            choose(closer(lens));
          },
          { once: true },
        );
        return;
      }
      last = { x: event.clientX, y: event.clientY };
      lens.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    lens.addEventListener("pointermove", (event) => {
      if (!last) return;
      move(lens, last.x - event.clientX, last.y - event.clientY);
      last = { x: event.clientX, y: event.clientY };
    });
    for (const name of ["pointerup", "pointercancel"]) lens.addEventListener(name, () => (last = null));
    lens.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const far = { x: STEP * lens.clientWidth, y: STEP * lens.clientHeight };
      const steps = { ArrowLeft: [-far.x, 0], ArrowRight: [far.x, 0], ArrowUp: [0, -far.y], ArrowDown: [0, far.y] };
      if (steps[event.key] && zoom !== "fit") move(lens, ...steps[event.key]);
      else if (event.key === "+" || event.key === "=") choose(nextZoom(1));
      else if (event.key === "-") choose(nextZoom(-1));
      else if (event.key === "0") choose("fit");
      else return;
      event.preventDefault();
    });
  }

  // The smallest step that is larger than the whole picture.
  function closer(lens) {
    const fit = Math.min(lens.clientWidth / width, lens.clientHeight / height);
    return ZOOMS.slice(1).find((each) => Number(each) / devicePixelRatio > 1.5 * fit) ?? ZOOMS.at(-1);
  }

  new ResizeObserver(draw).observe(lenses[0]);
  draw();
}

// The middle of what is shown, kept so that no lens shows more emptiness than it must.
function kept(middle, lens, picture) {
  if (picture <= lens) return 0.5;
  const half = lens / picture / 2;
  return Math.min(1 - half, Math.max(half, middle));
}

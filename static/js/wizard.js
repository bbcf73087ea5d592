// The first steps of the wizards: a look at the chosen picture before it is sent, and only the fields that are wanted.

for (const picker of document.querySelectorAll("[data-pickfile]")) {
  const input = picker.querySelector("input[type=file]");
  const look = picker.querySelector("[data-look]");
  let shown = "";
  const show = () => {
    if (shown) URL.revokeObjectURL(shown);
    const [file] = input.files;
    shown = file?.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    look.hidden = !shown;
    if (shown) look.src = shown;
  };
  look.addEventListener("error", () => (look.hidden = true));
  input.addEventListener("change", show);
  show(); // a browser that goes back brings the file along
}

const clip = document.querySelector("[data-clip]");
const field = document.querySelector("[data-clip-field]");
if (clip && field) {
  const apply = () => (field.hidden = !clip.checked);
  for (const radio of document.querySelectorAll(`input[name="${clip.name}"]`)) radio.addEventListener("change", apply);
  field.querySelector("input[type=file]").addEventListener("change", () => {
    clip.checked = true;
    apply();
  });
  apply();
}

// Filming oneself for the wizard: some seconds from the camera become the file of a form, as if it had been chosen.

const TYPES = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

for (const box of document.querySelectorAll("[data-camera]")) {
  if (navigator.mediaDevices?.getUserMedia && window.MediaRecorder) camera(box);
}

function camera(box) {
  const part = (name) => box.querySelector(`[data-${name}]`);
  const input = document.getElementById(box.dataset.for);
  const open = part("open");
  let stream = null;
  open.hidden = false;

  const close = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    part("stage").hidden = true;
    open.hidden = false;
  };

  open.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } }, audio: false });
    } catch {
      part("status").textContent = box.dataset.textRefused;
      return;
    }
    part("view").srcObject = stream;
    part("view").play();
    part("status").textContent = "";
    part("stage").hidden = false;
    open.hidden = true;
    part("record").focus();
  });
  part("close").addEventListener("click", close);
  part("record").addEventListener("click", () => record());
  addEventListener("pagehide", close);

  function record() {
    const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
    const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 4_000_000 });
    const parts = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      const plain = type.split(";")[0];
      const file = new File(parts, plain === "video/mp4" ? "camera.mp4" : "camera.webm", { type: plain });
      const carried = new DataTransfer();
      carried.items.add(file);
      input.files = carried.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      part("record").disabled = false;
      part("status").textContent = box.dataset.textDone;
      close();
    });
    part("record").disabled = true;
    recorder.start();
    let left = Number(box.dataset.seconds);
    const tick = () => {
      part("status").textContent = box.dataset.textLeft.replace("%s", left);
      if (left-- > 0 && recorder.state === "recording") setTimeout(tick, 1000);
      else if (recorder.state === "recording") recorder.stop();
    };
    tick();
  }
}

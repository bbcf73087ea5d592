// One picture to the server. XMLHttpRequest, because fetch tells nothing of an upload's progress.

export class Refused extends Error {}

export class TryLater extends Error {
  constructor(seconds) {
    super("busy");
    this.seconds = seconds;
  }
}

export function sendPicture(form, file, { started, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("files", file, file.name);
    if (form.improve?.checked) body.append("improve", form.improve.value);
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", form.csrfmiddlewaretoken.value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // A proxy's own page, not this site's answer.
      }
      const retry = Number(request.getResponseHeader("Retry-After"));
      if (answer.checks?.length) resolve(answer.checks[0]);
      else if ([429, 503].includes(request.status)) reject(new TryLater(Math.min(120, Math.max(1, retry || 5))));
      else reject(new Refused(answer.errors?.[0]?.message ?? answer.error?.message ?? ""));
    });
    request.addEventListener("error", () => reject(new Error("network")));
    request.addEventListener("abort", () => reject(new Error("aborted")));
    started(request);
    progress(0);
    request.send(body);
  });
}

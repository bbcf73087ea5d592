// Follows one job: over a websocket while that holds, by asking every few seconds when it does not.

const ENDED = new Set(["succeeded", "failed", "cancelled", "purged"]);
const FAILED_RECONNECTS = 2;
const POLL_FROM = 1000;
const POLL_TO = 5000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class JobFeed extends EventTarget {
  #socketUrl;
  #stateUrl;
  #seq;
  #failures = 0;
  #closed = false;
  #socket = null;

  constructor({ socket, state, seq = -1 }) {
    super();
    this.#socketUrl = new URL(socket, location.href.replace(/^http/, "ws")).href.replace(/^http/, "ws");
    this.#stateUrl = state;
    this.#seq = seq;
  }

  open() {
    this.#connect();
    return this;
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
  }

  #connect() {
    const socket = new WebSocket(this.#socketUrl);
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      this.#failures = 0;
      this.#take(JSON.parse(event.data));
    });
    socket.addEventListener("close", async () => {
      if (this.#closed) return;
      if (this.#failures >= FAILED_RECONNECTS) {
        await this.#poll();
        return;
      }
      this.#failures += 1;
      await pause(400 * 2 ** this.#failures * (0.75 + Math.random() / 2));
      if (!this.#closed) this.#connect();
    });
  }

  async #poll() {
    let etag = "";
    let wait = POLL_FROM;
    while (!this.#closed) {
      try {
        const headers = { Accept: "application/json", ...(etag && { "If-None-Match": etag }) };
        const answer = await fetch(this.#stateUrl, { headers, cache: "no-store" });
        if (answer.status === 404 || answer.status === 403) {
          this.close();
          this.dispatchEvent(new CustomEvent("gone"));
          return;
        }
        if (answer.ok) {
          etag = answer.headers.get("ETag") ?? "";
          wait = POLL_FROM;
          this.#take(await answer.json());
        } else {
          wait = Math.min(POLL_TO, wait * 1.3);
        }
      } catch {
        wait = Math.min(POLL_TO, wait * 1.5);
      }
      if (!this.#closed) await pause(wait);
    }
  }

  // Messages may overtake each other: a snapshot asked for late can be newer than a progress line sent before it.
  #take(job) {
    if (!("state" in job) || job.seq <= this.#seq) {
      if (!ENDED.has(job.state)) return;
    }
    this.#seq = job.seq;
    if (ENDED.has(job.state)) this.close();
    this.dispatchEvent(new CustomEvent("job", { detail: job }));
    if (ENDED.has(job.state)) this.dispatchEvent(new CustomEvent("ended", { detail: job }));
  }
}

// The bar at the foot of the window while the page runs: what happens, in words, and the buttons for all cells.
import { button, element } from "./dom.js";

const MEGABYTE = 1e6;

export class Bar {
  #ticking = 0;
  quarter = 0; // of what is loaded, as it was said aloud

  constructor({ runAll, stop, restart, close }) {
    this.words = element("span", { className: "run-words" });
    this.seconds = element("span", { className: "run-seconds", "aria-hidden": "true" });
    this.progress = element("progress", { className: "run-progress", max: 1, value: 0, hidden: true });
    this.progress.setAttribute("aria-label", "Loading Python");
    this.live = element("p", { className: "visually-hidden", role: "status" });
    this.offered = element("span", { className: "run-offered" });
    this.allButton = button("Run all", runAll, "run-first");
    this.stopButton = button("Stop", stop, "run-first");
    this.restartButton = button("Restart", restart);
    this.closeButton = button("Back to the book", close);
    const told = element("div", { className: "run-status" }, this.words, this.seconds, this.progress);
    const buttons = element("div", { className: "run-buttons" }, this.offered, this.allButton, this.stopButton, this.restartButton, this.closeButton);
    this.node = element("section", { className: "run-bar d-print-none", "aria-label": "Run this page" }, told, this.live, buttons);
    this.set({ ready: false, busy: false });
  }

  /** Which buttons there are: `ready` when Python is there, `busy` while something runs. */
  set({ ready, busy }) {
    this.#holding(() => {
      this.allButton.hidden = !ready || busy;
      this.stopButton.hidden = !busy;
      this.stopButton.textContent = "Stop";
      this.restartButton.hidden = !ready;
      this.offered.replaceChildren();
    });
  }

  /** The focus does not fall out of the bar with the button that had it. */
  #holding(change) {
    const held = this.node.contains(document.activeElement) && document.activeElement;
    change();
    if (!held || (held.isConnected && !held.hidden)) return;
    [this.stopButton, this.allButton, this.closeButton].find((node) => !node.hidden).focus({ preventScroll: true });
  }

  /** What is seen; `aloud` is what is heard, where it is not the same. */
  say(words, aloud = words) {
    clearInterval(this.#ticking);
    this.words.textContent = words;
    this.seconds.textContent = "";
    if (aloud) this.live.textContent = aloud;
  }

  /** Words with the seconds that have passed. Nobody has to hear them. */
  count(words) {
    this.loaded();
    this.say(words, "");
    const start = Date.now();
    this.#ticking = setInterval(() => { this.seconds.textContent = ` … ${Math.round((Date.now() - start) / 1000)} s`; }, 1000);
  }

  load({ loaded, total, what }) {
    this.progress.hidden = false;
    if (loaded < total) {
      this.progress.value = loaded / total;
      const part = `${(loaded / MEGABYTE).toFixed(0)} of ${(total / MEGABYTE).toFixed(0)} MB`;
      const quarter = Math.floor((4 * loaded) / total);
      this.say(`${what} … ${part}`, quarter > this.quarter ? `${what}: ${part}` : "");
      this.quarter = quarter;
    } else {
      this.progress.removeAttribute("value"); // it takes as long as it takes
      this.say("All is loaded, and Python starts …");
    }
  }

  loaded() {
    this.progress.hidden = true;
    this.quarter = 0;
  }

  /** One more button, for what makes sense just now: until something else happens. */
  offer(words, action) {
    this.offered.replaceChildren(button(words, action, "run-first"));
  }

  close() {
    clearInterval(this.#ticking);
    this.node.remove();
  }
}

// A page that runs: its cells, its bar, and Python. start.js opens it when the reader agrees.
import { Bar } from "./bar.js";
import { Cell, HELP } from "./cell.js";
import { element } from "./dom.js";
import { Kept } from "./kept.js";
import { Ended, Kernel } from "./kernel.js";
import { keepOffline } from "./offline.js";

const KEYS = "Shift and Enter runs this cell and goes to the next one, Control and Enter runs it. The Tab key indents once you have "
  + "typed; press Escape, and it leaves the editor.";

/** Run the page. `closed` is called when it is the book again. */
export function open(options) {
  const room = new Room(options);
  room.begin();
  return room;
}

class Room {
  #kernel = new Kernel();
  #cells = [];
  #queue = [];
  #current = null; // the cell that runs
  #last = 0; // the index of the cell that ran last
  #ready = false;
  #stopping = false;
  #open = true;
  #unwrap = () => {};

  constructor({ root, page, prefix, version, manifest, closed }) {
    Object.assign(this, { root, page, version, manifest, closed });
    this.kept = new Kept(prefix);
    this.bar = new Bar({
      runAll: () => this.runAll(),
      stop: () => this.stop(),
      restart: () => this.restart(),
      close: () => this.close(),
    });
    this.help = element("p", { id: HELP, hidden: true, textContent: KEYS });
  }

  #address(path) {
    return new URL(path, this.root).href;
  }

  // --- start and restart ---

  async begin() {
    document.querySelector(".bd-article-container").append(this.bar.node, this.help);
    document.documentElement.classList.add("run-open");
    this.bar.say("Python is being loaded …");
    this.bar.closeButton.focus({ preventScroll: true });
    try {
      const answer = await fetch(this.#address(`_static/run/pages/${this.page}.json?v=${this.version}`));
      if (!answer.ok) throw new Error(`what is known of this page's cells could not be loaded (status ${answer.status})`);
      const data = await answer.json();
      await keepOffline(this.root, this.manifest);
      const versions = await this.#start();
      if (!this.#open) return;
      this.#addCells(data);
      this.bar.say(`Ready. ${this.#said(versions)}.`);
    } catch (error) {
      this.#failed(error);
    }
  }

  #start() {
    return this.#kernel
      .start({
        script: this.#address(`_static/run/worker.js?v=${this.version}`),
        runtime: this.#address("_static/runtime/"),
        page: this.page.split("/").at(-1),
        progress: (what) => this.bar.load(what),
      })
      .then((versions) => {
        this.bar.loaded();
        this.#ready = true;
        this.bar.set({ ready: true, busy: false });
        return versions;
      });
  }

  #said(versions) {
    const names = { python: "Python", gmmlib: "gmmlib", numpy: "NumPy" };
    return Object.keys(names).filter((key) => versions?.[key]).map((key) => `${names[key]} ${versions[key]}`).join(", ") || "Python";
  }

  #failed(error) {
    if (!this.#open) return;
    this.#ready = false;
    this.bar.loaded();
    this.bar.set({ ready: false, busy: false });
    // what the worker says of its own start is whole sentences
    this.bar.say(error instanceof Ended ? error.message : `The page could not be made to run: ${error.message}.`);
    this.bar.offer("Try again", () => {
      this.bar.set({ ready: false, busy: false });
      if (this.#cells.length) this.restart();
      else this.begin();
    });
  }

  #addCells(data) {
    const nodes = this.#nodes(data);
    if (nodes.length !== data.cells.length) {
      throw new Error(`this page has ${nodes.length} cells, and ${data.cells.length} are known: load it anew`);
    }
    const act = {
      run: (cell) => this.run([cell]),
      runAbove: (cell) => this.run(this.#cells.slice(0, cell.index)),
      next: (cell) => this.#cells.slice(cell.index + 1).find((other) => other.node.checkVisibility())?.focus(),
    };
    const editors = () => import("./editor.js");
    const shared = { root: this.root, kept: this.kept, act, editors };
    this.#cells = nodes.map((node, index) => new Cell(node, data.cells[index], index, shared));
    const neighbours = (event) => {
      const at = this.#cells.findIndex((cell) => cell.node.contains(event.target));
      if (at >= 0) for (const k of [at - 1, at, at + 1]) this.#cells[k]?.edit(); // the next stop of the Tab key
    };
    document.addEventListener("focusin", neighbours);
    this.unwatch = () => document.removeEventListener("focusin", neighbours);
  }

  /** The cells of a notebook; on other pages each example is made one, with what it prints. */
  #nodes({ kind }) {
    if (kind === "notebook") return [...document.querySelectorAll("article div.cell")];
    const undo = [];
    const nodes = [...document.querySelectorAll("article div.highlight-python")].map((code) => {
      const next = code.nextElementSibling;
      const shown = next?.classList.contains("highlight-text") ? next : null;
      const cell = element("div", { className: "cell docutils container" });
      for (const [part, name] of [[code, "cell_input"], [shown, "cell_output"]].filter(([part]) => part)) {
        const place = document.createComment(name);
        part.replaceWith(place);
        if (part === code) place.after(cell);
        cell.append(element("div", { className: `${name} docutils container` }, part));
        undo.push(() => place.replaceWith(part));
      }
      undo.push(() => cell.remove());
      return cell;
    });
    this.#unwrap = () => undo.forEach((act) => act());
    return nodes;
  }

  async restart(words = "Python starts again; its variables are gone.") {
    this.#halt();
    this.#kernel.end();
    this.#current = null;
    this.#ready = false;
    this.bar.set({ ready: false, busy: false });
    this.bar.say(words);
    for (const cell of this.#cells) cell.setState("idle");
    this.#kernel = new Kernel();
    try {
      await this.#start();
      if (this.#open) this.bar.say("Ready. Python is new, and knows no variables yet.");
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  // --- running ---

  runAll() {
    this.run(this.#cells);
  }

  run(cells) {
    if (!this.#ready) return;
    for (const cell of cells) {
      if (cell === this.#current || this.#queue.includes(cell)) continue;
      this.#queue.push(cell);
      cell.setState("waiting");
    }
    if (!this.#current) this.#work();
  }

  async #work() {
    const kernel = this.#kernel;
    const began = Date.now();
    let ran = 0;
    this.bar.set({ ready: true, busy: true });
    while (this.#queue.length) {
      const cell = this.#queue.shift();
      this.#current = cell;
      this.bar.count(`Running cell ${cell.index + 1} of ${this.#cells.length}`);
      const shown = cell.begin();
      let result;
      try {
        result = await kernel.run(cell.code, cell.data.tags, shown);
      } catch (error) {
        shown.ended();
        if (!(error instanceof Ended)) throw error;
        if (kernel === this.#kernel && this.#open) this.#died(error, cell);
        return;
      }
      shown.done(result);
      this.#last = cell.index;
      ran += 1;
      this.#current = null;
      if (!result.ok) return this.#rest(this.#stopping ? `Stopped at cell ${cell.index + 1}.` : this.#said_of(cell), cell);
    }
    const seconds = Math.round((Date.now() - began) / 1000);
    this.#rest(ran === 1 ? `Cell ${this.#last + 1} has run.` : `Ready. ${ran} cells ran in ${seconds} s.`);
  }

  #said_of(cell) {
    const left = this.#queue.length;
    return `Cell ${cell.index + 1} failed${left ? `, and the ${left} behind it did not run` : ""}.`;
  }

  #rest(words, cell = null) {
    this.#halt();
    this.bar.loaded();
    this.bar.set({ ready: true, busy: false });
    this.bar.say(words);
    if (cell) this.bar.offer(`Show cell ${cell.index + 1}`, () => this.#show(cell));
  }

  #show(cell) {
    for (let up = cell.node; up; up = up.parentElement) {
      if (up.classList.contains("toggle-hidden")) up.querySelector(".toggle-button")?.click(); // a folded solution
      if (up.localName === "details") up.open = true;
    }
    cell.node.scrollIntoView({ block: "center" });
    cell.runButton.focus({ preventScroll: true });
  }

  /** Nothing more of the queue is run. */
  #halt() {
    for (const cell of this.#queue) cell.setState("idle");
    this.#queue = [];
    this.#stopping = false;
  }

  #died(error, cell) {
    this.#current = null;
    this.#halt();
    this.#ready = false;
    this.bar.set({ ready: false, busy: false });
    this.bar.say(`Python ended at cell ${cell.index + 1}: ${error.message}`);
    this.bar.offer("Restart", () => this.restart());
  }

  /** Asked once, Python is interrupted and keeps its variables, where the browser can. Otherwise it is ended and starts anew. */
  async stop() {
    const cell = this.#current;
    if (!cell) return;
    if (this.#kernel.canInterrupt && !this.#stopping) {
      this.#halt();
      this.#stopping = true;
      this.#kernel.interrupt();
      this.bar.say(`Stopping cell ${cell.index + 1} …`);
      this.bar.stopButton.textContent = "End Python";
      return;
    }
    const where = `Stopped at cell ${cell.index + 1}. The variables are gone`;
    if (!(await this.restart(`${where}; Python starts again.`)) || !this.#open) return;
    this.bar.say(`${where}.`);
    if (cell.index > 0) this.bar.offer(`Run all above cell ${cell.index + 1}`, () => this.run(this.#cells.slice(0, cell.index)));
  }

  // --- the book again ---

  close() {
    this.#open = false;
    this.#queue = [];
    this.#kernel.end();
    this.unwatch?.();
    for (const cell of this.#cells) cell.close();
    this.#unwrap();
    this.bar.close();
    this.help.remove();
    document.documentElement.classList.remove("run-open");
    this.closed();
  }
}

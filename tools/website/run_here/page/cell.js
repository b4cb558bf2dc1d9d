// A cell of the page while it runs: its editor, its buttons, its state, its outputs.
import { button, element } from "./dom.js";
import { Outputs, pictures, texts } from "./outputs.js";

export const HELP = "run-editor-help";

const STATES = { // a sign beside the word: no state is told by colour alone
  idle: ["○", "not run yet"],
  waiting: ["…", "waiting"],
  running: ["▸", "running"],
  done: ["●", "done"],
  failed: ["✗", "failed"],
};
const NEAR = "800px 0px"; // so far off the screen an editor is made

export class Cell {
  #editor = null;
  #make = null; // the promise of an editor
  #stored = {};
  #watch = null;
  #outputs = null;
  #place = document.createComment("outputs"); // they stand before it

  /** `node` is the page's div.cell, `data` what pages.py wrote of it, `act` what the room does for it. */
  constructor(node, data, index, { root, kept, act, editors }) {
    Object.assign(this, { node, data, index, root, kept, act, editors });
    this.name = `cell ${index + 1}`;
    this.input = node.querySelector(".cell_input");
    this.pre = this.input.querySelector("pre");
    this.#stored = { output: this.#output(), pre: [...this.pre.childNodes] };
    if (this.#stored.output) this.#stored.output.after(this.#place);
    else node.append(this.#place);
    this.code = data.code;
    this.#addTools();
    this.#takeKept();
    this.#watch = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting)) this.edit();
    }, { rootMargin: NEAR });
    this.#watch.observe(this.input);
    this.pre.addEventListener("click", this.#clicked);
    this.input.addEventListener("focusin", this.#focused);
  }

  #output() {
    return this.node.querySelector(":scope > .cell_output");
  }

  get changed() {
    return this.code !== this.data.code;
  }

  // --- buttons and state ---

  #addTools() {
    this.state = element("span", { className: "run-state" });
    this.same = element("span", { className: "run-same" });
    this.mark = element("span", { className: "run-changed", textContent: "changed", hidden: true });
    this.runButton = button("Run", () => this.act.run(this));
    this.aboveButton = button("Run all above", () => this.act.runAbove(this), "run-quiet");
    this.restoreButton = button("Restore", () => this.restore(), "run-quiet");
    this.restoreButton.hidden = true;
    for (const [node, words] of [[this.runButton, "Run"], [this.aboveButton, "Run all above"], [this.restoreButton, "Restore"]]) {
      node.setAttribute("aria-label", `${words} ${this.name}`);
    }
    this.aboveButton.hidden = this.index === 0;
    const told = element("span", { className: "run-told" }, this.mark, this.state, this.same);
    this.tools = element("div", { className: "run-tools d-print-none" }, this.runButton, this.aboveButton, this.restoreButton, told);
    const top = this.input.closest("details") ?? this.input;
    top.after(this.tools);
    this.setState("idle");
  }

  /** The state, with the number of the run behind it. */
  setState(name, count = null) {
    const [sign, words] = STATES[name];
    this.node.dataset.run = name;
    const number = count === null ? "" : ` [${count}]`;
    this.state.replaceChildren(element("span", { textContent: sign, "aria-hidden": "true" }), ` ${words}${number}`);
    this.same.textContent = "";
  }

  #showChanged() {
    this.mark.hidden = !this.changed;
    this.mark.title = this.kept.works ? "" : "This browser keeps no changes here: yours hold until the page is left.";
    this.mark.textContent = this.kept.works ? "changed" : "changed, not kept";
    this.restoreButton.hidden = !this.changed && !this.#outputs;
  }

  // --- code ---

  #takeKept() {
    const kept = this.kept.get(this.data.id);
    if (!kept || kept.code === this.data.code) return;
    if (kept.book === this.data.hash) return this.#setCode(kept.code);
    const mine = button("Use my change", () => this.#choose(note, kept.code));
    const book = button("Use the book's", () => this.#choose(note, this.data.code));
    const words = "You changed this cell, and since then the book has changed it too.";
    const note = element("div", { className: "run-note d-print-none" }, element("p", { textContent: words }), mine, book);
    this.tools.before(note);
    this.note = note;
  }

  #choose(note, code) {
    note.remove();
    this.note = null;
    this.kept.drop(this.data.id);
    this.#setCode(code);
    this.runButton.focus();
  }

  /** From outside of the editor. */
  #setCode(code) {
    if (this.#editor) this.#editor.setCode(code); // which tells #edited
    else this.#edited(code);
  }

  #edited(code) {
    this.code = code;
    if (this.changed) this.kept.set(this.data.id, code, this.data.hash);
    else this.kept.drop(this.data.id);
    this.#showCode();
    this.#showChanged();
  }

  /** What is copied, printed, and seen before there is an editor. */
  #showCode() {
    if (this.changed) this.pre.textContent = this.code;
    else this.pre.replaceChildren(...this.#stored.pre);
  }

  #clicked = async () => {
    await this.edit();
    this.#editor?.focus();
  };

  // where only the first line is shown, the whole is unfolded for whoever writes in it
  #focused = (event) => {
    if (!event.target.closest(".cm-editor") || this.node.classList.contains("code-open")) return;
    if (document.documentElement.dataset.code !== "shown") this.input.querySelector(".code-more")?.click();
  };

  /** Make the editor, if there is none yet. */
  edit() {
    this.#make ??= this.editors().then(({ createEditor }) => {
      if (!this.tools.isConnected) return; // the page is the book again
      this.#watch.disconnect();
      this.#editor = createEditor({
        parent: this.pre.parentElement,
        code: this.code,
        label: `Code of ${this.name}`,
        describedBy: HELP,
        changed: (code) => this.#edited(code),
        run: () => this.act.run(this),
        runAndMove: () => {
          this.act.run(this);
          this.act.next(this);
        },
      });
      this.pre.classList.add("run-replaced");
    }).catch(() => { this.#make = null; }); // without the editor, the cell still runs
    return this.#make;
  }

  /** Go to the code, or where that is folded away, to the button. */
  async focus() {
    if (!this.input.checkVisibility()) return this.runButton.focus();
    await this.edit();
    this.#editor?.focus();
  }

  // --- running ---

  /** What comes from now on is shown in place of what is there, from the first output on. */
  begin() {
    this.setState("running");
    const outputs = new Outputs({ root: this.root, like: [], changed: this.changed, index: this.index });
    return {
      output: (output) => {
        this.#take(outputs);
        outputs.add(output);
      },
      clear: (wait) => outputs.clear(wait),
      done: ({ ok, count }) => {
        this.#take(outputs);
        outputs.end();
        if (!outputs.node.childElementCount) outputs.node.remove();
        this.setState(ok ? "done" : "failed", count);
        this.#compare(outputs.all);
        this.#showChanged();
      },
      ended: () => {
        this.setState("idle");
        this.#showChanged();
      },
    };
  }

  #take(outputs) {
    if (this.#outputs === outputs) return;
    this.#outputs?.giveBack();
    this.#outputs = outputs;
    outputs.like = pictures(this.#stored.output);
    this.#output()?.remove();
    this.#place.before(outputs.node);
  }

  #compare(outputs) {
    const stored = this.data.outputs;
    if (!stored) return;
    const found = texts(outputs);
    if (!found.length && !stored.length) return;
    const same = JSON.stringify(found) === JSON.stringify(stored);
    this.same.textContent = same ? "as in the book" : "differs from the book";
  }

  // --- back ---

  /** The book's code and outputs again; the change is forgotten. */
  restore() {
    this.#setCode(this.data.code);
    this.#putOutputBack();
    if (this.node.dataset.run !== "running" && this.node.dataset.run !== "waiting") this.setState("idle");
    this.#showChanged();
    this.runButton.focus();
  }

  #putOutputBack() {
    this.#outputs?.giveBack();
    this.#outputs = null;
    const shown = this.#output();
    if (shown === this.#stored.output) return;
    shown?.remove();
    if (this.#stored.output) this.#place.before(this.#stored.output);
  }

  /** The page as it was stored. Changes stay kept. */
  close() {
    this.#watch.disconnect();
    this.#editor?.destroy();
    this.pre.classList.remove("run-replaced");
    if (!this.pre.className) this.pre.removeAttribute("class");
    this.pre.removeEventListener("click", this.#clicked);
    this.input.removeEventListener("focusin", this.#focused);
    this.pre.replaceChildren(...this.#stored.pre);
    this.#putOutputBack();
    this.#place.remove();
    this.tools.remove();
    this.note?.remove();
    delete this.node.dataset.run;
  }
}

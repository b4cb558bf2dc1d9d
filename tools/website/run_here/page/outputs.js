// What a cell prints and draws, as the page shows its stored outputs.
import { element } from "./dom.js";

const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g; // eslint-disable-line no-control-regex
const CHECK = /^✓ (?<label>[a-z][\w-]*) · [^\n]*$/gm;
// In this order, as for the stored outputs.
const SHOWN = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/plain"];

const joined = (text) => (Array.isArray(text) ? text.join("") : String(text));

/** As a terminal would leave it: no colours, and a line that was written over is its last version. */
export function printed(text) {
  return joined(text)
    .replace(ANSI, "")
    .replace(/\r\n/g, "\n")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r", line.length - 2) + 1).replace(/\r$/, ""))
    .join("\n");
}

const bestOf = (data) => SHOWN.find((type) => data[type] !== undefined);

/** The text of outputs, [kind, text] each, to be compared with the stored ones (pages.py makes the same of those). */
export function texts(outputs) {
  const found = [];
  for (const output of outputs) {
    if (output.output_type === "stream") {
      const last = found.at(-1);
      if (last?.[0] === output.name) last[1] += joined(output.text);
      else found.push([output.name, joined(output.text)]);
    } else if (output.output_type === "error") {
      found.push(["error", `${output.ename}: ${output.evalue}`]);
    } else {
      const type = bestOf(output.data);
      if (type?.startsWith("text/")) found.push([type, joined(output.data[type])]);
    }
  }
  return found.map(([kind, text]) => [kind, printed(text).trimEnd()]);
}

/** What scrolls is reached by the Tab key (of what the page had at first, book.js sees to that). */
function reachable(box) {
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
}

// --- text ---------------------------------------------------------------------------------------

const block = (kind, ...inside) =>
  element(
    "div",
    { className: `output ${kind} highlight-myst-ansi notranslate` },
    element("div", { className: "highlight" }, element("pre", {}, ...inside)),
  );

/** The text with what a check printed as a line of the ledger, which leads to its equation. */
function withChecks(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(CHECK)) {
    const { label } = match.groups;
    const equation = document.getElementById(`equation-${label}`);
    const [before, after] = [match[0].slice(0, 2), match[0].slice(2 + label.length)];
    const number = equation?.querySelector(".eqno")?.firstChild?.textContent ?? "";
    const link = equation ? element("a", { href: `#${equation.id}`, textContent: label }) : label;
    const line = element("span", { className: "ledger-line" }, before, link, number && ` ${number.trim()}`, after);
    parts.push(text.slice(at, match.index), line);
    at = match.index + match[0].length;
  }
  return [...parts, text.slice(at)];
}

const stream = (name, text) => block(name === "stderr" ? "stderr" : "stream", ...withChecks(printed(text)));

function failure({ ename, evalue, traceback }) {
  const message = element("p", { className: "run-error" }, element("strong", { textContent: ename }), evalue && `: ${printed(evalue)}`);
  const lines = printed((traceback ?? []).join("\n")).trim();
  const node = block("error", lines);
  const whole = element("details", { open: true }, element("summary", { textContent: "Where it happened" }), node);
  return element("div", { className: "output run-failure" }, message, ...(lines ? [whole] : []));
}

// --- what is displayed --------------------------------------------------------------------------

let mathjax = null; // the page's formulas were set when the site was built: it is loaded for the first new one
function loadMathJax(root) {
  mathjax ??= new Promise((resolve, reject) => {
    window.MathJax = {
      startup: { typeset: false, ready: () => { MathJax.startup.defaultReady(); MathJax.startup.promise.then(resolve, reject); } },
      options: { enableMenu: false, enableAssistiveMml: true },
      chtml: { matchFontHeight: false, mtextInheritFont: true },
    };
    const script = element("script", { src: new URL("_static/mathjax/tex-mml-chtml.js", root).href });
    script.onerror = () => reject(new Error("MathJax could not be loaded"));
    document.head.append(script);
  });
  return mathjax;
}

function formula(latex, root) {
  const inside = joined(latex).trim().replace(/^\$\$?|\$\$?$/g, "").replace(/^\\displaystyle\s*/, "");
  const node = element("div", { className: "output text_latex math notranslate nohighlight" }, inside);
  loadMathJax(root)
    .then(() => MathJax.tex2chtmlPromise(inside, { display: true }))
    .then((set) => {
      node.replaceChildren(set);
      reachable(set);
      MathJax.startup.document.clear();
      MathJax.startup.document.updateDocument();
    })
    .catch(() => node.classList.add("run-unset")); // its LaTeX stays to be read
  return node;
}

/** In a frame that runs no script and loads nothing. */
function page(html) {
  const { color, backgroundColor } = getComputedStyle(document.body);
  const dark = document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  const head =
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; img-src data:">' +
    `<style>:root { color-scheme: ${dark}; } body { color: ${color}; background: ${backgroundColor}; font: 0.9rem/1.5 sans-serif; margin: 0.5rem 0.9rem; }</style>`;
  const frame = element("iframe", { className: "run-frame", title: "Output of the cell", srcdoc: `<!doctype html><html lang="en"><head>${head}</head><body>${joined(html)}</body></html>` });
  frame.setAttribute("sandbox", "allow-same-origin"); // to be measured; there are no scripts
  frame.addEventListener("load", () => { frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 2}px`; });
  return element("div", { className: "output text_html" }, frame);
}

/** Width and height in a PNG file. */
function pngSize(base64) {
  const bytes = Uint8Array.from(atob(base64.slice(0, 32)), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function picture(type, content, metadata, { like, changed, index }) {
  const base64 = type === "image/svg+xml" ? btoa(unescape(encodeURIComponent(joined(content)))) : joined(content).replace(/\s/g, "");
  const stored = like?.querySelector("img") ?? (like?.localName === "img" ? like : null);
  const alt = stored?.alt ? (changed ? `Drawn by changed code. In the book: ${stored.alt}` : stored.alt) : `Picture drawn by cell ${index + 1}`;
  const image = element("img", { alt, src: `data:${type};base64,${base64}` });
  const size = type === "image/png" ? { ...pngSize(base64), ...metadata?.[type] } : {};
  if (size.width) Object.assign(image, { width: size.width, height: size.height });
  if (like?.localName !== "figure") return image;
  const figure = element("figure", { className: like.className, id: like.id }, image);
  const caption = like.querySelector("figcaption");
  if (caption) figure.append(caption.cloneNode(true));
  return figure;
}

/** The pictures among stored outputs, in their order: figures with a caption, and bare ones. */
export function pictures(stored) {
  if (!stored) return [];
  const images = [...stored.querySelectorAll("img")].filter((image) => !image.closest(".touch-figure, .filmstrip-player"));
  return images.map((image) => image.closest("figure") ?? image);
}

/**
 * The outputs of one run of a cell, in `node`. `like` are the stored pictures, whose words and captions stay; `changed`
 * says whether the cell's code is the reader's.
 */
export class Outputs {
  #pictures = 0;
  #stream = null; // {name, text, node}: what follows of the same stream is added to it
  #clear = false; // with the next output
  #lent = []; // what gives the stored output its figures back
  all = [];

  constructor({ root, like, changed, index }) {
    Object.assign(this, { root, like, changed, index });
    this.node = element("div", { className: "cell_output docutils container run-output" });
  }

  add(output) {
    if (this.#clear) this.clear(false);
    this.all.push(output);
    if (output.output_type === "stream") return this.#print(output);
    this.#stream = null;
    this.node.append(output.output_type === "error" ? failure(output) : this.#display(output));
  }

  #print({ name, text }) {
    if (this.#stream?.name !== name) {
      this.#stream = { name, text: "", node: element("div") };
      this.node.append(this.#stream.node);
    }
    this.#stream.text += joined(text);
    const node = stream(name, this.#stream.text);
    this.#stream.node.replaceWith(node);
    this.#stream.node = node;
  }

  #display({ data, metadata }) {
    const type = bestOf(data);
    if (!type) return stream("stdout", `(an output of type ${Object.keys(data).join(", ")}, which is not shown here)`);
    if (type === "text/html") return page(data[type]);
    if (type === "text/latex") return formula(data[type], this.root);
    if (type === "text/plain") return block("text_plain", printed(data[type]));
    const like = this.like[this.#pictures++];
    const options = { changed: this.changed, index: this.index };
    if (!like?.querySelector(".touch-figure")) return picture(type, data[type], metadata, { like, ...options });
    // a figure that can be touched stays, and what the code draws stands below it
    const place = document.createComment("figure");
    like.replaceWith(place);
    this.#lent.push(() => place.replaceWith(like));
    const drawn = picture(type, data[type], metadata, options);
    return element("div", {}, like, element("p", { className: "run-drawn", textContent: "What the code drew:" }), drawn);
  }

  /** The stored output has all its figures again. */
  giveBack() {
    this.#lent.forEach((give) => give());
    this.#lent = [];
  }

  /** The cell has run. */
  end() {
    this.node.querySelectorAll("pre").forEach(reachable);
  }

  clear(wait) {
    if (wait) {
      this.#clear = true;
      return;
    }
    this.#clear = false;
    this.#stream = null;
    this.#pictures = 0;
    this.giveBack();
    this.all = [];
    this.node.replaceChildren();
  }
}

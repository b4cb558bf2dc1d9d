// The kit of the figures that can be touched. A figure is an ordinary picture with the classes
// `touch touch-NAME`; its script says what to put in the picture's place:
//
//   touch.figure("NAME", (f) => {
//     const plot = f.plot({ label: "…", x: [0, 6], y: [0, 1], xLabel: "x" });
//     plot.draw = () => { plot.axes(); plot.curve("c1", points); };
//     f.button(f.row(), "E-step", () => { …; f.say("What changed."); f.update(); });
//     f.address(() => ({ k }), (given) => { k = … });    // what a link remembers
//   });
//
// `f` has the controls, the plots and the polite words; `f.update()` draws everything anew and
// notes the state in the address. Looks, colours and dashes are in touch.css: the class c1 to c6
// on any element makes it component 1 to 6. Without script, and on paper, the picture stays. The
// reader's own points are in own-data.js.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const WRITE_MS = 300; // browsers limit how often an address may change
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  // a number from an address, held within its range; the usual one where there is none
  const within = (text, [low, high], usual) => {
    const value = text ? Number(text) : NaN;
    return Number.isFinite(value) ? clamp(value, low, high) : usual;
  };
  const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // --- elements ---

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) {
        node.setAttribute(name, String(value));
      }
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const el = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);
  // one letter of the mathematics: touch.letter("ℓ"), touch.letter("μ", 1)
  const letter = (name, index) =>
    el("span", { class: "touch-letter" }, el("i", {}, name), index === undefined ? null : el("sub", {}, String(index)));

  // "−1.50": a fixed number of decimals, and a minus that is one
  function fixed(value, decimals = 2) {
    const text = value.toFixed(decimals);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  }
  // the same to a number of significant digits, without an exponent where it can be
  function digits(value, count = 4) {
    if (value === 0) return "0";
    const size = Math.floor(Math.log10(Math.abs(value)));
    if (size < -6 || size > 9) return value.toExponential(count - 1).replace(/-/g, "−");
    return fixed(value, clamp(count - 1 - size, 0, 12));
  }
  // 10⁻³ as an exponent is written
  const raised = (power) => String(power).replace(/[-−\d]/g, (c) => (c > "9" || c < "0" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  // Round numbers from low to high, about `wanted` of them. What all have in common stands once, in
  // `note`: " + 1000000" where they hardly differ, " · 10⁻⁹" where they are very large or small.
  function ticks(low, high, wanted = 6) {
    const raw = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5].find((m) => m * power >= raw * 0.8) || 10);
    const size = (from) => Math.max(Math.abs(low - from), Math.abs(high - from));
    let offset = 0;
    if (size(0) > 5000 * (high - low)) { // the roundest number there is
      let base = 10 ** Math.ceil(Math.log10(size(0)));
      while (Math.ceil(low / base) * base > high) base /= 10;
      offset = Number((Math.ceil(low / base) * base).toPrecision(15));
    }
    const order = Math.floor(Math.log10(size(offset)));
    const unit = order > 4 || order < -3 ? order : 0;
    const decimals = Math.max(0, unit - Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    found.note = (unit ? ` · 10${raised(unit)}` : "") + (offset ? ` ${offset < 0 ? "−" : "+"} ${Math.abs(offset)}` : "");
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
      found.push({ value: k * step, text: fixed((k * step - offset) / 10 ** unit, decimals) });
    }
    return found;
  }

  // The components' colours as this theme has them, and their mixture by responsibility.
  function palette(node) {
    const style = getComputedStyle(node);
    return [1, 2, 3, 4, 5, 6].map((j) => {
      const hex = style.getPropertyValue(`--touch-${j}`).trim();
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
  }
  function blended(shares, colours) {
    const mix = [0, 1, 2].map((c) =>
      Math.round(shares.reduce((total, share, j) => total + share * colours[j % 6][c], 0)));
    return `rgb(${mix.join(" ")})`;
  }

  // --- a plot: axes in real pixels, drawn anew when its place changes ---

  class Plot {
    constructor(figure, options) {
      this.figure = figure;
      this.options = { ratio: 0.6, least: 240, left: 46, right: 10, top: 10, bottom: 40, ...options };
      [this.x, this.y] = [options.x, options.y];
      this.draw = () => {};
      this.handles = [];
      this.kept = new Map();
      const id = `touch-clip-${++Plot.count}`;
      this.clipRect = svg("rect");
      this.back = svg("g", { class: "touch-axes", "aria-hidden": "true" });
      this.front = svg("g", { "clip-path": `url(#${id})`, "aria-hidden": "true" });
      this.over = svg("g", { "aria-hidden": "true" });
      this.hands = svg("g");
      const role = options.handles ? "group" : "img";
      this.svg = svg("svg", { class: "touch-svg", role, "aria-label": options.label },
        svg("defs", {}, svg("clipPath", { id }, this.clipRect)),
        this.back, this.front, this.over, this.hands);
      this.box = el("div", { class: ["touch-plot", options.class].filter(Boolean).join(" ") }, this.svg);
      (options.in || figure.root).append(this.box);
      new ResizeObserver(() => this.layout()).observe(this.box);
    }
    layout() {
      const width = Math.floor(this.box.clientWidth);
      if (!width || width === this.width) return;
      this.width = width;
      const o = this.options;
      this.height = Math.round(o.height || Math.max(o.least, width * o.ratio));
      this.svg.setAttribute("width", width);
      this.svg.setAttribute("height", this.height);
      this.render();
    }
    get inner() {
      const o = this.options;
      return { left: o.left, right: this.width - o.right, top: o.top, bottom: this.height - o.bottom };
    }
    // from data to pixels, and back
    px(x) { const b = this.inner; return b.left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (b.right - b.left); }
    py(y) { const b = this.inner; return b.bottom - ((y - this.y[0]) / (this.y[1] - this.y[0])) * (b.bottom - b.top); }
    fromPixels(px, py) {
      const b = this.inner;
      return [
        this.x[0] + ((px - b.left) / (b.right - b.left)) * (this.x[1] - this.x[0]),
        this.y[0] + ((b.bottom - py) / (b.bottom - b.top)) * (this.y[1] - this.y[0]),
      ];
    }
    at(event) {
      const box = this.svg.getBoundingClientRect();
      return this.fromPixels(event.clientX - box.left, event.clientY - box.top);
    }
    render() {
      if (!this.width) return;
      const b = this.inner;
      fill(this.clipRect, { x: b.left, y: b.top, width: b.right - b.left, height: b.bottom - b.top }, []);
      this.back.replaceChildren();
      this.front.replaceChildren(...this.kept.values());
      this.over.replaceChildren();
      this.draw(this);
      this.handles.forEach((handle) => handle.place());
    }
    // What follows draws; `where` is "front" (clipped to the frame), "back" or "over".
    add(tag, attributes, where = "front", ...children) {
      const node = svg(tag, attributes, ...children);
      this[where].append(node);
      return node;
    }
    axes({ xTicks = true, yTicks = true, grid = false } = {}) {
      const [b, o] = [this.inner, this.options];
      this.add("path", { d: `M${b.left} ${b.top}V${b.bottom}H${b.right}`, class: "touch-frame" }, "back");
      const list = (wanted, [low, high], room) =>
        Array.isArray(wanted) ? wanted.map((value) => ({ value, text: String(value).replace("-", "−") }))
          : wanted ? ticks(low, high, clamp(room, 2, 8)) : [];
      const [across, upward] = [list(xTicks, this.x, (b.right - b.left) / 70), list(yTicks, this.y, (b.bottom - b.top) / 36)];
      for (const { value, text } of across) {
        const x = this.px(value);
        if (grid) this.add("path", { d: `M${x} ${b.top}V${b.bottom}`, class: "touch-grid" }, "back");
        this.add("path", { d: `M${x} ${b.bottom}v4`, class: "touch-frame" }, "back");
        this.text(x, b.bottom + 16, text, "touch-tick middle", "back");
      }
      for (const { value, text } of upward) {
        const y = this.py(value);
        if (grid) this.add("path", { d: `M${b.left} ${y}H${b.right}`, class: "touch-grid" }, "back");
        this.add("path", { d: `M${b.left} ${y}h-4`, class: "touch-frame" }, "back");
        this.text(b.left - 7, y + 4, text, "touch-tick end", "back");
      }
      const named = (label, { note = "" }) => (label ? label + (note && ` (${note.trim()})`) : note.trim());
      const [xLabel, yLabel] = [named(o.xLabel, across), named(o.yLabel, upward)];
      if (xLabel) this.text((b.left + b.right) / 2, this.height - 5, xLabel, "touch-axis middle", "back");
      if (yLabel) {
        const [x, y] = [12, (b.top + b.bottom) / 2];
        const node = this.text(x, y, yLabel, "touch-axis middle", "back");
        node.setAttribute("transform", `rotate(-90 ${x} ${y})`);
      }
    }
    text(px, py, text, classes = "", where = "over") {
      return this.add("text", { x: px, y: py, class: `touch-text ${classes}` }, where, text);
    }
    // a curve through points of the data
    curve(classes, points, where) {
      const d = points.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(2)} ${this.py(y).toFixed(2)}`);
      return this.add("path", { d: d.join(""), class: `touch-curve ${classes}` }, where);
    }
    area(classes, points, floor = 0) {
      const edge = [[points[points.length - 1][0], floor], [points[0][0], floor]];
      const d = [...points, ...edge].map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(2)} ${this.py(y).toFixed(2)}`);
      return this.add("path", { d: d.join("") + "Z", class: `touch-area ${classes}` });
    }
    dot(classes, [x, y], r = 4, where) {
      return this.add("circle", { cx: this.px(x), cy: this.py(y), r, class: `touch-dot ${classes}` }, where);
    }
    // one circle a point, kept from drawing to drawing, so that its colour can fade over
    points(key, X, colours, r = 4) {
      let group = this.kept.get(key);
      if (!group || group.childElementCount !== X.length) {
        const fresh = svg("g", { class: "touch-points" }, ...X.map(() => svg("circle")));
        if (group) group.replaceWith(fresh);
        else this.front.append(fresh);
        this.kept.set(key, (group = fresh));
      }
      [...group.children].forEach((circle, i) => {
        circle.setAttribute("cx", this.px(X[i][0]).toFixed(2));
        circle.setAttribute("cy", this.py(X[i][1]).toFixed(2));
        circle.setAttribute("r", r);
        if (colours) circle.style.fill = colours[i];
        else circle.removeAttribute("style");
      });
      return group;
    }
    // an ellipse of a 2 x 2 covariance, at Mahalanobis distance `radius`
    ellipse(classes, mean, covariance, radius) {
      const [s, t] = [this.px(1) - this.px(0), this.py(1) - this.py(0)];
      const [[a, b], [, c]] = covariance;
      const { major, minor, angle } = gmm.ellipse([[a * s * s, b * s * t], [b * s * t, c * t * t]], radius);
      const [x, y] = [this.px(mean[0]), this.py(mean[1])];
      const turn = `rotate(${((angle * 180) / Math.PI).toFixed(3)} ${x.toFixed(2)} ${y.toFixed(2)})`;
      return this.add("ellipse", { cx: x, cy: y, rx: major, ry: minor, transform: turn, class: `touch-ellipse ${classes}` });
    }
    // What can be dragged, by pointer or by the arrow keys (with Shift ten times as far).
    // options: class, label; at() → [x, y]; move([x, y], how), how being "start", "drag", "end"
    // or "key"; words() → its position in words; text in it; axis: "x" or "y" alone;
    // step: [dx, dy] for one key, else a hundredth of the axes.
    handle(options) {
      const o = { axis: "", ...options };
      const node = svg("g", { class: `touch-handle ${o.class || ""}`, tabindex: 0, role: "slider", "aria-label": o.label },
        svg("circle", { class: "touch-reach", r: 22 }), svg("circle", { class: "touch-grip", r: 11 }),
        o.text === undefined ? null : svg("text", { class: "touch-text middle", y: 4 }, o.text));
      const along = o.axis === "y" ? 1 : 0;
      if (along) node.setAttribute("aria-orientation", "vertical");
      const go = ([x, y], how) => {
        const old = o.at();
        const to = [o.axis === "y" ? old[0] : clamp(x, ...this.x), o.axis === "x" ? old[1] : clamp(y, ...this.y)];
        this.figure.stop();
        this.figure.held = how === "drag";
        o.move(to.map((value, c) => Number((Math.round(value / this.grain(c)) * this.grain(c)).toPrecision(12))), how);
      };
      let grip = null;
      node.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        const [x, y] = this.at(event);
        const [u, v] = o.at();
        grip = [u - x, v - y];
        node.setPointerCapture(event.pointerId);
        node.focus({ preventScroll: true });
        event.preventDefault();
      });
      // a finger on a handle moves it, not the page
      node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
      const drag = (how) => (event) => {
        if (!grip) return;
        const [x, y] = this.at(event);
        const to = [x + grip[0], y + grip[1]];
        if (how === "end") grip = null;
        go(to, how);
      };
      node.addEventListener("pointermove", drag("drag"));
      node.addEventListener("pointerup", drag("end"));
      node.addEventListener("pointercancel", () => { grip = null; this.figure.held = false; });
      node.addEventListener("keydown", (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
        if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const [dx, dy] = o.axis === "x" ? [way[0] + way[1], 0] : o.axis === "y" ? [0, way[0] + way[1]] : way;
        const step = o.step || [this.x, this.y].map(([low, high]) => (high - low) / 100);
        const far = event.shiftKey ? 10 : 1;
        const [x, y] = o.at();
        go([x + far * dx * step[0], y + far * dy * step[1]], "key");
      });
      this.hands.append(node);
      const handle = {
        node,
        place: (to = o.at()) => {
          const [dx, dy] = o.shift ? o.shift() : [0, 0]; // beside another one, in pixels
          node.setAttribute("transform", `translate(${(this.px(to[0]) + dx).toFixed(2)} ${(this.py(to[1]) + dy).toFixed(2)})`);
          const at = o.at();
          const [low, high] = along ? this.y : this.x;
          node.setAttribute("aria-valuemin", low);
          node.setAttribute("aria-valuemax", high);
          node.setAttribute("aria-valuenow", at[along]);
          node.setAttribute("aria-valuetext", o.words ? o.words() : fixed(at[along]));
        },
        // there or not, at its place in the order of the Tab key
        show: (there) => {
          if (there === Boolean(node.parentNode)) return;
          const later = this.handles.slice(this.handles.indexOf(handle) + 1).find((one) => one.node.parentNode);
          if (there) this.hands.insertBefore(node, later ? later.node : null);
          else node.remove();
        },
        remove: () => {
          node.remove();
          this.handles.splice(this.handles.indexOf(handle), 1);
        },
      };
      this.handles.push(handle);
      if (this.width) handle.place();
      return handle;
    }
    // Dragged values are rounded to about a pixel, so that an address stays short.
    grain(c) {
      const [low, high] = c ? this.y : this.x;
      return 10 ** Math.floor(Math.log10((high - low) / 400));
    }
  }
  Plot.count = 0;

  // --- a figure ---

  class Figure {
    constructor(name, image) {
      this.name = name;
      this.image = image;
      const holder = image.closest('[id^="fig-"]');
      this.id = holder ? holder.id : name;
      this.plots = [];
      this.root = el("div", { class: `touch-figure touch-figure-${name}`, role: "group" });
      this.stop = () => {};
      this.inputs = 0;
    }

    // --- controls; each returns its element ---

    row(classes = "", parent = this.root) {
      const row = el("div", { class: `touch-row ${classes}` });
      parent.append(row);
      return row;
    }
    button(parent, text, act, { label = null, keepPlaying = false, ...attributes } = {}) {
      const onclick = () => {
        if (!keepPlaying) this.stop();
        act();
      };
      const button = el("button", { type: "button", "aria-label": label, ...attributes, onclick }, text);
      parent.append(button);
      return button;
    }
    labelled(parent, label, control, after) {
      control.id = `${this.id}-${this.name}-${++this.inputs}`;
      parent.append(el("span", { class: "touch-field" }, el("label", { for: control.id }, label), control, after));
      return control;
    }
    select(parent, label, options, act) {
      const items = options.map(([value, text]) => el("option", { value }, text));
      const control = el("select", {}, ...items);
      control.addEventListener("change", () => { this.stop(); act(control.value); });
      return this.labelled(parent, label, control);
    }
    // slider.show(value) sets it without a call; format gives the words beside it
    slider(parent, label, { min, max, step = "any", format = (v) => digits(v, 3) }, act) {
      const output = el("output", { class: "touch-value" });
      const control = el("input", { type: "range", min, max, step });
      this.labelled(parent, label, control, output);
      output.setAttribute("for", control.id);
      control.show = (value) => {
        control.value = String(value);
        const words = format(Number(value));
        output.textContent = words;
        control.setAttribute("aria-valuetext", words);
      };
      control.addEventListener("input", () => {
        this.stop();
        control.show(Number(control.value));
        act(Number(control.value));
      });
      control.addEventListener("pointerdown", () => { this.held = true; });
      for (const end of ["change", "pointerup", "pointercancel"]) {
        control.addEventListener(end, () => {
          if (!this.held) return;
          this.held = false;
          this.repeat();
        });
      }
      return control;
    }
    // The parameters of components on the line: a row for each, three sliders in it. ranges has
    // min, max, step of weights, means and deviations; act(kind, j, value). show(m) sets them, and
    // hides the rows of components that m does not have.
    parameters(most, ranges, act) {
      const kinds = [["weights", "α", "weight"], ["means", "μ", "mean"], ["deviations", "σ", "standard deviation"]];
      const box = el("div", { class: "touch-parameters" });
      this.root.append(box);
      const rows = Array.from({ length: most }, (_, j) => {
        const row = el("div", { class: `c${j + 1}`, role: "group", "aria-label": `Component ${j + 1}` });
        box.append(row);
        return kinds.map(([kind, sign, name]) => {
          const slider = this.slider(row, letter(sign, j + 1), { format: (v) => fixed(v), ...ranges[kind] }, (v) => act(kind, j, v));
          slider.setAttribute("aria-label", `${sign}${j + 1}, ${name} of component ${j + 1}`);
          return slider;
        });
      });
      return {
        show: (m) => rows.forEach((sliders, j) => {
          const row = sliders[0].closest("[role]");
          row.hidden = j >= m.means.length;
          if (!row.hidden) sliders.forEach((slider, i) => slider.show(m[kinds[i][0]][j]));
        }),
        rows,
      };
    }
    checkbox(parent, label, act) {
      const control = el("input", { type: "checkbox" });
      control.addEventListener("change", () => { this.stop(); act(control.checked); });
      this.labelled(parent, label, control).parentElement.classList.add("touch-check");
      return control;
    }
    // one of a few, as a row of touching buttons; choice.show(value) sets it
    choice(parent, legend, options, act) {
      const name = `${this.id}-${this.name}-${++this.inputs}`;
      const items = options.map(([value, text]) => {
        const input = el("input", { type: "radio", name, value });
        input.addEventListener("change", () => { this.stop(); act(input.value); });
        return el("label", {}, input, el("span", {}, text));
      });
      const group = el("span", { class: "touch-choice", role: "radiogroup", "aria-label": legend }, ...items);
      parent.append(el("span", { class: "touch-field" }, el("span", { "aria-hidden": "true" }, legend), group));
      group.show = (value) => group.querySelectorAll("input").forEach((input) => {
        input.checked = input.value === String(value);
      });
      return group;
    }

    // The words that say what changed, also aloud. While a figure plays or something is dragged they
    // are shown only; what is said last is said at the end. Text or nodes.
    words(parent = this.root) {
      this.said = el("p", { class: "touch-words", "aria-live": "polite" });
      parent.append(this.said);
      return this.said;
    }
    say(...content) {
      if (!this.said) this.words();
      this.said.setAttribute("aria-live", this.playing || this.held ? "off" : "polite");
      this.said.replaceChildren(...content);
    }
    repeat() {
      if (this.said) this.say(...[...this.said.childNodes].map((node) => node.cloneNode(true)));
    }

    // Play and pause. step() takes one step and returns the milliseconds until the next, or 0 at
    // the end.
    player(parent, step) {
      let timer = 0;
      const show = () => {
        button.textContent = this.playing ? "Pause" : "Play";
        button.classList.toggle("touch-on", this.playing);
      };
      const tick = () => {
        const wait = step();
        if (wait > 0 && this.playing) timer = setTimeout(tick, isStill() ? Math.max(wait, 500) : wait);
        else this.stop();
      };
      this.stop = () => {
        if (!this.playing) return;
        clearTimeout(timer);
        this.playing = false;
        show();
        this.repeat();
      };
      const button = this.button(parent, "Play", () => {
        if (this.playing) return this.stop();
        this.playing = true;
        show();
        tick();
      }, { keepPlaying: true, class: "touch-play" });
      return button;
    }

    // Calls draw(share) with shares from 0 to 1; at once with 1 where motion is not wanted.
    tween(milliseconds, draw) {
      cancelAnimationFrame(this.frame);
      if (isStill() || document.hidden) return draw(1);
      const begun = performance.now();
      const step = (now) => {
        const t = clamp((now - begun) / milliseconds, 0, 1);
        draw(t * t * (3 - 2 * t));
        if (t < 1) this.frame = requestAnimationFrame(step);
      };
      this.frame = requestAnimationFrame(step);
    }

    plot(options) {
      const plot = new Plot(this, options);
      this.plots.push(plot);
      return plot;
    }

    // --- drawing, and the address ---

    render() {
      this.plots.forEach((plot) => plot.render());
    }
    update() {
      this.render();
      this.note();
    }
    // write() → the state as short strings; read(strings) takes them over, {} meaning the
    // beginning. The address is then  #fig-name?k=3&t=20  and other anchors work as ever. A page that
    // is opened without such an address shows `opening`, where that says more than the beginning.
    address(write, read, opening = {}) {
      [this.write, this.read, this.opening] = [write, read, opening];
    }
    get hash() {
      const safe = (text) => encodeURIComponent(text).replace(/%(2C|3B|3A)/g, decodeURIComponent);
      const pairs = Object.entries(this.write ? this.write() : {})
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([key, value]) => `${safe(key)}=${safe(value)}`);
      const query = pairs.length || Object.keys(this.opening || {}).length ? "?" : "";
      return `#${this.id}${query}${pairs.join("&")}`;
    }
    note() {
      if (!this.ready || !this.write) return;
      noted = location.href;
      this.noting ||= setTimeout(() => this.keep(), WRITE_MS);
    }
    keep() {
      clearTimeout(this.noting);
      this.noting = 0;
      if (location.href !== noted) return; // the reader has followed a link since
      try {
        history.replaceState({ ...history.state, touch: this.id }, "", this.hash);
      } catch {
        // too often for this browser: the next change will do
      }
      noted = location.href;
    }
    // Takes the state from the address, if the address is about this figure.
    take() {
      const [id, query] = location.hash.slice(1).split("?");
      if (id !== this.id || query === undefined || !this.read) return false;
      this.stop();
      this.read(Object.fromEntries(new URLSearchParams(query)));
      this.render();
      return true;
    }
    // The same, and shows the figure. An address that a figure wrote itself is met again on the way back: the browser
    // knows where on the page that was.
    follow() {
      if (!this.take()) return false;
      if (history.state && history.state.touch) return true;
      // one that is taller than a phone begins below the head of the page
      this.root.scrollIntoView({ block: this.root.offsetHeight > 0.8 * innerHeight ? "start" : "center" });
      return true;
    }
    link(parent) {
      return this.copier(parent, "Copy link", () => location.href.split("#")[0] + this.hash,
        "The link to exactly this situation is copied.", ["Copy this link: ", "Link to this situation"]);
    }
    // a button that copies text(); where the clipboard is closed, the text is there to be taken by hand
    copier(parent, label, text, copied, [ask, name]) {
      return this.button(parent, label, async () => {
        const content = text();
        try {
          await navigator.clipboard.writeText(content);
          this.say(copied);
        } catch {
          const box = content.includes("\n") ? el("textarea", { rows: 6, readonly: true, class: "touch-url", "aria-label": name }, content)
            : el("input", { class: "touch-url", value: content, readonly: true, "aria-label": name });
          this.say(ask, box);
          box.select();
        }
      }, { class: "touch-quiet" });
    }
    // hands the reader a file
    save(name, text) {
      const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
      const link = el("a", { href: url, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    }
  }

  // --- mounting ---

  const builders = new Map();
  const mounted = [];
  let noted = ""; // the address that the figures may replace by one of theirs

  function mount(image, name) {
    const figure = new Figure(name, image);
    figure.root.setAttribute("aria-label", "Interactive figure");
    image.after(figure.root);
    image.classList.add("touch-mounted");
    try {
      builders.get(name)(figure);
    } catch (error) {
      figure.root.remove(); // the picture is better than half a figure
      image.classList.remove("touch-mounted");
      throw error;
    }
    mounted.push(figure);
    if (!figure.take() && figure.read) figure.read(figure.opening);
    figure.plots.forEach((plot) => plot.layout()); // now, lest the page be drawn in between
    figure.render();
    figure.ready = true;
  }

  // The page calls this right after each picture, so that nothing has to move later.
  const here = () => {
    for (const name of builders.keys()) {
      document.querySelectorAll(`img.touch-${name}:not(.touch-mounted)`).forEach((image) => mount(image, name));
    }
  };

  const start = () => {
    here();
    mounted.forEach((figure) => figure.follow());
    // what waits to be written is written before a link is followed, so that one can come back to it
    document.addEventListener("click", ({ target }) => {
      if (target.closest("a[href]")) mounted.filter((figure) => figure.noting).forEach((figure) => figure.keep());
    }, true);
    window.addEventListener("hashchange", () => mounted.forEach((figure) => figure.follow()));
    // the theme may change while the page is open
    new MutationObserver(() => mounted.forEach((figure) => figure.render()))
      .observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  };
  document.addEventListener("DOMContentLoaded", start);

  window.touch = {
    figure: (name, build) => builders.set(name, build),
    here,
    el, svg, letter, fixed, digits, raised, ticks, palette, blended, clamp, within, isStill,
  };
})();

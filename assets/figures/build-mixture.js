// Build a mixture: up to three components on the line, their density and its modes, and a sample.
// Weights are kept in hundredths and means on a grid, so that what is read is what is computed.
touch.figure("build-mixture", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "Build a mixture");
  const { el, fixed, clamp } = touch;
  const START = {
    1: { weights: [1], means: [0], deviations: [1] },
    2: { weights: [0.5, 0.5], means: [-0.75, 0.75], deviations: [1, 1] },
    3: { weights: [0.5, 0.3, 0.2], means: [-2, 1, 4], deviations: [1, 0.5, 2] },
  };
  const EDGE = 6;
  const RANGES = {
    weights: { min: 0.01, max: 0.98, step: 0.01 },
    means: { min: -EDGE, max: EDGE, step: 0.05 },
    deviations: { min: 0.2, max: 3, step: 0.05 },
  };
  const FAR = 60; // no gap is tried beyond this one
  const BIN = 0.5;
  const x = [-8, 8];
  const COUNT = ["", "One mode", "Two modes", "Three modes"];
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const onGrid = (v) => Number((Math.round(v * 20) / 20).toFixed(2));

  let m; // weights, means, deviations
  let wish; // the weights before rounding, so that a way and its way back meet
  let shape, center; // where the means stand between the outermost two, from 0 to 1
  let size, seed, labelled;

  const mixture = (means = m.means) => gmm.univariate(m.weights, means, m.deviations.map((s) => s * s));
  const gapOf = (means) => Math.max(...means) - Math.min(...means);

  // --- what the sliders do ---

  function settleWeights(fixedOne) {
    const parts = wish.map((w) => Math.max(1, Math.round((100 * w) / sum(wish))));
    const others = parts.map((part, j) => (j === fixedOne ? 0 : part));
    parts[others.indexOf(Math.max(...others))] += 100 - sum(parts);
    m.weights = parts.map((part) => part / 100);
  }
  function settleMeans() {
    const gap = gapOf(m.means);
    const low = Math.min(...m.means);
    center = low + gap / 2;
    if (gap > 0) shape = m.means.map((mean) => (mean - low) / gap);
  }
  function take(given) {
    m = structuredClone(given);
    wish = [...m.weights];
    shape = m.means.map((_, j) => j / Math.max(m.means.length - 1, 1));
    settleMeans();
  }
  function set(kind, j, value) {
    if (kind === "weights") {
      wish[j] = (value / (1 - value)) * (sum(wish) - wish[j]);
      settleWeights(j);
    } else {
      m[kind][j] = Number(value.toFixed(2));
      if (kind === "means") settleMeans();
    }
    show();
  }
  function pull(gap) {
    const low = clamp(onGrid(center - gap / 2), -EDGE, EDGE - gap);
    m.means = shape.map((share) => onGrid(low + share * gap));
    show();
  }

  // --- in words ---

  const modesAt = (gap) => gmm.modes(mixture(shape.map((share) => share * gap)), 300).length;
  // the gap at which the n-th mode comes
  function border(n) {
    const gap = gapOf(m.means);
    let [low, high] = modesAt(gap) >= n ? [0, gap] : [gap, FAR];
    if (modesAt(high) < n) return null;
    for (let i = 0; i < 24; i++) {
      const middle = (low + high) / 2;
      if (modesAt(middle) >= n) high = middle;
      else low = middle;
    }
    return fixed(high);
  }
  function tell(modes) {
    const [k, n, gap] = [m.means.length, modes.length, gapOf(m.means)];
    const places = modes.map((mode) => fixed(mode));
    const last = places.pop();
    const head = [el("strong", {}, COUNT[n]), `, at ${n > 1 ? `${places.join(", ")} and ` : ""}${last}. `];
    if (k === 1) return f.say(...head, "A single bell has a single hump.");
    const now = `The gap of the ${k === 3 ? "outer " : ""}means is ${fixed(gap)}. `;
    const [second, third] = [border(2), k === 3 ? border(3) : null];
    let when = `${k === 3 ? "Pulled apart alike," : "With these weights and widths"} the second mode appear`;
    when += n === 1 ? `s beyond ${second}` : `ed at ${second}`;
    if (n === 2 && third) when += `; the third appears beyond ${third}`;
    if (n === 3) when += second === third ? ", and the third with it" : `, the third at ${third}`;
    f.say(...head, now, second ? `${when}.` : "");
  }
  function tellSums(X) {
    const mean = sum(m.weights.map((w, j) => w * m.means[j]));
    const within = sum(m.weights.map((w, j) => w * m.deviations[j] ** 2));
    const between = sum(m.weights.map((w, j) => w * (m.means[j] - mean) ** 2));
    const parts = m.means.length > 1 ? `${fixed(within)} within + ${fixed(between)} between = ` : "";
    sums.textContent = `Mixture: mean ${fixed(mean)}, variance ${parts}${fixed(within + between)}`;
    const found = sum(X) / size;
    own.textContent = size ? `Sample: mean ${fixed(found)}, variance ${fixed(sum(X.map((v) => (v - found) ** 2)) / size)}` : "";
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const ks = f.choice(top, "Components", [1, 2, 3].map((k) => [k, k]), (k) => {
    take(START[k]);
    show();
  });
  f.link(top);

  const plot = f.plot({
    label: "The density, its weighted components, its modes, and a histogram of the sample",
    x, y: [0, 0.5], ratio: 0.4, least: 215, left: 52, bottom: 24, yLabel: "density", handles: true,
  });
  const strip = f.plot({ label: "The sample, a dot for each draw", x, y: [0, 3], height: 62, left: 52, top: 4, bottom: 4 });
  f.words();

  const gap = f.slider(f.row("touch-wide"), "Gap of the means", { min: 0, max: 2 * EDGE, step: 0.05, format: (v) => fixed(v) }, pull);
  const sliders = f.parameters(3, RANGES, set);

  const draws = f.row();
  const sizes = f.choice(draws, "Sample", [[0, "none"], [50, 50], [200, 200], [1000, "1000"]], (n) => {
    size = Number(n);
    show();
  });
  f.button(draws, "New sample", () => {
    seed += 1;
    size = size || 200;
    show();
    f.say(`A new sample of ${size}. ${own.textContent}.`);
  });
  const names = f.checkbox(draws, "Show the labels", (on) => {
    labelled = on;
    show();
    f.say(on ? "Each draw stands in the row of the component that it came from." : "What is left is a column of numbers, as in real data.");
  });
  f.button(draws, "Reset", () => {
    take(START[m.means.length]);
    show();
  }, { class: "touch-quiet" });
  const [sums, own] = [el("div"), el("div")];
  f.root.append(el("div", { class: "touch-muted touch-sums" }, sums, own));

  let handles = [];
  function setHandles() {
    while (handles.length > m.means.length) handles.pop().remove();
    for (let j = handles.length; j < m.means.length; j++) {
      handles.push(plot.handle({
        class: `c${j + 1}`, text: String(j + 1), label: `Mean of component ${j + 1}`, axis: "x", step: [0.05, 0],
        at: () => [m.means[j], plot.width ? plot.fromPixels(0, plot.inner.bottom - 15)[1] : 0],
        words: () => fixed(m.means[j]),
        move: ([to]) => set("means", j, clamp(onGrid(to), -EDGE, EDGE)),
      }));
    }
  }

  // --- drawing ---

  let modes, drawn;
  const grid = Array.from({ length: 401 }, (_, i) => x[0] + (i / 400) * (x[1] - x[0]));
  plot.draw = () => {
    const now = mixture();
    const curve = grid.map((v) => [v, gmm.density(v, now)]);
    // heights in each bin by component, or of all as one
    const bins = Array.from({ length: (x[1] - x[0]) / BIN }, () => m.means.map(() => 0));
    drawn.X.forEach((value, i) => {
      const bin = bins[Math.floor((value - x[0]) / BIN)];
      if (bin) bin[labelled ? drawn.labels[i] : 0] += 1 / (size * BIN);
    });
    const most = Math.max(...curve.map(([, p]) => 1.12 * p), ...bins.map(sum));
    plot.y = [0, [0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5].find((high) => high >= most) || 2.4];
    plot.axes();
    bins.forEach((bin, i) => {
      let y = plot.py(0);
      bin.forEach((share, j) => {
        const height = plot.py(0) - plot.py(share);
        y -= height;
        const left = plot.px(x[0] + i * BIN);
        plot.add("rect", { x: left + 0.5, y, width: plot.px(x[0] + (i + 1) * BIN) - left - 1, height, class: `touch-bar ${labelled ? `c${j + 1}` : ""}` });
      });
    });
    m.means.forEach((mean, j) =>
      plot.curve(`c${j + 1}`, grid.map((v) => [v, m.weights[j] * gmm.gaussian(v, mean, m.deviations[j] ** 2)])));
    plot.curve("plain", curve);
    modes.forEach((mode) => {
      const [px, py] = [plot.px(mode), plot.py(gmm.density(mode, now)) - 5];
      plot.add("path", { d: `M${px} ${py}l-5 -9h10z`, class: "touch-mode" }, "over");
    });
  };
  strip.draw = () => {
    const rows = labelled ? m.means.length : 1;
    const place = (i) => {
      const within = (i * 0.618034) % 1; // spread evenly, not at random
      return 3 - (3 / rows) * ((labelled ? drawn.labels[i] : 0) + 0.15 + 0.7 * within);
    };
    const colours = touch.palette(f.root).map(([r, g, b]) => `rgb(${r} ${g} ${b})`);
    strip.points("draws", drawn.X.map((v, i) => [v, place(i)]), labelled ? drawn.labels.map((j) => colours[j]) : null, 2.2);
    for (let j = 0; j < rows && labelled; j++) {
      strip.text(strip.inner.left - 7, strip.py(3 - (3 / rows) * (j + 0.5)) + 4, String(j + 1), "touch-tick end");
    }
  };
  function show() {
    const k = m.means.length;
    ks.show(k);
    sizes.show(size);
    names.checked = labelled;
    sliders.show(m);
    sliders.rows[0][0].disabled = k === 1;
    gap.show(gapOf(m.means));
    gap.closest(".touch-row").hidden = k === 1;
    setHandles();
    modes = gmm.modes(mixture());
    drawn = size ? gmm.sample(mixture(), size, gmm.random(seed)) : { X: [], labels: [] };
    tellSums(drawn.X);
    tell(modes);
    f.update();
  }

  // --- the address ---

  const KINDS = { a: "weights", m: "means", s: "deviations" };
  f.address(
    () => {
      const k = m.means.length;
      const state = { k: k === 2 ? "" : k, n: size === 200 ? "" : size, seed: seed === 1 ? "" : seed, labels: labelled ? 1 : "" };
      for (const key in KINDS) {
        const text = String(m[KINDS[key]]);
        if (text !== String(START[k][KINDS[key]])) state[key] = text;
      }
      return state;
    },
    (given) => {
      const start = START[Number(given.k)] || START[2];
      const own = {};
      for (const key in KINDS) {
        const { min, max } = RANGES[KINDS[key]];
        const values = (given[key] || "").split(",").map(Number);
        const sound = given[key] && values.length === start.means.length && values.every(Number.isFinite);
        own[KINDS[key]] = sound ? values.map((v) => Number(clamp(v, min, max).toFixed(2))) : start[KINDS[key]];
      }
      take(own);
      settleWeights();
      size = ["0", "50", "1000"].includes(given.n) ? Number(given.n) : 200;
      seed = clamp(Math.round(Number(given.seed)) || 1, 1, 1e6);
      labelled = Boolean(given.labels);
      show();
    }
  );
});

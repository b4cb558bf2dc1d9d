// The likelihood surface over two means, weights and the common variance held, and EM's path on it.
touch.figure("surface", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "The likelihood surface");
  const { el, svg, fixed, digits, letter, clamp } = touch;
  const GRID = 80; // cells along each side
  const MOST = 400; // iterations of one path
  const SETS = {
    esl: {
      name: "Twenty points", X: gmmData.esl, range: [-1, 7], variance: 0.8, least: 0.4, most: 5.6, step: 0.1,
      start: [0.6, 0.59], depth: 36, decimals: 2, label: "x",
    },
    waiting: {
      name: "Waiting times", X: gmmData.faithful.map(([, wait]) => wait), range: [42, 94], variance: 34.5, least: 14.5,
      most: 254.5, step: 5, start: [47, 46.9], depth: 31000, decimals: 1, label: "minutes",
    },
  };

  let key, set, variance, start; // what an address keeps, with t
  let points; // the different values of the data, each with its number
  let path, history, t, end; // EM from the start; end: "peak", "saddle" or "" when it is still on its way
  let average, spread, peaks, top, saddle; // of this landscape; saddle is its height, null without one
  let land; // what is drawn of it

  const mixture = (means) => ({ weights: [0.5, 0.5], means, covariances: [variance, variance] });
  const heightOf = (means) => {
    const m = mixture(means);
    return points.reduce((total, [x, count]) => total + count * gmm.logDensity(x, m), 0);
  };
  const iterate = (means) => landscape.nextMeans(points, mixture(means));
  const far = (a, b) => Math.max(Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]));

  // --- the landscape ---

  function survey() {
    [average] = gmm.allAsOne(set.X).means;
    [spread] = gmm.allAsOne(set.X).covariances;
    const two = variance < spread;
    const apart = two ? Math.sqrt(spread) : 0;
    let [before, peak] = [null, [average + apart, average - apart]];
    for (let k = 0; k < 20000 && !(before && far(peak, before) < 1e-13 * spread); k++) [before, peak] = [peak, iterate(peak)];
    peaks = two ? [peak, [peak[1], peak[0]]] : [peak];
    top = heightOf(peak);
    saddle = two ? heightOf([average, average]) : null;
    const [low, high] = set.range;
    const at = Array.from({ length: GRID + 1 }, (_, k) => low + ((high - low) * k) / GRID);
    land = { rows: landscape.surface(set.X, mixture([0, 0]), at), top, saddle, depth: set.depth / variance };
  }

  // --- the walk ---

  function walk() {
    [path, history, end, t] = [[start], [heightOf(start)], "", 0];
    while (path.length <= MOST && !end) {
      const here = path[path.length - 1];
      const next = iterate(here);
      if (far(next, here) < 1e-6 * Math.sqrt(spread)) end = Math.abs(next[0] - next[1]) < Math.abs(peaks[0][0] - peaks[0][1]) / 2 ? "saddle" : "peak";
      else {
        path.push(next);
        history.push(heightOf(next));
      }
    }
  }
  const last = () => path.length - 1;

  // --- in words ---

  const L = () => letter("ℓ");
  const place = (means) => `(${means.map((v) => fixed(v, set.decimals)).join(", ")})`;
  const where = () => saddle === null ? "the peak" : path[last()][0] > path[last()][1] ? "the peak below the diagonal" : "the peak above the diagonal";

  function sayStart() {
    const here = [`Start at ${place(start)}, where `, L(), ` is ${fixed(history[0], 2)}. `];
    const iterations = `${last()} iteration${last() === 1 ? "" : "s"}`;
    if (end === "saddle") f.say(...here, "The means are equal, or nearly so, and EM cannot tell the components apart: it goes to the saddle and stays there.");
    else if (end) f.say(...here, `From here EM takes ${iterations} to ${where()}. Click anywhere on the landscape for another start.`);
    else f.say(...here, `From here EM is still on its way after ${iterations}.`);
  }
  function saySteps() {
    const text = t === last() && end ? ` It has arrived at ${end === "saddle" ? "the saddle, and stays there" : where()}.` : "";
    const gain = history[t] - history[t - 1];
    const rise = gain < 1e-6 ? "less than 10⁻⁶" : digits(gain, 3);
    f.say(`Iteration ${t}: `, L(), ` rose by ${rise}, and the means are ${place(path[t])}.${text}`);
  }

  // --- the controls ---

  const controls = f.row("touch-spread");
  const sets = f.select(controls, "Data", Object.entries(SETS).map(([name, s]) => [name, s.name]), (name) => {
    choose(name);
    show();
    sayStart();
  });
  const slider = f.slider(controls, el("span", {}, "variance ", letter("v")), {
    min: 0, max: 1, format: (v) => fixed(v, 1),
  }, (v) => {
    variance = Number(v.toFixed(4));
    survey();
    walk();
    show();
    const s2 = fixed(spread, 2);
    if (saddle === null) f.say(letter("v"), ` exceeds the data's own variance, ${s2}: one peak is left.`);
    else f.say(`The peaks are at ${place(peaks[0])} and ${place(peaks[1])}. They meet when `, letter("v"), ` reaches the data's own variance, ${s2}.`);
  });

  const pair = el("div", { class: "touch-pair" });
  const side = el("div", {});
  f.root.append(pair);
  const plane = f.plot({
    label: "The log-likelihood as a landscape over the two means, with EM's path from a movable start",
    class: "touch-map", in: pair, x: [0, 1], y: [0, 1], ratio: 0.93, least: 250, left: 46, handles: true, xLabel: "μ₁", yLabel: "μ₂",
  });
  pair.append(side);
  const bells = f.plot({
    label: "The data as marks on the axis, the two components and the density of the mixture, where the walk is",
    in: side, x: [0, 1], y: [0, 1], height: 165, left: 34, bottom: 38,
  });
  const climb = f.plot({
    label: "The log-likelihood against the iteration", in: side, x: [0, 10], y: [0, 1], height: 165, left: 50, xLabel: "iteration",
  });

  const handle = plane.handle({
    label: "Start of the walk: the two means", class: "touch-start",
    at: () => start,
    move: (to, how) => begin(to, how !== "drag"),
    words: () => `mean 1 ${fixed(start[0], set.decimals)}, mean 2 ${fixed(start[1], set.decimals)}`,
  });
  function begin(to, aloud) {
    start = to;
    walk();
    show();
    if (aloud) sayStart();
  }
  plane.svg.addEventListener("click", (event) => {
    if (handle.node.contains(event.target)) return;
    const to = plane.at(event);
    const [low, high] = set.range;
    if (to.some((v) => v < low || v > high)) return;
    f.stop();
    begin(to.map((v) => Number(v.toFixed(2))), true);
  });

  const buttons = f.row();
  f.button(buttons, "One iteration", () => {
    if (t < last()) step();
    else f.say(end === "saddle" ? "Nothing changes any more: EM stands still on the saddle." : end ? "Nothing changes any more: this is a peak." : "This path is drawn no farther.");
  });
  f.player(buttons, () => {
    if (t === last()) t = 0;
    step();
    return t === last() ? 0 : t < 12 ? 450 : 120;
  });
  f.button(buttons, "Swap the names", () => {
    begin([start[1], start[0]], false);
    f.say("Component 1 is now called 2. The path is the mirror image, and ", L(), " is the same at every step.");
  });
  f.button(buttons, "Reset", () => {
    choose(key);
    show();
    sayStart();
  });
  f.words();
  const head = f.row("touch-spread");
  const value = el("output", { class: "touch-l" });
  head.append(value);
  f.link(head);
  const legend = el("ul", { class: "touch-legend" });
  f.root.append(legend);

  // --- drawing ---

  let walker = null;
  function step() {
    const from = path[t];
    t += 1;
    show();
    saySteps();
    const to = path[t];
    f.tween(300, (share) => {
      walker.setAttribute("cx", plane.px(from[0] + (to[0] - from[0]) * share));
      walker.setAttribute("cy", plane.py(from[1] + (to[1] - from[1]) * share));
    });
  }
  plane.draw = () => {
    landscape.draw(plane, land);
    if (saddle !== null) {
      const [x, y] = landscape.mark(plane, [average, average], false);
      plane.text(x + 12, y + 5, "saddle", "touch-halo");
    }
    for (const [a, b] of peaks) {
      const [x, y] = landscape.mark(plane, [a, b], true);
      plane.text(x, a > b ? y + 23 : y - 14, "peak", "middle touch-halo");
    }
    plane.curve("plain touch-ahead", path);
    plane.curve("plain", path.slice(0, t + 1));
    path.forEach((means, k) => {
      if (k) plane.dot(k > t ? "touch-ahead" : "", means, 2.6);
    });
    walker = plane.dot("touch-walker", path[t], t ? 6 : 0, "over");
  };
  bells.draw = () => {
    const [low, high] = (bells.x = set.range);
    const m = mixture(path[t]);
    const at = Array.from({ length: 161 }, (_, k) => low + ((high - low) * k) / 160);
    const parts = [0, 1].map((j) => at.map((x) => [x, 0.5 * gmm.gaussian(x, m.means[j], variance)]));
    const both = at.map((x, k) => [x, parts[0][k][1] + parts[1][k][1]]);
    bells.y = [0, 1.02 / Math.sqrt(2 * Math.PI * variance)];
    bells.axes({ yTicks: false });
    for (const x of set.X) bells.add("path", { d: `M${bells.px(x)} ${bells.inner.bottom}v-7`, class: "touch-rug" });
    parts.forEach((points, j) => {
      bells.curve(`c${j + 1}`, points);
      bells.text(clamp(bells.px(m.means[j]), 44, bells.width - 20) + (j ? 7 : -7), bells.py(bells.y[1] / 2) - 3, String(j + 1), "middle touch-tick touch-halo");
    });
    bells.curve("plain touch-whole", both);
    bells.text((bells.inner.left + bells.inner.right) / 2, bells.height - 5, set.label === "x" ? "data x" : "waiting time in minutes", "touch-axis middle");
  };
  climb.draw = () => {
    climb.x = [0, Math.max(8, last())];
    const low = Math.min(history[0], top - 0.02 * Math.abs(top));
    climb.y = [low - 0.06 * (top - low), top + 0.08 * (top - low)];
    climb.axes();
    if (saddle !== null && saddle > climb.y[0]) {
      climb.curve("faint dotted", [[0, saddle], [climb.x[1], saddle]]);
      climb.text(climb.inner.right - 2, climb.py(saddle) + 14, "saddle", "touch-tick end");
    }
    const points = history.map((l, k) => [k, l]);
    climb.curve("plain touch-ahead", points);
    climb.curve("plain", points.slice(0, t + 1));
    climb.dot("", points[t], 5, "over");
  };

  function show() {
    plane.x = plane.y = set.range;
    sets.value = key;
    slider.min = set.least;
    slider.max = set.most;
    slider.step = set.step;
    slider.show(variance);
    value.replaceChildren(L(), ` = ${fixed(history[t], 4)}`, el("span", { class: "touch-muted" },
      ` iteration ${t}`, ...path[t].map((v, j) => el("span", {}, ", ", letter("μ", j + 1), ` = ${fixed(v, 4)}`))));
    const sign = (d, name) => svg("svg", { width: 18, height: 18, viewBox: "-9 -10 18 18", "aria-hidden": "true" }, svg("path", { d, class: name }));
    const item = (d, name, ...text) => el("li", {}, sign(d, name), el("span", {}, ...text));
    const [peak] = peaks;
    const height = (v) => fixed(v, 4);
    legend.replaceChildren(...saddle === null ? [
      item(landscape.STAR, "touch-peak", `One peak, ${place(peak)}, with `, L(), ` = ${height(top)}. The variance `, letter("v"),
        ` is not smaller than that of the data, ${fixed(spread, 2)}: pulling the means apart does not pay, and there is no saddle.`),
    ] : [
      item(landscape.STAR, "touch-peak", `Two peaks, equally high: ${place(peak)} and its mirror image ${place(peaks[1])}, both with `, L(),
        ` = ${height(top)}. They are the same mixture with the names of the components exchanged.`),
      item(landscape.CROSS, "touch-saddle", `The saddle ${place([average, average])}, both means at the mean of the data, with `, L(), ` = ${height(saddle)}. `,
        "Pull the means apart, and it goes up; move them together, and it goes down. The thick contour passes through it."),
    ]);
    f.update();
  }
  function choose(name, v = SETS[name].variance) {
    key = name;
    set = SETS[name];
    points = landscape.tally(set.X);
    [variance, start] = [v, set.start];
    survey();
    walk();
  }

  f.address(
    () => ({
      data: key === "esl" ? "" : key,
      v: variance === set.variance ? "" : variance,
      m: start.join() === set.start.join() ? "" : start.join(","),
      t: t || "",
    }),
    (given) => {
      const name = Object.keys(SETS).includes(given.data) ? given.data : "esl";
      const s = SETS[name];
      const v = Number(given.v) > 0 ? clamp(s.least + s.step * Math.round((Number(given.v) - s.least) / s.step), s.least, s.most) : s.variance;
      choose(name, Number(v.toFixed(4)));
      const m = (given.m || "").split(",").map(Number);
      if (given.m && m.length === 2 && m.every(Number.isFinite)) {
        start = m.map((value) => clamp(value, ...s.range));
        walk();
      }
      t = clamp(Math.round(Number(given.t)) || 0, 0, last());
      show();
      if (t) saySteps();
      else sayStart();
    }
  );
});

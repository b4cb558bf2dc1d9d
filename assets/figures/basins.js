// A map of starts: two components for the galaxies, or for the reader's own numbers, and for each
// pair of means at the start the summit where EM ends. The start is moved on the map, and its way is
// drawn on it.
touch.figure("basins", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "A map of starts");
  const { el, svg, fixed, letter, clamp } = touch;
  const SETS = { galaxies: "82 galaxies", own: "Your own numbers" };
  const MANY = 100; // points that a map can be made for while one waits
  const MOST = 4000; // iterations of one run
  const NEAR = 0.02; // so near to a known summit a run has arrived
  const WIDTHS = [[1, "1"], [0.5, "0.5"], [0.25, "0.25"], [0.1, "0.1"]];
  // what the data decide: the numbers, their standard deviation, the ends of the map, decimals, where
  // the start is at first; and why there is no map of them
  let set, X, n, spread, RANGE, places, usual, unfit;
  let side; // cells along each side
  const whole = (v, more = 0) => ownData.near(v, places + more);

  let start, width; // what an address keeps, with t
  let path, levels, end, t; // the run from the start; end: a summit, "collapse", or "one" where both are the same
  let cells, counts, image; // the map: the summit of each cell, how often each occurs, its picture
  let told = false;

  // --- EM for two components, without an object for each point: the map needs hundreds of runs ---

  // θ = [α₁, μ₁, μ₂, v₁, v₂]; next(θ) is one iteration, and ell its log-likelihood before it
  function next([a, m1, m2, v1, v2]) {
    let [N, sum1, sum2, all1, all2, ell] = [0, 0, 0, 0, 0, 0];
    const [c1, c2] = [Math.log(a) - 0.5 * Math.log(v1), Math.log(1 - a) - 0.5 * Math.log(v2)];
    for (let i = 0; i < n; i++) {
      const [u, w] = [X[i] - m1, X[i] - m2];
      const [p, q] = [c1 - (u * u) / (2 * v1), c2 - (w * w) / (2 * v2)];
      const share = 1 / (1 + Math.exp(q - p));
      ell += p > q ? p + Math.log1p(Math.exp(q - p)) : q + Math.log1p(Math.exp(p - q));
      N += share;
      sum1 += share * u;
      sum2 += (1 - share) * w;
      all1 += share * u * u;
      all2 += (1 - share) * w * w;
    }
    const [d1, d2] = [sum1 / N, sum2 / (n - N)];
    return { ell: ell - (n / 2) * Math.log(2 * Math.PI), theta: [N / n, m1 + d1, m2 + d2, all1 / N - d1 * d1, all2 / (n - N) - d2 * d2] };
  }
  const begin = ([a, b], w) => [0.5, a, b, (w * spread) ** 2, (w * spread) ** 2];
  const swapped = ([a, m1, m2, v1, v2]) => [1 - a, m2, m1, v2, v1];
  const broken = (theta) => !(Math.min(theta[3], theta[4]) > 1e-6 * spread ** 2);
  const apart = (p, q) => Math.max(Math.abs(p[0] - q[0]), Math.abs(p[1] - q[1]) / spread, Math.abs(p[2] - q[2]) / spread,
    Math.abs(Math.log(p[3] / q[3])) / 2, Math.abs(Math.log(p[4] / q[4])) / 2);

  // The summits that are known, in the order of their heights; each run may find a new one.
  let summits = [];
  const known = (theta, near) => summits.find((one) => apart(theta, one.theta) < near || apart(theta, one.swapped) < near);
  // Whether ℓ bends down in every direction here. Where EM is slow it may only seem to have arrived.
  function isSummit([a, m1, m2, v1, v2]) {
    const h = 1e-3;
    const odds = Math.log(a / (1 - a));
    const at = (d) => next([1 / (1 + Math.exp(-odds - d[0])), m1 + d[1] * Math.sqrt(v1), m2 + d[2] * Math.sqrt(v2), v1 * Math.exp(2 * d[3]), v2 * Math.exp(2 * d[4])]).ell;
    const five = [0, 1, 2, 3, 4];
    const bend = (i, j) => {
      const to = (s, t) => at(five.map((k) => h * ((k === i) * s + (k === j) * t)));
      return (to(1, -1) + to(-1, 1) - to(1, 1) - to(-1, -1)) / (4 * h * h);
    };
    const L = five.map(() => []); // of Cholesky
    for (const i of five) {
      for (let j = 0; j <= i; j++) {
        const rest = bend(i, j) - L[i].slice(0, j).reduce((sum, v, k) => sum + v * L[j][k], 0);
        if (i === j && !(rest > 0)) return false;
        L[i].push(i === j ? Math.sqrt(rest) : rest / L[j][j]);
      }
    }
    return true;
  }
  function arrive(theta) {
    let before = -Infinity;
    for (let k = 0; k < 10 * MOST; k++) {
      const { ell, theta: after } = next(theta);
      if (broken(after)) return null;
      [before, theta] = [ell, after];
      if (k % 100 || next(theta).ell - before > 1e-11 * n) continue;
      if (isSummit(theta)) break;
      theta[1] += 1e-6 * Math.sqrt(theta[3]); // a saddle holds only what is exactly on its ridge
    }
    const found = known(theta, 0.1);
    if (found) return found;
    const one = { theta, swapped: swapped(theta), ell: next(theta).ell };
    summits.push(one);
    summits.sort((a, b) => b.ell - a.ell);
    return one;
  }
  // A run that takes long joins the way of an earlier one, and has its end; so one bell in the data,
  // where EM is slow, takes no longer than two.
  let passed = new Map();
  const crossing = ([a, m1, m2, v1, v2]) =>
    [a, m1 / spread, m2 / spread, Math.log(v1) / 2, Math.log(v2) / 2].map((v) => Math.round(v * 5000)).join();
  function climb(theta) {
    const way = [];
    const end = (one) => {
      way.forEach((key) => passed.set(key, one));
      return one;
    };
    for (let k = 0; k < MOST; k++) {
      const found = known(theta, NEAR);
      if (found) return end(found);
      theta = next(theta).theta;
      if (broken(theta)) return end(null);
      if (k < 100 || k % 5) continue;
      const key = crossing(theta);
      if (passed.has(key)) return end(passed.get(key));
      way.push(key);
      if (k > 300 && k % 100 === 0 && apart(theta, next(theta).theta) < 1e-5) return end(arrive(theta));
    }
    return end(arrive(theta));
  }
  const maps = new Map();
  function choose(name) {
    const own = name === "own";
    const next = own ? mine.X : gmmData.galaxies;
    if (set === name && String(next) === String(X)) return;
    [set, X, n, summits, passed] = [name, next, next.length, [], new Map()];
    unfit = gmm.unfit(X, 2);
    RANGE = own ? mine.frame(0) : [9, 35];
    side = own ? 40 : 60;
    places = own ? mine.decimals(0) : 1;
    const along = (share) => Number((RANGE[0] + share * (RANGE[1] - RANGE[0])).toPrecision(12));
    usual = own ? [along(0.4), along(0.65)] : [19.4, 26.1];
    maps.clear();
    if (unfit) return;
    spread = Math.sqrt(gmm.allAsOne(X).covariances[0]);
    // runs from all over the map, before its cells are counted
    [[11, 23], [1, 13], [8, 16], [24, 11]].forEach((pair) =>
      WIDTHS.forEach(([w]) => arrive(begin(pair.map((k) => RANGE[0] + (k / 26) * (RANGE[1] - RANGE[0])), w))));
  }
  const place = (k) => RANGE[0] + ((RANGE[1] - RANGE[0]) * (k + 0.5)) / side;
  function survey() {
    if (unfit) return;
    if (!maps.has(width)) {
      const fresh = Array.from({ length: side }, () => Array(side).fill(undefined));
      for (let a = 0; a < side; a++) {
        for (let b = 0; b < a; b++) { // the other half is its mirror image
          fresh[b][a] = fresh[a][b] = climb(begin([place(a), place(b)], width));
        }
      }
      maps.set(width, fresh);
    }
    cells = maps.get(width);
    counts = new Map();
    cells.flat().filter((one) => one !== undefined).forEach((one) => counts.set(one, (counts.get(one) || 0) + 1));
    image = null;
  }
  function walk() {
    [path, levels, end, t, told] = [[begin(start, width)], [], null, 0, false];
    let goal;
    if (unfit) return;
    for (let k = 0; ; k++) {
      const { ell, theta } = next(path[k]);
      levels.push(ell);
      if (broken(theta)) end = "collapse";
      else if (k >= MOST || (k && ell - levels[k - 1] < 1e-9 * n)) {
        if (start[0] === start[1]) end = "one";
        else if (k >= MOST) end = known(path[k], 0.1) || arrive(path[k]) || "collapse";
        else { // a small step alone is no arrival
          if (goal === undefined) goal = known(path[k], 0.1) || arrive(path[k]);
          if (goal && known(path[k], 0.1) === goal) end = goal;
        }
      }
      if (end) return;
      path.push(theta);
    }
  }
  const last = () => path.length - 1;
  // Of the reader's numbers those of this map have the first names, so that a link leads to the same
  // ones whatever other maps have found.
  const ranked = () => (set === "own" ? [...summits.filter((one) => counts.has(one)), ...summits.filter((one) => !counts.has(one) && one === end)] : summits);
  const nameOf = (one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[ranked().indexOf(one)] || "?";

  // --- in words ---

  const L = () => letter("ℓ");
  const pair = (theta) => `(${whole(theta[1])}, ${whole(theta[2])})`;
  function sayUnfit(...before) {
    f.say(...before, unfit.kind === "none" ? "There are no numbers yet. Press Edit the points and click near the axis, press Add a point, or paste a list."
      : unfit.kind === "data" ? "All numbers are the same. Two components need different ones: add a number."
        : "Two components need two different numbers. Add some.");
  }
  function sayStart() {
    if (unfit) return sayUnfit();
    const here = [`From the means ${pair(path[0])} EM `];
    if (end === "one") f.say(...here, "cannot tell the two components apart: it stays on the diagonal.");
    else if (end === "collapse") f.say(...here, "loses a component on a single point: a needle, and no summit.");
    else f.say(...here, `takes ${last()} iterations to summit ${nameOf(end)}, where `, L(), ` is ${fixed(end.ell)}. `,
      ranked().every((one) => one.ell <= end.ell) ? "It is the highest that this map knows." : `It is not the highest: summit A has ${fixed(ranked()[0].ell)}.`);
  }
  function saySteps() {
    if (unfit) return sayUnfit();
    told = t === last();
    const text = !told ? "" : end === "collapse" ? " The next variance is 0: it broke."
      : end === "one" ? " Both components are the same." : ` It has arrived at summit ${nameOf(end)}.`;
    f.say(`Iteration ${t}: the means are ${pair(path[t])}, and `, L(), ` is ${fixed(levels[t])}.${text}`);
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const sets = f.select(top, "Data", Object.entries(SETS), (name) => {
    choose(name);
    reset();
    show();
    sayStart();
  });
  const controls = f.row("touch-spread");
  const choice = f.choice(controls, "Width at the start", WIDTHS.map(([w, text]) => [String(w), text]), (w) => {
    width = Number(w);
    survey();
    walk();
    show();
    if (unfit) return sayUnfit();
    if (!ranked().length) return f.say("From no start of this map does EM reach a summit: a component collapses.");
    const share = (100 * (counts.get(ranked()[0]) || 0)) / (side * (side - 1));
    f.say(`Each component now starts with ${width === 1 ? "the" : `${width} times the`} standard deviation of the data. `,
      `${fixed(share, 0)} % of the starts reach summit A.`);
  });
  f.link(controls);

  const both = el("div", { class: "touch-pair" });
  const beside = el("div", {});
  f.root.append(both);
  const plane = f.plot({
    label: "The map of starts: the two means at the start, and the summit where EM ends",
    class: "touch-map", in: both, x: [0, 1], y: [0, 1], ratio: 0.95, least: 250, left: 40, handles: true,
    xLabel: "first mean at the start", yLabel: "second mean at the start",
  });
  both.append(beside);
  const bells = f.plot({
    label: "The data as marks on the axis, the two components and the density, where the walk is",
    in: beside, x: [0, 1], y: [0, 0.24], height: 180, left: 40, bottom: 38, handles: true, xLabel: "velocity (1000 km/s)",
  });
  const mine = ownData.panel(f, bells, {
    dimension: 1,
    before: both,
    most: MANY,
    source: () => ({ points: X, names: ["velocity"] }),
    restore: (given) => take(given),
    changed: (how, said) => {
      if (how === "drag") return bells.render(); // the map follows at the end
      if (how !== "chosen" && how !== "undo") {
        const stays = how === "copy" || (set === "own" && how !== "new");
        choose("own");
        if (stays) start = start.map((v) => clamp(v, ...RANGE));
        else [start, width] = [usual, 1];
        survey();
        walk();
      }
      show();
      if (how === "chosen") f.say(said);
      else if (unfit) sayUnfit(said);
      else f.say(said, summary());
    },
  });
  const taker = mine.button(top);
  const summary = () => {
    const reached = summits.filter((one) => counts.has(one)).length;
    return `${n} numbers: ${reached === 1 ? "one summit is" : `${reached || "no"} summits are`} reached from this map${counts.has(null) ? ", and some starts end in a collapse" : ""}.`;
  };
  const list = el("tbody");
  const caption = el("caption", { class: "touch-hidden" }, "The summits of this map");
  const heads = ["", [letter("ℓ")], [letter("α")], [letter("μ")], [letter("σ")], ["starts"]];
  const table = el("table", {}, caption, el("thead", {}, el("tr", {}, ...heads.map((head) =>
    el("th", { scope: "col" }, ...(head === "" ? [el("span", { class: "touch-hidden" }, "summit")] : head))))), list);

  const handle = plane.handle({
    label: "Start: the two means", class: "touch-start",
    at: () => start,
    move: (to, how) => {
      start = to;
      walk();
      show();
      if (how !== "drag") sayStart();
    },
    words: () => `first mean ${whole(start[0])}, second mean ${whole(start[1])}`,
  });
  plane.svg.addEventListener("click", (event) => {
    if (unfit || handle.node.contains(event.target)) return;
    const to = plane.at(event);
    if (to.some((v) => v < RANGE[0] || v > RANGE[1])) return;
    f.stop();
    start = to.map((v, c) => Number((Math.round(v / plane.grain(c)) * plane.grain(c)).toPrecision(12)));
    walk();
    show();
    sayStart();
  });
  const buttons = f.row();
  f.button(buttons, "One iteration", () => {
    if (unfit) return sayUnfit();
    if (t < last()) t += 1;
    show();
    saySteps();
  });
  f.player(buttons, () => {
    if (unfit) {
      sayUnfit();
      return 0;
    }
    if (t === last() && told) t = 0;
    else if (t < last()) t += 1;
    show();
    saySteps();
    return t === last() ? 0 : t < 6 ? 450 : t < 30 ? 150 : 40;
  });
  f.button(buttons, "Swap the names", () => {
    start = [start[1], start[0]];
    walk();
    show();
    if (unfit) return sayUnfit();
    f.say("The start is reflected in the diagonal, and so is its whole way. It ends on the same summit.");
  });
  f.button(buttons, "Reset", () => {
    reset();
    show();
    sayStart();
  });
  f.words();
  const value = el("output", { class: "touch-l" });
  f.row().append(value);
  f.root.append(table);

  // --- drawing ---

  function picture() {
    const canvas = el("canvas", { width: side, height: side });
    const paper = canvas.getContext("2d");
    const data = paper.createImageData(side, side);
    const colours = touch.palette(f.root);
    const order = ranked();
    cells.forEach((row, a) => row.forEach((one, b) => {
      if (one === undefined) return;
      const at = 4 * ((side - 1 - b) * side + a);
      const colour = one ? colours[order.indexOf(one) % 6] : [128, 128, 128];
      [data.data[at], data.data[at + 1], data.data[at + 2]] = colour;
      data.data[at + 3] = 150;
    }));
    paper.putImageData(data, 0, 0);
    return canvas.toDataURL();
  }
  plane.draw = () => {
    if (unfit) return plane.axes();
    const colour = getComputedStyle(f.root).getPropertyValue("--touch-1");
    if (!image || image.colour !== colour) image = { colour, url: picture() };
    const { left, right, top, bottom } = plane.inner;
    plane.add("image", { href: image.url, x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none", class: "touch-cells" });
    plane.axes();
    const way = path.map((theta) => [theta[1], theta[2]]);
    plane.curve("plain touch-ahead", way);
    plane.curve("plain", way.slice(0, t + 1));
    way.slice(0, 40).forEach((point, k) => plane.dot(k > t ? "touch-ahead" : "", point, 2.4));
    if (t) plane.dot("touch-walker", way[t], 6, "over");
  };
  bells.draw = () => {
    bells.axes({ yTicks: set === "own" ? !unfit : [0, 0.1, 0.2] });
    for (const x of set === "own" ? mine.X : X) bells.add("path", { d: `M${bells.px(x)} ${bells.inner.bottom}v-7`, class: "touch-rug" });
    if (unfit) return;
    const [a, m1, m2, v1, v2] = path[t];
    const most = 4 * bells.y[1];
    const grid = Array.from({ length: 261 }, (_, k) => RANGE[0] + ((RANGE[1] - RANGE[0]) * k) / 260);
    const parts = [[a, m1, v1], [1 - a, m2, v2]].map(([w, m, v]) => grid.map((x) => [x, Math.min(w * gmm.gaussian(x, m, v), most)]));
    parts.forEach((points, j) => bells.curve(`c${j + 1}`, points));
    bells.curve("plain", grid.map((x, k) => [x, Math.min(parts[0][k][1] + parts[1][k][1], most)]));
  };
  function show() {
    choice.show(width);
    sets.value = set;
    taker.hidden = set === "own";
    [plane.x, plane.y, bells.x] = [RANGE, RANGE, RANGE];
    bells.y = [0, set === "own" && !unfit ? 1.1 / spread : 0.24];
    bells.options.xLabel = set === "own" ? mine.labels[0] : "velocity (1000 km/s)";
    for (const plot of [plane, bells]) plot.options.left = set === "own" ? 58 : 40;
    handle.show(!unfit);
    mine.show(set === "own");
    if (unfit) {
      value.replaceChildren();
      list.replaceChildren();
      table.hidden = true;
      return f.update();
    }
    table.hidden = false;
    const theta = path[t];
    value.replaceChildren(L(), ` = ${fixed(levels[t], 2)}`, el("span", { class: "touch-muted" }, ` iteration ${t} of ${last()}`,
      ...[1, 2].map((j) => el("span", {}, ", ", letter("μ", j), ` = ${whole(theta[j], 1)}`)),
      ...[1, 2].map((j) => el("span", {}, ", ", letter("σ", j), ` = ${whole(Math.sqrt(theta[2 + j]), 1)}`))));
    const shown = ranked().filter((one) => counts.has(one) || one === end);
    const two = (u, v) => `${whole(u)}, ${whole(v)}`;
    const share = (one) => `${fixed((100 * (counts.get(one) || 0)) / (side * (side - 1)), 1)} %`;
    list.replaceChildren(...shown.map((one) => {
      const [a, m1, m2, v1, v2] = one.theta[1] < one.theta[2] ? one.theta : one.swapped;
      return el("tr", {}, el("th", { scope: "row", class: `c${(ranked().indexOf(one) % 6) + 1}` }, el("span", { class: "touch-swatch" }), nameOf(one)),
        ...[fixed(one.ell), `${fixed(a)}, ${fixed(1 - a)}`, two(m1, m2), two(Math.sqrt(v1), Math.sqrt(v2)), share(one)].map((text) => el("td", {}, text)));
    }), ...(counts.has(null) ? [el("tr", {}, el("th", { scope: "row" }, svg("svg", { width: 10, height: 10, "aria-hidden": "true" }, svg("rect", { width: 10, height: 10, class: "touch-needle" })), " none"),
      el("td", { colspan: 4 }, "a component collapses"), el("td", {}, share(null)))] : []));
    f.update();
  }
  function reset() {
    [start, width] = [usual, 1];
    survey();
    walk();
  }

  f.address(
    () => ({
      data: set === "own" ? "own" : "",
      m: start.join() === usual.join() ? "" : start.join(","),
      w: width === 1 ? "" : width,
      t: t || "",
      ...mine.write(),
    }),
    (given) => {
      const lost = given.data === "own" && !mine.read(given);
      take(lost ? {} : given);
      show();
      if (lost) f.say("The numbers of this link are not in it: they were too many, or they are no numbers. Here are the galaxies; paste your list again.");
      else if (t) saySteps();
      else sayStart();
    }
  );
  function take(given) {
    choose(given.data === "own" ? "own" : "galaxies");
    reset();
    const w = WIDTHS.map(([one]) => one).find((one) => one === Number(given.w));
    if (w) width = w;
    const m = (given.m || "").split(",").map(Number);
    if (given.m && m.length === 2 && m.every(Number.isFinite)) start = m.map((v) => clamp(v, ...RANGE));
    survey();
    walk();
    t = clamp(Math.round(Number(given.t)) || 0, 0, last());
  }
});

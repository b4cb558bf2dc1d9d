// One iteration of EM, seen three ways at once: the data with their shares, the log-likelihood as a landscape over two
// means, and the bound along the line of the coming step. Weights and the common standard deviation are held.
touch.figure("one-iteration", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "One iteration, seen three ways");
  const { el, fixed, digits, letter, clamp } = touch;
  const GRID = 60; // cells along each side of the landscape
  const MOST = 400; // half-steps that an address may ask for
  const MOST_OWN = 500; // points
  const SETS = {
    waits: {
      name: "Waiting times", X: gmmData.faithful.map(([, wait]) => wait), range: [40, 100], weight: 0.36, sigma: 5.9,
      label: "wait in minutes", start: [60, 65],
    },
    twenty: { name: "Twenty points", X: gmmData.esl, range: [-1.5, 7.5], weight: 0.5, sigma: 0.9, label: "x", start: [2, 3.5] },
    five: { name: "Five points", X: gmmData.worked, range: [0, 3], weight: 0.5, sigma: 0.4, label: "x", start: [1, 1.4] },
  };
  const TOO_FEW = "Two different numbers are needed, at least.";

  let set, land; // the data, and what weights and deviation make of them: null where these are too few
  let state; // all that an address keeps, and what the steps have made of it
  let past = []; // states that Undo leads back to
  let hover = null; // what the pointer is on; else what was chosen by hand, state.look
  let moving = null; // on the way from one state to the next: { theta, q }

  const pair = (a, b) => a !== null && b !== null && a[0] === b[0] && a[1] === b[1];
  // to a ten thousandth of a pixel, so that an address stays short
  const short = (theta, more = 4) => theta.map((v) => {
    const grain = 10 ** -(set.decimals + more);
    return Number((Math.round(v / grain) * grain).toPrecision(14));
  });
  const mixture = (means) => ({
    weights: [state.weight, 1 - state.weight], means, covariances: [state.sigma ** 2, state.sigma ** 2],
  });

  // --- the landscape ---

  // ℓ, from each different value once
  function ell([a, b]) {
    const { values, v, first, second } = land;
    let total = 0;
    for (const [x, count] of values) {
      const [p, q] = [first - (x - a) ** 2 / (2 * v), second - (x - b) ** 2 / (2 * v)];
      total += count * (Math.max(p, q) + Math.log1p(Math.exp(-Math.abs(p - q))));
    }
    return total;
  }
  // what follows from the numbers alone
  function measured(given) {
    const values = landscape.tally(given.X).sort(([a], [b]) => a - b);
    if (values.length < 2) return { ...given, values, decimals: ownData.decimals(given.range), sigma: 1, start: [0, 0] };
    const { means: [mean], covariances: [variance] } = gmm.allAsOne(given.X);
    const sd = Math.sqrt(variance);
    const step = 10 ** Math.floor(Math.log10(sd / 20));
    const steps = (v) => Number((Math.round(v / step) * step).toPrecision(12));
    return {
      sigma: steps(sd / 2), start: [mean - sd / 2, mean + sd / 2], ...given,
      values, mean, sd, step, least: steps(sd / 5), most: steps(1.2 * sd), steps, decimals: ownData.decimals(given.range),
    };
  }
  function survey() {
    const { weight, sigma } = state;
    const { values, mean, sd } = set;
    if (values.length < 2) return (land = null);
    const constant = -0.5 * Math.log(2 * Math.PI) - Math.log(sigma);
    land = { values, v: sigma ** 2, first: Math.log(weight) + constant, second: Math.log(1 - weight) + constant, bounds: new Map() };
    const [low, high] = set.range;
    const grid = Array.from({ length: GRID + 1 }, (_, k) => low + ((high - low) * k) / GRID);
    land.rows = landscape.surface(set.X, mixture([0, 0]), grid);
    land.summits = summits(grid);
    land.top = Math.max(...land.summits.map(ell));
    land.saddle = sd > sigma ? ell([mean, mean]) : null; // with equal means no point says more than another
    land.depth = Math.max(2 * (land.top - ell([mean, mean])), 1.5 * set.X.length);
  }
  // The hilltops: from each crossing of the grid that is higher than those around it EM goes the rest of the way.
  function summits(grid) {
    const found = [];
    land.rows.forEach((row, b) => row.forEach((height, a) => {
      for (let k = 0; k < 9; k++) {
        const other = (land.rows[b + Math.floor(k / 3) - 1] || [])[a + (k % 3) - 1];
        if (k < 4 ? other >= height : k > 4 && other > height) return; // of two equal ones the first
      }
      let [before, summit] = [null, [grid[a], grid[b]]];
      for (let k = 0; k < 5000 && !(before && far(before, summit) < 1e-9 * state.sigma); k++) {
        [before, summit] = [summit, landscape.nextMeans(land.values, mixture(summit))];
      }
      if (!found.some((one) => far(one, summit) < 0.01 * state.sigma)) found.push(summit);
    }));
    return found;
  }
  const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

  // --- the guess, and the bound ---

  // the guess: what the E-step at `laid` has made of it; before any E-step half and half
  const guessOf = (laid) => (laid ? gmm.eStep(set.X, mixture(laid)).responsibilities : set.X.map(() => [0.5, 0.5]));
  const boundFor = (q, laid) => ({ q, ...landscape.boundOfMeans(set.X, q, mixture(laid || state.here)) });
  const boundOf = (laid) => boundFor(guessOf(laid), laid);
  function bound() {
    const id = String(state.laid);
    if (!land.bounds.has(id)) {
      if (land.bounds.size > 50) land.bounds.clear();
      land.bounds.set(id, boundOf(state.laid));
    }
    return land.bounds.get(id);
  }
  const shares = (theta) => gmm.eStep(set.X, mixture(theta)).responsibilities;
  const gapAt = (theta, q) => gmm.divergence(q, shares(theta));
  const touches = () => pair(state.laid, state.here);
  const onTop = () => pair(bound().top, state.here);
  const lastRow = () => state.rows[state.rows.length - 1];
  const done = () => state.rows.length > 1 && Math.abs(lastRow().rise) <= 1e-9 * set.X.length;

  // The line of the third picture: through θ and the top of the bound. Where no step is left it runs across the diagonal.
  function line() {
    const { top } = bound();
    const from = state.prev && onTop() ? state.prev : state.here;
    const length = far(from, top);
    if (length > 1e-5 * state.sigma) {
      const reach = Math.max(length, 0.05 * state.sigma);
      const way = [(top[0] - from[0]) / length, (top[1] - from[1]) / length];
      return { from, way, length, range: [-0.6 * reach, 1.8 * reach] };
    }
    const size = Math.hypot(state.weight, 1 - state.weight);
    const way = [-(1 - state.weight) / size, state.weight / size]; // on it the mean of the mixture stays
    return { from: state.here, way, length: 0, range: [-state.sigma, state.sigma] };
  }
  const onLine = ({ from, way }, s) => [from[0] + s * way[0], from[1] + s * way[1]];

  // --- the two steps ---

  function takeE() {
    const lift = gapAt(state.here, bound().q);
    state = { ...state, lift, laid: state.here, prev: null, half: state.half + 1, first: state.first || "e", look: kept() };
  }
  function takeM() {
    const { q, top, height, at } = bound();
    const [before, after] = [ell(state.here), ell(top)];
    const row = { means: top, l: after, rise: after - before, gain: height - at(state.here), gap: gapAt(top, q), open: gapAt(state.here, q) };
    state = {
      ...state, here: top, prev: state.here, rows: [...state.rows, row], half: state.half + 1, first: state.first || "m", look: kept(),
    };
  }
  const takeHalf = () => (touches() ? takeM() : takeE());
  function begin(theta, laid, more = {}) {
    state = { ...state, ...more, start: theta, here: theta, base: laid, laid, prev: null, half: 0, first: "", look: kept() };
    if (Object.keys(more).length) survey();
    state.tooFew = !land;
    state.rows = [{ means: theta, l: land ? ell(theta) : 0 }];
  }
  // a point that is looked at stays so, a place on the line does not: the line is another one
  const kept = () => (state && state.look && state.look.point !== undefined ? state.look : null);
  function choose(key) {
    set = measured(key === "own" ? own() : SETS[key]);
    set.start = short(set.start, 0);
    state = { ...state, look: null };
    begin(set.start, null, { key, weight: set.weight, sigma: set.sigma });
  }
  const own = () => ({ X: mine.X, range: mine.frame(0), weight: 0.5, label: mine.labels[0] });
  // The reader has changed a number: what was chosen before stays as far as it can.
  function adopt(before) {
    choose("own");
    if (!land || before.tooFew) return;
    const inside = (theta) => theta && short(theta.map((v) => clamp(v, ...set.range)));
    const sigma = clamp(set.steps(before.sigma), set.least, set.most);
    begin(inside(before.here), inside(before.laid), { weight: before.weight, sigma });
  }
  // What is dragged is one change, and so is a slider from down to up.
  let tag = "";
  function remember(what = "") {
    if (what && what === tag) return;
    tag = what;
    past = [...past.slice(-199), { set, state, land }];
  }

  // --- in words ---

  const L = () => letter("ℓ");
  const B = () => letter("ℒ");
  const near = (v, more = 0) => ownData.near(v, set.decimals + more);
  const place = (theta) => `(${theta.map((v) => near(v)).join(", ")})`;
  const gap = () => gapAt(state.here, bound().q);

  function sayStart(...before) {
    if (!land) return f.say(...before, TOO_FEW);
    const here = [...before, letter("θ"), ` is ${place(state.here)}, and `, L(), ` is ${fixed(ell(state.here))}. `];
    if (touches()) return f.say(...here, "The bound touches here. Press M-step: it goes to the top of the bound.");
    const guess = state.laid ? `the guess is still that of ${place(state.laid)}` : "the guess is half and half for every point";
    f.say(...here, `No E-step has been taken here: ${guess}, and the bound lies ${digits(gap(), 3)} below `, L(), ". Press E-step.");
  }
  const size = (v) => (v < 1e-6 ? "less than 10⁻⁶" : digits(v, 3));
  function sayE(...before) {
    const step = line().length;
    const ahead = step ? `The coming step is ${digits(step, 3)} long.` : `No step is left${atSaddle() ? ", and yet this is the saddle and no summit: look at the line" : ""}.`;
    if (state.lift < 1e-9) return f.say(...before, `E-step: no share changes, and the bound touches `, L(), ` at ${place(state.here)} as it did. ${ahead}`);
    f.say(...before, `E-step: each point is shared out anew, and the bound rises by ${size(state.lift)} until it touches `, L(), ` at ${place(state.here)}. `,
      `The gap is closed, and `, L(), ` stays at ${fixed(ell(state.here))}. ${ahead}`);
  }
  function sayM(...before) {
    const row = lastRow();
    if (done()) {
      return f.say(...before, "M-step: the top of the bound is where ", letter("θ"), ` was, ${place(state.here)}. The step is 0, and `, L(), ` stays at ${fixed(row.l)}: EM has come to rest`,
        atSaddle() ? ", on the saddle. Push θ off the diagonal." : ".");
    }
    const to = [...before, `M-step: to the top of the bound, ${place(state.here)}, a step of ${digits(far(state.prev, state.here), 3)}. The bound rose by ${size(row.gain)}`];
    const gaps = `${size(row.open)} to ${size(row.gap)}`;
    if (row.rise < 0) return f.say(...to, ", and yet ", L(), ` fell by ${size(-row.rise)}: the bound did not touch, and the gap shrank from ${gaps}. The E-step should have come first.`);
    if (row.open > 1e-9) return f.say(...to, `, the gap went from ${gaps}, and `, L(), ` rose by ${size(row.rise)}. Without the E-step nothing promised that.`);
    f.say(...to, `, and above it a gap of ${size(row.gap)} has opened: `, L(), ` rose by both together, ${size(row.rise)}, to ${fixed(row.l)}.`);
  }
  const atSaddle = () => land.saddle !== null && far(state.here, [set.mean, set.mean]) < 0.01 * state.sigma;
  function sayState(...before) {
    if (!state.half) sayStart(...before);
    else if (touches()) sayE(...before);
    else sayM(...before);
  }

  // --- the controls ---

  const controls = f.row("touch-spread");
  const sets = f.select(controls, "Data", [...Object.entries(SETS).map(([key, s]) => [key, s.name]), ["own", "Your own numbers"]], (key) => {
    if (key === "own" && !mine.points.length) return mine.copy(); // something to change
    remember();
    choose(key);
    show();
    sayStart();
  });
  const sliderOf = (label, name, range, change) => {
    const slider = f.slider(controls, label, range, (v) => {
      remember(name);
      begin(short(state.here), null, change(v));
      show();
      sayStart();
    });
    slider.addEventListener("change", () => { tag = ""; });
    return slider;
  };
  const weights = sliderOf(letter("α", 1), "weight", { min: 0.05, max: 0.95, step: 0.01, format: (v) => fixed(v) }, (v) => ({ weight: v }));
  const sigmas = sliderOf(letter("σ"), "sigma", { min: 0, max: 1 }, (v) => ({ sigma: v }));
  weights.setAttribute("aria-label", "α1, weight of component 1");
  sigmas.setAttribute("aria-label", "σ, standard deviation of both components");

  const views = el("div", { class: "touch-views" });
  f.root.append(views);
  const data = f.plot({
    label: "The data, coloured by their shares, with both components and their mixture", class: "touch-data",
    in: views, x: [0, 1], y: [0, 1], height: 230, left: 30, handles: true,
  });
  const plane = f.plot({
    label: "The log-likelihood as a landscape over the two means, with the path and the place that the M-step leads to",
    class: "touch-map", in: views, x: [0, 1], y: [0, 1], ratio: 0.95, least: 260, left: 46, handles: true, xLabel: "μ₁", yLabel: "μ₂",
  });
  const cut = f.plot({
    label: "The log-likelihood and the bound along the line through θ and the top of the bound",
    class: "touch-cut", in: views, x: [0, 1], y: [0, 1], ratio: 0.95, least: 260, left: 60, handles: true, xLabel: "distance along the line", yLabel: "log-likelihood",
  });
  const key = el("p", { class: "touch-key touch-muted" }, "Star: a summit. Cross: the saddle. Ring: the top of the bound, where the M-step goes. ",
    "Ellipse: inside it the bound is higher than ", letter("ℓ"), " is at ", letter("θ"), ".");
  const looked = el("p", { class: "touch-looked touch-muted" });
  f.root.append(key, looked);

  const theta = plane.handle({
    class: "touch-theta", label: "θ, the two means", text: "θ",
    at: () => (moving ? moving.theta : state.here),
    move: (to, how) => {
      remember(how === "key" ? "" : "drag");
      if (how === "end") tag = "";
      const laid = state.laid && short(state.laid);
      begin(short(to), laid);
      show();
      sayStart();
    },
    words: () => state.here.map((v, j) => `mean ${j + 1} ${near(v)}`).join(", "),
  });
  theta.node.addEventListener("pointerdown", () => { tag = ""; });
  plane.svg.addEventListener("click", (event) => {
    if (theta.node.contains(event.target)) return;
    const to = plane.at(event);
    if (to.some((v) => v < set.range[0] || v > set.range[1])) return;
    f.stop();
    remember();
    begin(short(to, 0), state.laid && short(state.laid));
    show();
    sayStart();
  });

  // What is looked at: a point of the data, or a place on the line. Both can be held by a handle, or passed by the pointer.
  const nearest = (x) => land.values.reduce((best, [value], i) => (Math.abs(value - x) < Math.abs(land.values[best][0] - x) ? i : best), 0);
  const pointAt = () => (state.look && state.look.point !== undefined ? state.look.point : Math.floor(land.values.length / 2));
  const placeAt = () => (state.look && state.look.s !== undefined ? state.look.s : line().range[1] * 0.75);
  function look(at) {
    moving = hover = null;
    state = { ...state, look: at };
    f.update();
    tell();
  }
  const floor = (plot) => plot.fromPixels(0, plot.inner.bottom - 10)[1];
  const finger = data.handle({
    class: "touch-small", label: "The point looked at", axis: "x",
    at: () => [land ? land.values[pointAt()][0] : set.range[0], floor(data)],
    move: ([x], how) => {
      const now = pointAt();
      if (how !== "key") return look({ point: nearest(x) });
      const jump = Math.max(1, Math.round(Math.abs(x - land.values[now][0]) / ((data.x[1] - data.x[0]) / 100)));
      look({ point: clamp(now + Math.sign(x - land.values[now][0]) * jump, 0, land.values.length - 1) });
    },
    words: () => (land ? pointWords(pointAt()) : "none"),
  });
  const probe = cut.handle({
    class: "touch-small", label: "A place on the line", axis: "x",
    at: () => [land ? placeAt() : 0, floor(cut)],
    move: ([s]) => look({ s: Number(s.toPrecision(5)) }),
    words: () => (land ? placeWords(onLine(line(), placeAt())) : "none"),
  });
  const passes = (plot, handle, at) => {
    plot.svg.addEventListener("pointermove", (event) => {
      const inside = plot.at(event).every((v, c) => v >= [plot.x, plot.y][c][0] && v <= [plot.x, plot.y][c][1]);
      if (event.pointerType === "mouse" && !event.buttons) point(inside && !handle.node.contains(event.target) ? at(plot.at(event)) : null);
    });
    plot.svg.addEventListener("pointerleave", () => point(null));
  };
  function point(at) {
    if (!land || at === hover || JSON.stringify(at) === JSON.stringify(hover)) return;
    hover = at;
    f.render();
    tell();
  }
  const focused = (handle, at) => {
    handle.node.addEventListener("focus", () => point(at()));
    handle.node.addEventListener("blur", () => point(null));
  };
  focused(finger, () => ({ point: pointAt() }));
  focused(probe, () => ({ s: placeAt() }));
  passes(data, finger, ([x]) => ({ point: nearest(x) }));
  passes(plane, theta, (means) => ({ means }));
  passes(cut, probe, ([s]) => ({ s }));
  data.svg.addEventListener("click", (event) => {
    if (land && !mine.editing && !finger.node.contains(event.target)) look({ point: nearest(data.at(event)[0]) });
  });
  cut.svg.addEventListener("click", (event) => {
    if (!probe.node.contains(event.target)) look({ s: Number(clamp(cut.at(event)[0], ...cut.x).toPrecision(5)) });
  });
  f.root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.look) look(null);
  });
  const active = () => land && (hover || state.look);
  function pointWords(i) {
    const [x, count] = land.values[i];
    const at = set.X.indexOf(x);
    const { q } = bound();
    const m = mixture(state.here);
    const joint = gmm.logJoint(x, m);
    const [now, guess] = [gmm.softmax(joint), q[at]];
    const term = gmm.logSumExp(joint);
    const kl = gmm.divergence([guess], [now]);
    const many = count > 1 ? `, ${count} points` : "";
    return `x = ${near(x)}${many}: component 1 has ${fixed(guess[0], 3)} of it in the guess, ${fixed(now[0], 3)} at θ. ` +
      `Its term of ℓ is ${fixed(term, 3)}, of ℒ ${fixed(term - kl, 3)}, and its gap ${fixed(kl, 3)}.`;
  }
  function placeWords(means) {
    const [height, low] = [ell(means), bound().at(means)];
    return `With the means ${place(means)}: ℓ is ${fixed(height)}, ℒ ${fixed(low)}, the gap ${fixed(Math.max(height - low, 0))}.`;
  }
  const placeOf = (at) => (at.means ? at.means : onLine(line(), at.s));
  function tell() {
    const at = active();
    looked.textContent = !at ? "Point at a number, at a place of the landscape or at one on the line: the other pictures show what it is there."
      : at.point !== undefined ? pointWords(at.point) : placeWords(placeOf(at));
  }

  const mine = ownData.panel(f, data, {
    dimension: 1, most: MOST_OWN, source: () => ({ points: set.X, names: [set.label] }), before: data.box,
    restore: take,
    changed: (how, said) => {
      if (how !== "chosen") past = [];
      if (how === "copy" || how === "new") choose("own");
      if (how === "edit" || how === "drag") adopt(state);
      show();
      if (how === "chosen") f.say(said);
      else sayState(said);
    },
  });

  const buttons = f.row("touch-thirds");
  const able = (act) => () => (land ? act() : f.say(TOO_FEW));
  const eButton = f.button(buttons, "E-step", able(() => {
    if (touches()) return f.say("Nothing changes: the bound touches here already. The M-step is next.");
    remember();
    halfE();
  }));
  const mButton = f.button(buttons, "M-step", able(() => {
    if (onTop()) return f.say("Nothing changes: this is the top of the bound. The E-step is next.");
    remember();
    halfM();
  }));
  f.button(buttons, "One iteration", able(() => {
    remember();
    if (!touches()) takeE();
    halfM();
  }));
  f.player(buttons, () => {
    if (!land) {
      f.say(TOO_FEW);
      return 0;
    }
    remember("play");
    if (!touches()) {
      halfE();
      return 1100;
    }
    halfM();
    return done() ? 0 : 1300;
  });
  f.button(buttons, "Back", () => {
    if (!past.length) return f.say("There is nothing to go back to.");
    ({ set, state, land } = past.pop());
    tag = "";
    show();
    sayState();
  });
  f.button(buttons, "Reset", () => {
    remember();
    choose(state.key);
    show();
    sayStart();
  });
  const tour = f.row("touch-tour");
  const startAt = (of) => able(() => {
    remember();
    begin(short(of(set), 0), null);
    show();
    sayStart();
  });
  tour.append(el("span", { class: "touch-muted" }, "Start with"));
  f.button(tour, "equal means", startAt(({ mean, sd }) => [mean - sd, mean - sd]), { class: "touch-quiet" });
  f.button(tour, "nearly equal ones", startAt(({ mean, sd, decimals }) => [mean - sd, mean - sd + 10 ** -decimals]), { class: "touch-quiet" });
  f.button(tour, "exchanged names", startAt(({ mean, sd }) => [mean + sd / 2, mean - sd / 2]), { class: "touch-quiet" });
  f.words();
  const head = f.row("touch-spread");
  const value = el("output", { class: "touch-l" });
  head.append(value);
  f.link(head);
  const numbers = el("tbody");
  const heads = [[letter("t")], [letter("μ", 1)], [letter("μ", 2)], [L()], ["gain by M"], ["gap for E"]];
  const table = el("details", {}, el("summary", {}, "The iterations in numbers"),
    el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((cell) => el("th", { scope: "col" }, ...cell)))), numbers));
  f.root.append(table);

  // --- from one state to the next ---

  // The E-step lifts the bound: every mixture of the old guess and the new one is a guess as well.
  function halfE() {
    const before = bound();
    takeE();
    const after = bound();
    show();
    sayE();
    glide((share) => ({ theta: state.here, q: after.q.map((row, i) => row.map((v, j) => before.q[i][j] + share * (v - before.q[i][j]))) }));
  }
  function halfM() {
    const from = state.here;
    takeM();
    const to = state.here;
    show();
    sayM();
    glide((share) => ({ theta: from.map((v, j) => v + share * (to[j] - v)), q: bound().q }));
  }
  function glide(at) {
    const now = state;
    f.tween(600, (share) => {
      if (state !== now) return; // the reader was faster
      moving = share < 1 ? at(share) : null;
      f.render();
    });
  }

  // --- drawing ---

  const there = () => (moving ? moving.theta : state.here);
  const lower = () => (moving ? boundFor(moving.q, state.laid) : bound());
  const across = (plot, steps, of) => Array.from({ length: steps + 1 }, (_, k) => {
    const x = plot.x[0] + ((plot.x[1] - plot.x[0]) * k) / steps;
    return [x, of(x)];
  });

  data.draw = () => {
    const most = 1.02 / (state.sigma * Math.sqrt(2 * Math.PI));
    data.x = set.range;
    data.y = [-0.75 * most, most];
    data.axes({ yTicks: false });
    const b = data.inner;
    const base = data.py(0);
    data.add("path", { d: `M${b.left} ${base}H${b.right}`, class: "touch-curve faint" });
    // the points hang below the line, equal ones below one another
    const deep = Math.max(...set.values.map(([, count]) => count));
    const room = b.bottom - 20 - base;
    const pitch = Math.min(room / Math.max(deep, 8), 7);
    const down = (most - data.y[0]) / (b.bottom - b.top);
    const [seen, spots] = [new Map(), []];
    for (const x of set.X) {
      const bin = Math.round(data.px(x) / (1.2 * pitch));
      const k = seen.get(bin) || 0;
      seen.set(bin, k + 1);
      spots.push([x, -down * Math.min((k + 0.7) * pitch, room)]);
    }
    const colours = touch.palette(f.root);
    const size = clamp(0.62 * pitch, 1.8, 4);
    data.points("data", spots, land && lower().q.map((row) => touch.blended(row, colours)), size);
    data.text((b.left + b.right) / 2, data.height - 5, set.label, "touch-axis middle", "back");
    if (!land) return;
    const m = mixture(there());
    const parts = [0, 1].map((j) => across(data, 160, (x) => m.weights[j] * gmm.gaussian(x, m.means[j], m.covariances[j])));
    parts.forEach((curve, j) => data.curve(`c${j + 1}`, curve));
    data.curve("plain touch-whole", parts[0].map(([x, y], k) => [x, y + parts[1][k][1]]));
    m.means.forEach((mean, j) => data.text(clamp(data.px(mean), b.left + 8, b.right - 8) + (j ? 6 : -6), base - 6, String(j + 1), `middle touch-halo touch-strong c${j + 1}`));
    const at = active();
    if (at && at.point === undefined) {
      const other = mixture(placeOf(at));
      data.curve("plain dotted touch-other", across(data, 160, (x) => gmm.density(x, other)));
    }
    if (at && at.point !== undefined) {
      const [x] = land.values[at.point];
      data.curve("plain dotted touch-seen", [[x, data.y[0]], [x, most]]);
      data.dot("", [x, gmm.density(x, m)], 4, "over");
    }
  };

  plane.draw = () => {
    if (!land) return;
    plane.x = plane.y = set.range;
    landscape.draw(plane, land);
    if (land.saddle !== null) landscape.mark(plane, [set.mean, set.mean], false);
    land.summits.forEach((summit) => landscape.mark(plane, summit, true));
    const [low, high] = set.range;
    const [b, way, here] = [lower(), line(), there()];
    // where the bound is at least as high as ℓ is now, ℓ is so all the more
    const over = b.height - ell(here);
    if (over > 1e-9) {
      const axis = (j) => Math.min((2 * over * land.v) / b.counts[j], (100 * (high - low)) ** 2);
      plane.ellipse("c3 touch-sure", b.top, [[axis(0), 0], [0, axis(1)]], 1);
    }
    plane.curve("faint touch-line", way.range.map((s) => onLine(way, s)));
    plane.curve("plain touch-path", [...state.rows.map(({ means }) => means).slice(0, moving ? -1 : undefined), here]);
    state.rows.forEach(({ means }) => plane.dot("", means, 2.6));
    plane.add("circle", { cx: plane.px(b.top[0]), cy: plane.py(b.top[1]), r: 6, class: "touch-ring c3" }, "over");
    const at = active();
    if (at && at.point !== undefined) {
      const [x] = land.values[at.point];
      plane.curve("plain dotted touch-seen", [[x, low], [x, high]]);
      plane.curve("plain dotted touch-seen", [[low, x], [high, x]]);
    } else if (at) plane.dot("touch-other", placeOf(at), 5, "over");
  };

  function frameCut() {
    const [way, b] = [line(), bound()];
    cut.x = way.range;
    const ends = [0, way.length].map((s) => onLine(way, s));
    const heights = across(cut, 60, (s) => ell(onLine(way, s))).map(([, y]) => y);
    const high = Math.max(...heights, b.height);
    const low = Math.min(...ends.flatMap((end) => [ell(end), b.at(end)]), way.length ? Infinity : Math.min(...heights));
    const span = Math.max(high - low, 1e-6 * Math.abs(high));
    cut.y = [low - 0.45 * span, high + 0.12 * span];
    cut.options.left = 28 + 7 * Math.max(...touch.ticks(...cut.y, 5).map(({ text }) => text.length));
  }
  cut.draw = () => {
    if (!land) return;
    frameCut();
    const [way, b] = [line(), lower()];
    const here = there();
    const s = way.length ? (here[0] - way.from[0]) * way.way[0] + (here[1] - way.from[1]) * way.way[1] : 0;
    cut.axes();
    const above = across(cut, 120, (t) => ell(onLine(way, t)));
    const below = across(cut, 120, (t) => b.at(onLine(way, t)));
    const path = [...above, ...below.slice().reverse()].map(([x, y], k) => `${k ? "L" : "M"}${cut.px(x).toFixed(1)} ${cut.py(y).toFixed(1)}`);
    cut.add("path", { d: `${path.join("")}Z`, class: "touch-area c3" });
    cut.curve("c3 touch-bound", below);
    cut.curve("plain touch-ell", above);
    const [x, y, z] = [cut.px(s), cut.py(ell(here)), cut.py(b.at(here))];
    cut.add("path", { d: `M${x} ${y}V${cut.inner.bottom}`, class: "touch-curve faint dotted" });
    cut.add("path", { d: `M${x} ${y}V${z}`, class: "touch-gap c3" });
    const topAt = (b.top[0] - way.from[0]) * way.way[0] + (b.top[1] - way.from[1]) * way.way[1];
    if (!moving) cut.add("circle", { cx: cut.px(topAt), cy: cut.py(b.height), r: 6, class: "touch-ring c3" });
    if (!moving && z - y > 16) {
      const left = x > (cut.inner.left + cut.inner.right) / 2;
      cut.text(x + (left ? -9 : 9), clamp((y + z) / 2, cut.inner.top + 12, cut.inner.bottom - 30) + 4, `KL ${digits(gap(), 3)}`, `touch-halo${left ? " end" : ""}`);
    }
    cut.dot("c3", [s, b.at(here)], 4.5);
    cut.dot("", [s, ell(here)], 5, "over");
    const at = active();
    if (at && at.s !== undefined) {
      const means = onLine(way, at.s);
      cut.curve("plain dotted touch-seen", [[at.s, cut.y[0]], [at.s, cut.y[1]]]);
      cut.dot("touch-other", [at.s, ell(means)], 5, "over");
      cut.dot("touch-other", [at.s, b.at(means)], 4, "front");
    } else if (at && at.means) cut.curve("plain dotted touch-seen", [[cut.x[0], ell(at.means)], [cut.x[1], ell(at.means)]]);
    if (moving) return;
    cut.text(cut.px(topAt), cut.py(ell(b.top)) - 10, "ℓ", "middle touch-halo touch-strong");
    cut.text(cut.px(topAt), cut.py(b.height) + 22, "ℒ", "middle touch-halo touch-strong");
  };

  function show() {
    moving = hover = null;
    sets.value = state.key;
    mine.show(state.key === "own");
    finger.show(land && !mine.editing);
    [plane.box, cut.box, key, head, table].forEach((one) => { one.hidden = !land; });
    plane.x = plane.y = data.x = set.range;
    tell();
    if (land) {
      Object.assign(sigmas, { min: set.least, max: set.most, step: set.step });
      weights.show(state.weight);
      sigmas.show(state.sigma);
      frameCut();
    }
    eButton.classList.toggle("touch-next", land && !touches() && !done());
    mButton.classList.toggle("touch-next", land && touches() && !done());
    const term = (...parts) => el("span", { class: "touch-term" }, ...parts);
    value.replaceChildren(...(land ? [term(L(), ` = ${fixed(ell(state.here), 4)}`), " ", term("= ", B(), ` ${fixed(bound().at(state.here), 4)}`), " ",
      term(`+ KL ${fixed(gap(), 4)}`), el("span", { class: "touch-muted" }, ` step ${digits(line().length, 3)}, iteration ${state.rows.length - 1}`)] : []));
    const cell = (text) => el("td", {}, text);
    numbers.replaceChildren(...state.rows.map(({ means, l, gain, gap: kl }, k) => el("tr", {}, el("th", { scope: "row" }, String(k)),
      ...means.map((v) => cell(near(v, 2))), cell(fixed(l, 4)), cell(k ? fixed(gain, 5) : ""), cell(k ? fixed(kl, 5) : ""))));
    f.update();
  }

  // the state that an address holds, but for the reader's own numbers
  function take(given) {
    choose(given.data === "own" || Object.keys(SETS).includes(given.data) ? given.data : "waits");
    if (!land) return;
    const pairOf = (text) => {
      const found = (text || "").split(",").map(Number);
      return text && found.length === 2 && found.every(Number.isFinite) ? found.map((v) => clamp(v, ...set.range)) : null;
    };
    const weight = Number(touch.within(given.a, [0.05, 0.95], set.weight).toFixed(2));
    const sigma = set.steps(touch.within(given.s, [set.least, set.most], set.sigma));
    begin(pairOf(given.m) || set.start, pairOf(given.q), { weight, sigma });
    const [, first, count] = /^(m?)(\d{1,4})$/.exec(given.h || "") || ["", "", "0"];
    if (first && Number(count) && !onTop()) takeM();
    while (state.half < Math.min(Number(count), MOST)) takeHalf();
    const [index, s] = [given.x, given.at].map((text) => (text ? Number(text) : NaN));
    if (Number.isInteger(index) && index >= 0 && index < set.values.length) state.look = { point: index };
    else if (Number.isFinite(s)) state.look = { s: clamp(s, ...line().range) };
  }
  f.address(
    () => ({
      data: state.key === "waits" ? "" : state.key,
      ...mine.write(),
      a: state.weight === set.weight ? "" : state.weight,
      s: state.sigma === set.sigma ? "" : state.sigma,
      m: pair(state.start, set.start) ? "" : state.start.join(","),
      q: state.base ? state.base.join(",") : "",
      h: state.half ? (state.first === "m" ? "m" : "") + state.half : "",
      x: state.look && state.look.point,
      at: state.look && state.look.s,
    }),
    (given) => {
      past = [];
      const whole = mine.read(given);
      take(given);
      show();
      sayState(whole ? "" : "This link does not hold the points: they were too many. ");
    },
    { h: "2" } // the bound that the first E-step laid, and the gap that the first M-step has opened
  );
});

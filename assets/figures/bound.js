// ℓ along one parameter of the fitted mixture, and the bound that EM lays against it from below.
touch.figure("bound", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "The bound");
  const { el, fixed, digits, letter, clamp } = touch;
  const X = gmmData.faithful.map(([, wait]) => wait);
  const MOST = 400; // half-steps that an address may ask for
  // the fitted mixture, as the chapter has it after 36 iterations
  const fitted = gmm.fit(X, gmm.univariate([0.5, 0.5], [60, 65], [150, 150]), { tol: null, maxIter: 36 }).mixture;
  const other = (list, value) => [value, list[1]];
  const KINDS = {
    mean: { name: "mean", sign: ["μ", 1], words: "the first mean, in minutes", range: [45, 90], low: -1950, start: 83, decimals: 2,
      at: (v) => ({ ...fitted, means: other(fitted.means, v) }), of: (m) => m.means[0] },
    variance: { name: "variance", sign: ["σ", 1, "²"], words: "the first variance", range: [8, 300], low: -1130, start: 260, decimals: 1,
      at: (v) => ({ ...fitted, covariances: other(fitted.covariances, v) }), of: (m) => m.covariances[0] },
    weight: { name: "weight", sign: ["α", 1], words: "the first weight", range: [0.02, 0.98], low: -1400, start: 0.95, decimals: 3,
      at: (v) => ({ ...fitted, weights: [v, 1 - v] }), of: (m) => m.weights[0] },
  };
  const hold = { weights: fitted.weights, means: fitted.means, covariances: fitted.covariances };

  let kind, here, start, from; // from: the places where bounds were laid, the present one last
  let half, rows, close; // half-steps since the start; one row for each iteration; the close-up
  const bounds = new Map();
  const sign = () => el("span", {}, letter(...KINDS[kind].sign.slice(0, 2)), KINDS[kind].sign[2] || "");
  const at = (v) => KINDS[kind].at(v);
  const ell = (v) => gmm.logLikelihood(X, at(v));

  // The bound that touches at `place`: q, its value anywhere, and its top.
  function boundOf(place) {
    const id = `${kind} ${place}`;
    if (!bounds.has(id)) {
      if (bounds.size > 50) bounds.clear();
      const q = gmm.eStep(X, at(place)).responsibilities;
      const best = gmm.mStep(X, q).mixture;
      const [counts, H] = [gmm.countsOf(q), gmm.entropy(q)];
      // ℒ from the counts, weighted means and variances: the sum over all points, done once
      const value = (v) => {
        const m = at(v);
        return counts.reduce((total, count, j) => total + count * (Math.log(m.weights[j]) - 0.5 * Math.log(2 * Math.PI * m.covariances[j]) -
          (best.covariances[j] + (best.means[j] - m.means[j]) ** 2) / (2 * m.covariances[j])), H);
      };
      const free = { mean: "means", variance: "covariances", weight: "weights" }[kind];
      const top = KINDS[kind].of(gmm.mStep(X, q, { hold: { ...hold, [free]: null } }).mixture);
      bounds.set(id, { place, q, value, top });
    }
    return bounds.get(id);
  }
  const bound = () => (from.length ? boundOf(from[from.length - 1]) : null);
  const touches = () => from.length && from[from.length - 1] === here;
  const isTop = () => from.length && bound().top === here;
  const gap = () => gmm.divergence(bound().q, gmm.eStep(X, at(here)).responsibilities);
  const done = () => rows.length > 1 && rows[rows.length - 1].l - rows[rows.length - 2].l <= 1e-9 * X.length;

  // --- the two steps ---

  function takeE() {
    from.push(here);
    half += 1;
  }
  function takeM() {
    const b = bound();
    const gain = b.value(b.top) - b.value(here);
    here = b.top;
    rows.push({ v: here, l: ell(here), gain, kl: gap() });
    half += 1;
  }
  const takeHalf = () => (touches() ? takeM() : takeE());
  function begin(v, laid) {
    [here, start, from, half, rows] = [v, { v, laid }, laid === null ? [] : [laid], 0, [{ v, l: ell(v) }]];
  }

  // --- in words ---

  const L = () => letter("ℓ");
  const B = () => letter("ℒ");
  const shown = (v) => fixed(v, KINDS[kind].decimals);
  const is = (v) => [sign(), ` = ${shown(v)}`];

  function sayStart() {
    f.say("Start at ", ...is(here), ". All other parameters are held. Press E-step: it lays a bound against the curve from below.");
  }
  function sayE() {
    f.say("E-step: the bound touches ", L(), " at ", ...is(here), " and lies below it everywhere else. The gap is closed, and ", L(), " stays.");
  }
  function sayM() {
    const row = rows[rows.length - 1];
    if (done()) return f.say(`Converged: iteration ${rows.length - 1} raised `, L(), " by less than 10⁻⁹ per point. Bound and curve have their top at the same place, ", ...is(here), ".");
    f.say("M-step: to the top of the bound, ", ...is(here), `. The bound rose by ${digits(row.gain, 3)}, and above it the gap has opened by ${digits(row.kl, 3)}: `,
      L(), " rose by both together.");
  }
  function sayMoved() {
    if (!from.length) return f.say(...is(here), ": ", L(), ` is ${fixed(rows[0].l, 2)}. Press E-step to lay a bound against it here.`);
    f.say("At ", ...is(here), " the bound laid at ", `${shown(bound().place)} is ${digits(gap(), 3)} below `, L(), ". That gap is the divergence of its guess from the posterior here.");
  }

  // --- the controls ---

  const controls = f.row("touch-spread");
  const kinds = f.choice(controls, "Parameter", Object.entries(KINDS).map(([key, k]) => [key, k.name]), (key) => {
    kind = key;
    begin(KINDS[key].start, null);
    show();
    sayStart();
  });
  const zoom = f.checkbox(controls, "close-up", (on) => {
    close = on;
    show();
  });
  const plot = f.plot({
    label: "The log-likelihood along one parameter, and the lower bound that touches it", x: [0, 1], y: [0, 1],
    ratio: 0.56, least: 290, left: 66, handles: true, yLabel: "log-likelihood",
  });
  plot.handle({
    class: "touch-place", label: "The parameter",
    axis: "x",
    at: () => [here, plot.fromPixels(0, plot.inner.bottom - 14)[1]], // just above the axis
    move: ([v], how) => {
      const laid = bound();
      begin(clamp(v, ...KINDS[kind].range), laid && laid.place);
      show(how === "drag");
      if (how !== "drag") sayMoved();
    },
    words: () => `${KINDS[kind].name} ${shown(here)}`,
  });

  const buttons = f.row("touch-thirds");
  const eButton = f.button(buttons, "E-step", () => {
    if (touches()) return f.say("Nothing changes: the bound touches here already. The M-step is next.");
    takeE();
    show();
    sayE();
  });
  const mButton = f.button(buttons, "M-step", () => {
    if (!from.length) return f.say("There is no bound yet whose top could be taken. The E-step comes first.");
    if (isTop()) return f.say("Nothing changes: this is the top of the bound. The E-step is next.");
    if (!touches()) return f.say("The bound does not touch here, and on the way to its top ", L(), " could fall. The E-step comes first.");
    move(takeM);
    sayM();
  });
  f.button(buttons, "One iteration", () => {
    if (!touches()) takeE();
    move(takeM);
    sayM();
  });
  f.player(buttons, () => {
    if (touches()) {
      move(takeM);
      sayM();
      return done() ? 0 : 1300;
    }
    takeE();
    show();
    sayE();
    return 900;
  });
  f.button(buttons, "Reset", () => {
    begin(KINDS[kind].start, null);
    show();
    sayStart();
  });
  f.words();
  const head = f.row("touch-spread");
  const value = el("output", { class: "touch-l" });
  head.append(value);
  f.link(head);
  const numbers = el("tbody");
  const heads = el("tr");
  f.root.append(el("details", {}, el("summary", {}, "The iterations in numbers"),
    el("table", {}, el("thead", {}, heads), numbers)));

  // --- drawing ---

  let glide = null; // the point on its way to the top
  function move(step) {
    const before = here;
    step();
    const to = here;
    show();
    f.tween(600, (share) => {
      if (here !== to) return;
      glide = share < 1 ? before + (to - before) * share : null;
      plot.render();
    });
  }
  function frame() {
    const { range, low } = KINDS[kind];
    plot.x = range;
    let high = ell(KINDS[kind].of(fitted));
    let floor = low;
    if (close) {
      const ends = from.length ? [here, bound().place, bound().top] : [here];
      const wide = Math.max(Math.max(...ends) - Math.min(...ends), 0.004 * (range[1] - range[0]));
      plot.x = [Math.max(range[0], Math.min(...ends) - 0.5 * wide), Math.min(range[1], Math.max(...ends) + 0.5 * wide)];
      const heights = ends.map(ell);
      high = Math.max(...heights, ...plot.x.map(ell));
      floor = Math.min(...heights, ...(from.length ? ends.map(bound().value) : []));
    }
    plot.y = [floor - (close ? 0.35 : 0) * (high - floor), high + 0.1 * (high - floor)];
  }
  let curve = null;
  plot.draw = () => {
    const steps = 160;
    const places = Array.from({ length: steps + 1 }, (_, k) => plot.x[0] + ((plot.x[1] - plot.x[0]) * k) / steps);
    const id = `${kind} ${plot.x}`;
    if (!curve || curve.id !== id) curve = { id, points: places.map((v) => [v, ell(v)]) };
    plot.axes();
    const trace = (b) => places.map((v) => [v, b.value(v)]);
    const name = (k) => `c${((k + 2) % 6) + 1}`; // as in the still picture
    const now = from.length - 1;
    const colour = now >= 0 ? name(now) : "";
    from.slice(0, now).slice(-3).forEach((place, k, some) => {
      const index = now - some.length + k;
      plot.curve(`${name(index)} touch-past`, trace(boundOf(place)));
      plot.dot(`${name(index)} touch-past`, [place, ell(place)], 3.5);
    });
    const place = glide === null ? here : glide;
    if (now >= 0) {
      const b = bound();
      const lower = trace(b);
      const d = [...curve.points, ...[...lower].reverse()].map(([x, y], k) => `${k ? "L" : "M"}${plot.px(x).toFixed(1)} ${plot.py(y).toFixed(1)}`);
      plot.add("path", { d: d.join("") + "Z", class: `touch-area ${colour}` });
      plot.curve(`${colour} touch-bound`, lower);
    }
    plot.curve("plain touch-ell", curve.points);
    plot.add("path", { d: `M${plot.px(place)} ${plot.py(ell(place))}V${plot.inner.bottom}`, class: "touch-curve faint dotted" });
    if (now >= 0) {
      const b = bound();
      const [x, y, z] = [plot.px(place), plot.py(ell(place)), plot.py(b.value(place))];
      plot.add("path", { d: `M${x} ${y}V${z}`, class: `touch-gap ${colour}` });
      plot.add("circle", { cx: plot.px(b.top), cy: plot.py(b.value(b.top)), r: 5.5, class: `touch-ring ${colour}` });
      if (z - y > 16 && glide === null) {
        const right = KINDS[kind].of(fitted) > place; // under the hill
        plot.text(x + (right ? 9 : -9), clamp((y + z) / 2, plot.inner.top + 20, plot.inner.bottom - 30) + 4, `KL ${digits(gap(), 3)}`, `touch-halo${right ? "" : " end"}`);
      }
      plot.dot(colour, [b.place, ell(b.place)], 5);
    }
    plot.dot("", [place, ell(place)], 4, "over");
  };
  function show(dragging = false) {
    glide = null;
    if (!(dragging && close)) frame();
    kinds.show(kind);
    zoom.checked = close;
    eButton.classList.toggle("touch-next", !touches() && !done());
    mButton.classList.toggle("touch-next", Boolean(touches()) && !done());
    plot.options.left = close ? 88 : 66; // the numbers of a close-up are long
    plot.options.xLabel = `${KINDS[kind].sign.join("").replace("1", "₁")}, ${KINDS[kind].words}`;
    const last = rows[rows.length - 1];
    const term = (...parts) => el("span", { class: "touch-term" }, ...parts);
    value.replaceChildren(term(L(), ` = ${fixed(last.l, 4)}`), " ", ...(from.length
      ? [term("= ", B(), ` ${fixed(gmm.lowerBound(X, bound().q, at(here)), 4)}`), " ", term(`+ KL ${fixed(gap(), 4)}`)] : []),
      el("span", { class: "touch-muted" }, ` iteration ${rows.length - 1}`));
    heads.replaceChildren(...[[letter("t")], [sign()], [L()], ["gain by M"], ["gap for E"]].map((cell) => el("th", { scope: "col" }, ...cell)));
    numbers.replaceChildren(...rows.map(({ v, l, gain, kl }, k) => el("tr", {}, el("th", { scope: "row" }, String(k)),
      ...[fixed(v, KINDS[kind].decimals + 2), fixed(l, 4), ...(k ? [fixed(gain, 5), fixed(kl, 5)] : ["", ""])].map((text) => el("td", {}, text)))));
    f.update();
  }

  f.address(
    () => ({
      p: kind === "mean" ? "" : kind,
      at: start.v === KINDS[kind].start && start.laid === null ? "" : start.v,
      q: start.laid,
      h: half || "",
      close: close ? 1 : "",
    }),
    (given) => {
      kind = Object.keys(KINDS).includes(given.p) ? given.p : "mean";
      const place = (text) => touch.within(text, KINDS[kind].range, null);
      const v = place(given.at);
      begin(v === null ? KINDS[kind].start : v, place(given.q));
      close = given.close === "1";
      const steps = clamp(Math.round(Number(given.h)) || 0, 0, MOST);
      for (let i = 0; i < steps; i++) takeHalf();
      show();
      if (half) (touches() ? sayE : sayM)();
      else (from.length ? sayMoved : sayStart)();
    },
    { q: "83", at: "76" } // the first bound, and the gap beside the place where it touches
  );
});

// EM by hand, in the plane. θ and the responsibilities β are kept apart: an E-step renews β, an
// M-step renews θ, and each is possible only when the other has moved on.
touch.figure("em-plane", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "EM by hand, in the plane");
  const { el, fixed, digits, letter } = touch;
  const TOL = 1e-9; // per point, as gmmlib.fit
  const MOST = 3000; // iterations that an address may ask for
  const ALOUD = ["no", "one", "two", "three", "four", "five", "six"];
  const SETS = {
    faithful: {
      name: "Old Faithful", k: 2, x: [0.7, 6.1], y: [35, 106], decimals: [2, 1],
      labels: ["eruption in minutes", "wait in minutes"],
      // where chapter 10 begins: at the wrong corners
      book: { means: [[2, 90], [5, 50]], covariances: [[[1, 0], [0, 150]], [[1, 0], [0, 150]]] },
    },
    blobs: { name: "Three blobs", k: 3, x: [-6.5, 8], y: [-3.6, 8.6], decimals: [2, 2], labels: ["", ""] },
    hard: { name: "A hard one", k: 2, x: [-6.6, 7.4], y: [-6.4, 6.4], decimals: [2, 2], labels: ["", ""] },
  };

  let set, X, one; // the data, and ℓ of a single Gaussian
  let k, seed, means, shape; // the start: a seed, or means placed by hand (and weights, covariances)
  let now, beta, fresh, problem, history, trail, done;
  const t = () => history.length - 1;

  // --- the start ---

  function startOf() {
    if (!means) {
      if (seed === 0 && SETS[set].book && k === 2) return { weights: [0.5, 0.5], ...SETS[set].book };
      return gmm.randomPoints(X, k, gmm.random(seed));
    }
    if (!shape) return gmm.around(X, means);
    const total = shape.weights.reduce((a, b) => a + b, 0);
    return {
      weights: shape.weights.map((w) => w / total),
      means,
      covariances: shape.covariances.map(([a, b, c]) => [[a, b], [b, c]]),
    };
  }
  function begin() {
    now = startOf();
    [beta, fresh, problem, done] = [null, false, null, false];
    history = [gmm.logLikelihood(X, now)];
    trail = [now.means];
  }
  function choose(name, components) {
    [set, k, seed, means, shape] = [name, components, 0, null, null];
    X = gmmData[name];
    one = gmm.logLikelihood(X, gmm.allAsOne(X));
  }

  // --- the two steps ---

  function takeE() {
    beta = gmm.eStep(X, now).responsibilities;
    fresh = true;
  }
  function takeM() {
    const step = gmm.mStep(X, beta);
    problem = step.problem;
    if (problem) return;
    now = step.mixture;
    fresh = false;
    history.push(gmm.logLikelihood(X, now));
    trail.push(now.means);
    done = history[t()] - history[t() - 1] <= TOL * X.length;
  }
  function takeIteration() {
    if (!fresh) takeE();
    takeM();
  }

  // --- in words ---

  const L = () => letter("ℓ");
  const place = (mean) => `(${mean.map((v, c) => fixed(v, SETS[set].decimals[c])).join(", ")})`;
  const count = (value) => fixed(value, 1);
  const name = (j) => `Component ${j + 1}`;

  function sayStart() {
    f.say(`Start: ${ALOUD[k]} guess${k > 1 ? "es" : ""}. No point has been asked yet whose it is: press E-step.`);
  }
  function sayE() {
    const held = gmm.countsOf(beta).map(count);
    const last = held.pop();
    const who = k === 1 ? "The one component holds all" : `Components 1 ${k > 2 ? "to" : "and"} ${k} now hold`;
    f.say("E-step: every point is shared out among the components and takes their colours. ",
      k === 1 ? `${who} ${X.length}. ` : `${who} ${held.join(", ")} and ${last} of the ${X.length} points. `,
      "The parameters stay, so ", L(), " stays.");
  }
  function sayM() {
    if (problem) return sayProblem();
    const gain = history[t()] - history[t() - 1];
    if (done) {
      return f.say(`Converged: iteration ${t()} raised `, L(), ` by less than 10⁻⁹ per point. `,
        "This is a top, perhaps not the highest. A new start may find another.");
    }
    const [before, after] = [trail[t() - 1], trail[t()]];
    const spread = now.covariances.map(([[a], [, c]]) => [a, c]);
    const moved = after.map((m, j) =>
      Math.hypot(...[0, 1].map((c) => (m[c] - before[j][c]) / Math.sqrt(spread[j][c]))));
    const most = moved.indexOf(Math.max(...moved));
    f.say(`Iteration ${t()}: the M-step raised `, L(), ` by ${digits(gain, 3)}. `,
      f.playing && t() > 3 ? "" : k > 1 ? `${name(most)} moved most, to ${place(after[most])}.` : `The mean is now ${place(after[0])}.`);
  }
  function sayProblem() {
    const { component: j, kind, count: n } = problem;
    const what = kind === "flat"
      ? [`${name(j)} has collapsed: it holds ${count(n)} point${n < 1.05 ? "" : "s"}, and the M-step would give it a covariance ` +
         "without width. The narrower it gets, the higher ", L(), " climbs, without end: this is no fit, and EM stops here. "]
      : [`${name(j)} has collapsed: no point is left in it, so the M-step has nothing to average. `];
    f.say(...what, "Drag its mean away, take a new start, or ask for fewer components.");
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const sets = f.select(top, "Data", Object.entries(SETS).map(([key, s]) => [key, s.name]), (value) => {
    choose(value, SETS[value].k);
    begin();
    show();
    sayStart();
  });
  const ks = f.choice(top, "Components", [1, 2, 3, 4, 5, 6].map((n) => [n, n]), (value) => {
    choose(set, Number(value));
    begin();
    show();
    sayStart();
  });

  const plane = f.plot({
    label: "The points in the plane, with an ellipse and a movable mean for each component",
    x: [0, 1], y: [0, 1], ratio: 0.58, least: 270, handles: true,
  });

  const buttons = f.row("touch-thirds");
  const act = (step) => () => {
    if (problem) return sayProblem();
    step();
  };
  const eButton = f.button(buttons, "E-step", act(() => {
    if (fresh) return f.say("Nothing changes: the points have been shared out under these parameters already. The M-step is next.");
    takeE();
    show();
    sayE();
  }));
  const mButton = f.button(buttons, "M-step", act(() => {
    if (!beta) return f.say("The M-step needs the answers of the E-step, which comes first.");
    if (!fresh) return f.say("Nothing changes: these parameters are already the best for this sharing. The E-step is next.");
    move(takeM);
    sayM();
  }));
  f.button(buttons, "One iteration", act(() => {
    move(takeIteration);
    sayM();
  }));
  f.player(buttons, () => {
    if (problem) {
      sayProblem();
      return 0;
    }
    if (!fresh && t() < 3) { // at first each half by itself
      takeE();
      show();
      sayE();
      return 900;
    }
    // after the first steps, as many as it takes to see something move
    const most = t() < 4 ? 1 : touch.isStill() ? 40 : 25;
    const from = now;
    move(() => {
      for (let i = 0; i < most && !problem && !(i && done); i++) {
        takeIteration();
        if (seen(from, now)) break;
      }
    });
    if (done) takeE();
    show();
    sayM();
    return problem || done ? 0 : t() < 3 ? 900 : t() < 12 ? 320 : 110;
  });
  const seen = (a, b) => a.means.some((mean, j) => {
    const [x, y] = [plane.px(1) - plane.px(0), plane.py(1) - plane.py(0)]; // pixels for one unit
    const width = (m, c) => Math.sqrt(m.covariances[j][c][c]);
    return [x, y].some((scale, c) => Math.abs(scale) * Math.max(Math.abs(mean[c] - b.means[j][c]), 2 * Math.abs(width(a, c) - width(b, c))) > 1.5);
  });
  f.button(buttons, "New start", () => {
    [seed, means, shape] = [seed + 1, null, null];
    begin();
    show();
    f.say(`A new start: ${k > 1 ? `${ALOUD[k]} of the points` : "one of the points"}, drawn at random, as means.`);
  });
  f.button(buttons, "Reset", () => {
    if (t() === 0 && !beta) choose(set, k);
    begin();
    show();
    sayStart();
  });

  f.words();

  const tour = f.row("touch-tour");
  tour.append(el("span", { class: "touch-muted" }, "Look at"));
  for (const [text, state] of [
    ["a long wait", { t: 20, e: 1 }],
    ["a lower top", { data: "hard", t: 100, e: 1 }],
    ["a collapse", { data: "hard", k: 3, m: "-1,-1;1,-1;5.9,0", t: 100 }],
  ]) f.button(tour, text, () => f.read(state), { class: "touch-quiet" });

  const head = f.row("touch-spread");
  const value = el("output", { class: "touch-l" });
  head.append(value);
  f.link(head);
  const climb = f.plot({
    label: "The log-likelihood against the iteration", class: "touch-climb",
    x: [0, 10], y: [0, 1], height: 140, left: 58, xLabel: "iteration",
  });

  const numbers = el("tbody");
  const heads = [el("span", { class: "touch-hidden" }, "component"), ...["α", "μ", "σ", "ρ"].map((sign) => letter(sign))];
  f.root.append(el("details", {}, el("summary", {}, "The parameters in numbers"),
    el("table", {},
      el("thead", {}, el("tr", {}, ...heads.map((sign) => el("th", { scope: "col" }, sign)))), numbers),
    el("p", { class: "touch-muted" }, letter("α"), " weight, ", letter("μ"), " mean, ", letter("σ"),
      " standard deviations, ", letter("ρ"), " correlation")));

  // --- the mean of each component, to be dragged ---

  let handles = [];
  function setHandles() {
    while (handles.length > k) handles.pop().remove();
    for (let j = handles.length; j < k; j++) {
      handles.push(plane.handle({
        class: `c${j + 1}`, text: String(j + 1), label: `Mean of component ${j + 1}`,
        at: () => now.means[j],
        shift: () => beside(j),
        words: () => {
          const [a, b] = SETS[set].labels;
          const [x, y] = now.means[j].map((v, c) => fixed(v, SETS[set].decimals[c]));
          return `${a || "x"} ${x}, ${b || "y"} ${y}`;
        },
        move: (to, how) => drag(j, to, how),
      }));
    }
  }
  // Means that lie on one another have their handles side by side, so that each can be taken.
  function beside(j) {
    if (f.root.classList.contains("touch-live")) return [0, 0];
    const at = (i) => [plane.px(now.means[i][0]), plane.py(now.means[i][1])];
    const [x, y] = at(j);
    const here = now.means.map((_, i) => i).filter((i) => Math.hypot(at(i)[0] - x, at(i)[1] - y) < 14);
    return [26 * (here.indexOf(j) - (here.length - 1) / 2), 0];
  }
  function drag(j, to, how) {
    const asked = beta !== null;
    const few = (v) => Number(v.toPrecision(6));
    if (history.length > 1 || shape || startIsOwn()) {
      const wide = gmm.allAsOne(X).covariances[0];
      shape = {
        weights: now.weights.map(few),
        covariances: now.covariances.map((cov, i) => {
          const own = [cov[0][0], cov[0][1], cov[1][1]].map(few);
          const lost = (problem && problem.component === i) || !(own[0] * own[2] - own[1] ** 2 > 1e-9 * own[0] * own[2]);
          return lost ? [wide[0][0], wide[0][1], wide[1][1]].map(few) : own;
        }),
      };
      if (problem) shape.weights = shape.weights.map((w, i) => (i === problem.component ? few(1 / k) : w));
    }
    means = now.means.map((mean, i) => (i === j ? to : mean.map(few)));
    begin();
    if (asked) takeE(); // the colours follow the hand
    f.root.classList.add("touch-live");
    show();
    f.root.classList.toggle("touch-live", how === "drag");
    if (how !== "drag") {
      f.say(`You moved component ${j + 1} to ${place(to)}. `, L(), ` is ${fixed(history[0], 2)} now. Can you beat EM by hand?`);
    }
  }
  const startIsOwn = () => !means && seed === 0 && SETS[set].book && k === 2;

  // --- drawing ---

  let between = null; // the mixture on its way, while it moves
  function move(step) {
    const from = now;
    step();
    if (problem || f.playing && t() > 30) return show();
    const to = now;
    const mix = (a, b, s) => (Array.isArray(a) ? a.map((v, i) => mix(v, b[i], s)) : a + (b - a) * s);
    f.tween(f.playing && t() > 3 ? 250 : 450, (s) => {
      if (now !== to) return;
      between = s < 1 ? { means: mix(from.means, to.means, s), covariances: mix(from.covariances, to.covariances, s) } : null;
      drawPlane();
    });
    show();
  }
  function drawPlane() {
    plane.render();
    if (between) handles.forEach((handle, j) => handle.place(between.means[j]));
  }
  plane.draw = () => {
    plane.axes();
    const colours = touch.palette(f.root);
    plane.points("points", X, beta && beta.map((row) => touch.blended(row, colours)), X.length > 250 ? 3.6 : 4);
    const { means: at, covariances } = between || now;
    for (let j = 0; j < k; j++) {
      if (trail.length > 1) plane.curve(`c${j + 1} plain touch-trail`, trail.map((step) => step[j]));
      if (problem && problem.component === j) continue;
      for (const radius of [2, 1]) plane.ellipse(`c${j + 1}`, at[j], covariances[j], radius);
    }
    if (problem) {
      const [x, y] = [plane.px(at[problem.component][0]), plane.py(at[problem.component][1])];
      plane.add("circle", { cx: x, cy: y, r: 19, class: `touch-collapsed c${problem.component + 1}` }, "over");
      const low = y > plane.inner.top + 40;
      plane.text(Math.min(Math.max(x, 80), plane.width - 50), low ? y - 26 : y + 36, "collapsed", "middle touch-strong");
    }
  };
  climb.draw = () => {
    const best = Math.max(one + 0.4 * X.length, ...history);
    const usual = one - 0.25 * (best - one);
    // the first leap in full; after that the scale is for what follows
    const floor = t() < 2 ? Math.min(usual, history[0] - 0.1 * (best - history[0])) : usual;
    climb.y = [floor, best + 0.08 * (best - floor)];
    climb.x = [0, Math.max(10, Math.ceil(t() * 1.08))];
    climb.axes();
    climb.curve("faint dotted", [[0, one], [climb.x[1], one]]);
    climb.text(climb.inner.right - 4, climb.py(one) + 15, "one Gaussian", "touch-tick end");
    climb.curve("plain", history.map((l, i) => [i, l]));
    const last = history[t()];
    climb.dot("", [t(), Math.max(last, floor)], 5, "over");
  };
  function show() {
    between = null;
    setHandles();
    [plane.x, plane.y] = [SETS[set].x, SETS[set].y];
    [plane.options.xLabel, plane.options.yLabel] = SETS[set].labels;
    plane.options.bottom = SETS[set].labels[0] ? 40 : 24;
    sets.value = set;
    ks.show(k);
    eButton.classList.toggle("touch-next", !fresh && !problem && !done);
    mButton.classList.toggle("touch-next", fresh && !problem && !done);
    value.replaceChildren(L(), ` = ${fixed(history[t()], 4)}`,
      el("span", { class: "touch-muted" }, ` iteration ${t()}`));
    numbers.replaceChildren(...now.means.map((mean, j) => {
      const [[a, b], [, c]] = now.covariances[j];
      const cell = (text) => el("td", {}, text);
      const pair = (values) => cell(values.map((v, i) => fixed(v, SETS[set].decimals[i] + 1)).join(", "));
      return el("tr", {}, el("th", { scope: "row", class: `c${j + 1}` }, el("span", { class: "touch-swatch" }), String(j + 1)),
        cell(fixed(now.weights[j], 4)), pair(mean), pair([Math.sqrt(a), Math.sqrt(c)]), cell(fixed(b / Math.sqrt(a * c), 3)));
    }));
    f.update();
  }

  // --- the address ---

  const list = (rows) => rows.map((row) => row.join(",")).join(";");
  const parse = (text, width) => {
    const rows = (text || "").split(";").map((row) => row.split(",").map(Number));
    return rows.length === k && rows.every((row) => row.length === width && row.every(Number.isFinite)) ? rows : null;
  };
  f.address(
    () => ({
      data: set === "faithful" ? "" : set,
      k: k === SETS[set].k ? "" : k,
      start: means || seed === 0 ? "" : seed,
      m: means && list(means),
      w: means && shape && shape.weights.join(","),
      c: means && shape && list(shape.covariances),
      t: (problem ? t() + 1 : t()) || "", // the M-step that fails is asked for again
      e: fresh && !problem ? 1 : "",
    }),
    (given) => {
      const key = Object.keys(SETS).includes(given.data) ? given.data : "faithful";
      const components = touch.clamp(Math.round(Number(given.k)) || SETS[key].k, 1, 6);
      choose(key, components);
      seed = Math.max(0, Math.round(Number(given.start)) || 0);
      means = parse(given.m, 2);
      const covariances = parse(given.c, 3);
      const weights = (given.w || "").split(",").map(Number);
      const sound = covariances && covariances.every(([a, b, c]) => a > 0 && a * c > b * b) &&
        weights.length === k && weights.every((w) => w > 0);
      shape = means && sound ? { weights, covariances } : null;
      begin();
      const steps = touch.clamp(Math.round(Number(given.t)) || 0, 0, MOST);
      for (let i = 0; i < steps && !problem; i++) takeIteration();
      if (given.e && !fresh) takeE();
      show();
      if (problem || t() > 0) sayM();
      else if (fresh) sayE();
      else sayStart();
    }
  );
});

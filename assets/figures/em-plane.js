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
    own: { name: "Your own points", k: 2 }, // the rest follows from them
  };
  const FAR = 8; // so many standard deviations are far

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
    [beta, fresh, problem, done] = [null, false, gmm.unfit(X, k), false];
    now = problem ? { weights: [], means: [], covariances: [] } : startOf();
    if (!problem) problem = gmm.eStep(X, now).problem;
    history = [problem ? 0 : gmm.logLikelihood(X, now)];
    trail = [now.means];
  }
  // whether the points are not such that EM could begin
  const unfit = () => problem !== null && problem.component === undefined;
  function choose(name, components) {
    [set, k, seed, means, shape] = [name, components, 0, null, null];
    X = set === "own" ? mine.X : gmmData[name];
    if (set === "own") {
      Object.assign(SETS.own, { decimals: [0, 1].map(mine.decimals), labels: mine.labels });
      if (!mine.dragging) Object.assign(SETS.own, { x: mine.frame(0), y: mine.frame(1) });
    }
    one = gmm.unfit(X, 1) ? null : gmm.logLikelihood(X, gmm.allAsOne(X));
  }
  // What stands now becomes the start, in as many digits as an address needs.
  function freeze() {
    const few = (v) => Number(v.toPrecision(6));
    const flat = ([[a, b], [, c]]) => [a, b, c].map(few);
    const isLost = ([a, b, c], j) => (problem && problem.component === j) || !(a * c - b ** 2 > 1e-9 * a * c);
    const [wide] = gmm.allAsOne(X).covariances;
    means = now.means.map((mean) => mean.map(few));
    shape = {
      weights: now.weights.map((w, j) => few(problem && problem.component === j ? 1 / k : w)),
      covariances: now.covariances.map((cov, j) => flat(isLost(flat(cov), j) ? wide : cov)),
    };
  }

  // --- the two steps ---

  function takeE() {
    ({ responsibilities: beta, problem } = gmm.eStep(X, now));
    fresh = !problem;
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
    if (!problem) takeM();
  }

  // --- in words ---

  const L = () => letter("ℓ");
  const shown = (v, c, more = 0) => ownData.near(v, SETS[set].decimals[c] + more);
  const place = (mean) => `(${mean.map((v, c) => shown(v, c)).join(", ")})`;
  const count = (value) => fixed(value, 1);
  const name = (j) => `Component ${j + 1}`;

  function sayStart() {
    if (problem) return sayProblem();
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
    if (unfit()) return f.say(unfitWords());
    const { component: j, kind, count: n } = problem;
    const what = kind === "flat"
      ? [`${name(j)} has collapsed: it holds ${count(n)} point${n < 1.05 ? "" : "s"}, and the M-step would give it a covariance ` +
         "without width. The narrower it gets, the higher ", L(), " climbs, without end: this is no fit, and EM stops here. "]
      : [`${name(j)} has collapsed: no point is left in it, so the M-step has nothing to average. `];
    f.say(...what, "Drag its mean away, take a new start, or ask for fewer components.");
  }

  function unfitWords() {
    const { kind, count: n, reason } = problem;
    const many = `${ALOUD[k][0].toUpperCase()}${ALOUD[k].slice(1)}`;
    switch (kind) {
      case "none": return "There are no points yet. Press Edit the points and click on the plot, press Add a point, or paste a table.";
      case "few": return `${many} components need ${ALOUD[k]} different points, and there ${n === 1 ? "is one" : `are ${ALOUD[n]}`}. Add points, or ask for fewer components.`;
      case "far": return `EM cannot begin: ${reason}. Drag a mean nearer, or take a new start.`;
    }
    return "These points lie in one place or on one line. No ellipse fits them: the narrower it is, the higher the likelihood, without end. Add a point beside them.";
  }

  // --- the reader's own points ---

  let hold = false; // also a start that nobody has touched
  function changed(how, said) {
    if (how === "chosen" || how === "undo") {
      show();
      return f.say(said, ...(how === "undo" ? summary() : []));
    }
    const [asked, components, number] = [beta !== null, k, set === "own" && how !== "new" ? seed : 0];
    // the mixture stays; a start that nobody has touched is drawn anew
    const holds = how === "copy" || hold;
    const stays = !unfit() && how !== "new" && (holds || means || t() > 0);
    if (stays && (holds || shape || t() > 0)) freeze();
    const kept = stays ? [means, shape] : [null, null];
    choose("own", components);
    seed = number;
    [means, shape] = kept;
    begin();
    if (asked && !problem) takeE(); // the colours follow the hand
    f.root.classList.add("touch-live");
    show();
    f.root.classList.toggle("touch-live", how === "drag");
    f.say(said, ...summary());
  }
  const summary = () => (unfit() ? [unfitWords()] : [`${X.length} points, and `, L(), ` is ${fixed(history[t()], 2)}.`]);
  // One point beyond all others, and what it does: to ℓ, to the component that takes it, to the shares.
  function addFar() {
    if (problem) return sayProblem();
    const old = history[t()];
    const pooled = (c) => Math.sqrt(now.weights.reduce((total, w, j) => total + w * now.covariances[j][c][c], 0));
    const [mean] = gmm.allAsOne(X).means;
    const point = [Math.max(...X.map(([x]) => x)) + FAR * pooled(0), mean[1]].map((v) => Number(v.toPrecision(5)));
    hold = true;
    const done = set === "own" ? mine.add(point) : mine.replace([...X, point], SETS[set].labels, "", "copy");
    hold = false;
    if (!done) return;
    if (problem) return sayProblem();
    const E = gmm.eStep(X, now);
    const share = E.responsibilities.at(-1);
    const j = share.indexOf(Math.max(...share));
    const next = gmm.mStep(X, E.responsibilities).mixture;
    const width = (m) => shown(Math.sqrt(m.covariances[j][0][0]), 0, 1);
    f.say(`A point at ${place(point)}, ${FAR} standard deviations beyond all others. `, L(), ` falls by ${digits(old - history[0], 4)} to ${fixed(history[0], 2)}. `,
      `${name(j)} is nearest and takes ${share[j] > 0.9995 ? "all of it" : `${fixed(share[j], 3)} of it`}; the shares of the others stay, for no parameter has moved yet. `,
      ...(next ? ["The next M-step widens it across from ", letter("σ"), ` = ${width(now)} to ${width(next)}. Press One iteration, and watch.`] : []));
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

  const mine = ownData.panel(f, plane, {
    dimension: 2,
    source: () => ({ points: X, names: SETS[set].labels }),
    changed,
    restore: (given) => take(given),
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
    if (problem) return sayProblem();
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
  const ours = f.row("touch-tour");
  ours.append(el("span", { class: "touch-muted" }, "Your data"));
  const taker = mine.button(ours);
  f.button(ours, "One far point", addFar, { class: "touch-quiet" });

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
    const count = now.means.length;
    while (handles.length > count) handles.pop().remove();
    for (let j = handles.length; j < count; j++) {
      handles.push(plane.handle({
        class: `c${j + 1}`, text: String(j + 1), label: `Mean of component ${j + 1}`,
        at: () => now.means[j],
        shift: () => beside(j),
        words: () => {
          const [a, b] = SETS[set].labels;
          const [x, y] = now.means[j].map((v, c) => shown(v, c));
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
    const formed = history.length > 1 || shape || startIsOwn();
    freeze();
    if (!formed) shape = null;
    means[j] = to;
    begin();
    if (asked && !problem) takeE(); // the colours follow the hand
    f.root.classList.add("touch-live");
    show();
    f.root.classList.toggle("touch-live", how === "drag");
    if (problem) return sayProblem();
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
    for (let j = 0; j < at.length; j++) {
      if (trail.length > 1) plane.curve(`c${j + 1} plain touch-trail`, trail.map((step) => step[j]));
      if (problem && problem.component === j) continue;
      for (const radius of [2, 1]) plane.ellipse(`c${j + 1}`, at[j], covariances[j], radius);
    }
    if (problem && !unfit()) {
      const [x, y] = [plane.px(at[problem.component][0]), plane.py(at[problem.component][1])];
      plane.add("circle", { cx: x, cy: y, r: 19, class: `touch-collapsed c${problem.component + 1}` }, "over");
      const low = y > plane.inner.top + 40;
      plane.text(Math.min(Math.max(x, 80), plane.width - 50), low ? y - 26 : y + 36, "collapsed", "middle touch-strong");
    }
  };
  climb.draw = () => {
    if (unfit()) {
      climb.axes({ xTicks: false, yTicks: false });
      return;
    }
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
    plane.options.left = set === "own" ? 60 : 46;
    mine.show(set === "own");
    taker.hidden = set === "own";
    sets.value = set;
    ks.show(k);
    eButton.classList.toggle("touch-next", !fresh && !problem && !done);
    mButton.classList.toggle("touch-next", fresh && !problem && !done);
    value.replaceChildren(L(), unfit() ? " is not there yet" : ` = ${fixed(history[t()], 4)}`,
      el("span", { class: "touch-muted" }, ` iteration ${t()}`));
    numbers.replaceChildren(...now.means.map((mean, j) => {
      const [[a, b], [, c]] = now.covariances[j];
      const cell = (text) => el("td", {}, text);
      const pair = (values) => cell(values.map((v, i) => shown(v, i, 1)).join(", "));
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
      t: (problem && !unfit() ? t() + 1 : t()) || "", // the M-step that fails is asked for again
      e: fresh && !problem ? 1 : "",
      ...mine.write(),
    }),
    (given) => {
      const lost = given.data === "own" && !mine.read(given);
      take(lost ? {} : given);
      show();
      if (lost) f.say("The points of this link are not in it: they were too many, or they are no points. Here is Old Faithful; paste the table again.");
      else if (problem || t() > 0) sayM();
      else if (fresh) sayE();
      else sayStart();
    }
  );
  function take(given) {
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
    if (given.e && !fresh && !problem) takeE();
  }
});

// Break it: one component is made narrow by hand, and the likelihood along its width shows where
// that leads. EM goes on from there, as it is or with one of the three remedies of the chapter.
touch.figure("needle", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "Break it");
  const { el, fixed, digits, letter, clamp, within } = touch;
  const MOST = 150; // iterations of one run
  const MANY = 200;
  const SNAP = 0.0075; // a mean that comes so near to a point, as a share of the axis, is put on it
  const SETS = {
    esl: { name: "Twenty numbers", X: gmmData.esl },
    rounded: { name: "Rounded to whole numbers", X: gmmData.esl.map((x) => Math.round(x) + 0) },
    own: { name: "Your own numbers" },
  };
  const power = (p) => `10${[...fixed(p, 0)].map((c) => (c === "−" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;
  // 0.0123, and 1.2 · 10⁻⁷ where that is shorter
  function short(value) {
    if (value >= 0.001 && value < 1000) return digits(value, 3);
    const p = Math.floor(Math.log10(value) + 1e-9);
    const a = fixed(value / 10 ** p, 1);
    return a === "1.0" ? power(p) : `${a}\u00a0·\u00a0${power(p)}`;
  }
  const REMEDIES = {
    none: { name: "none" },
    ridge: { name: "ridge", sign: "ε", from: -6, to: 0, usual: -2, what: "is added to each variance" },
    bound: { name: "bound", sign: "c", from: -3, to: 0, usual: -1, what: "is the least ratio of the standard deviations" },
    prior: { name: "prior", sign: "ψ", from: -3, to: 1, usual: 0, what: "times the usual scale of the prior" },
  };

  let key, X, mean, size, healthy; // the data, with their mean and variance, and ℓ of the healthy fit
  let RANGE, NARROW, order, unfit; // the axis, −log₁₀ σ from left to right, the data's power of ten; why nothing can be done
  let whole; // whether there is a healthy fit of two components, or ℓ is that of one
  let at, s, remedy, strength; // what an address keeps, with t: μ₁, log₁₀ σ₁, and how EM is helped
  let path, levels, end, t; // the run; end: "" while it is on its way, "rest" or "collapse"
  let told = false; // whether the words say how it ends

  const start = () => gmm.univariate([0.5, 0.5], [at, mean], [10 ** (2 * s), size]);
  const now = () => path[t];
  const sigma = (m = now()) => Math.sqrt(m.covariances[0]);
  const ell = (m) => gmm.logLikelihood(X, m);
  // the same mixture with another standard deviation of component 1
  const withWidth = (m, logWidth) => gmm.univariate(m.weights, m.means, [10 ** (2 * logWidth), m.covariances[1]]);

  function take(name) {
    const [own, before] = [name === "own", RANGE];
    [key, X] = [name, own ? mine.X : SETS[name].X];
    [RANGE, NARROW, order, unfit, whole] = [[-1, 7], [-1, 9], 0, gmm.unfit(X, 2), true];
    if (own) RANGE = mine.dragging ? before : mine.frame(0); // while one drags the axes wait
    if (unfit) return;
    const all = gmm.allAsOne(X);
    [mean, size] = [all.means[0], all.covariances[0]];
    let first = gmm.univariate([0.5, 0.5], [1, 5], [1, 1]);
    if (own) {
      const sd = Math.sqrt(size);
      order = Math.round(Math.log10(sd / 2));
      NARROW = NARROW.map((p) => p - order);
      first = gmm.univariate([0.5, 0.5], [mean - 0.8 * sd, mean + 0.8 * sd], [size / 4, size / 4]);
    }
    const fit = gmm.fit(X, first);
    whole = fit.converged && Math.min(...fit.mixture.covariances) > 1e-6 * size;
    healthy = whole ? fit.history.at(-1) : gmm.logLikelihood(X, all);
  }
  const usualAt = () => (unfit ? 0 : key === "rounded" ? 1 : X[0]);
  const usualS = () => order - 1;
  function begin() {
    at = usualAt();
    s = usualS();
    [remedy, strength] = ["none", 0];
    run();
  }

  // --- EM with a remedy: the chapter's ridge_step, constrained_step and prior_step ---

  function step(m) {
    const E = gmm.eStep(X, m);
    if (E.problem) return E;
    if (remedy === "none") return gmm.mStep(X, E.responsibilities);
    // weights and means without the guard: the variances are seen to below
    const { mixture, counts, problem } = gmm.mStep(X, E.responsibilities, { hold: { covariances: [1, 1] } });
    if (problem) return { problem };
    let { means } = mixture;
    const about = (j, c) => X.reduce((total, x, i) => total + E.responsibilities[i][j] * (x - c) ** 2, 0);
    let v = counts.map((count, j) => about(j, means[j]) / count);
    const value = 10 ** strength;
    const unit = 10 ** (2 * order); // of a variance
    if (remedy === "ridge") v = v.map((each) => each + value * unit);
    if (remedy === "bound") {
      const [small, large] = v[0] < v[1] ? [0, 1] : [1, 0];
      if (v[small] < value ** 2 * v[large]) {
        v[large] = (counts[small] * v[small] / value ** 2 + counts[large] * v[large]) / X.length;
        v[small] = value ** 2 * v[large];
      }
    }
    if (remedy === "prior") { // of Fraley and Raftery: the data's variance, with n − 1, over K²
      const [kappa, nu, psi] = [0.01, 3, (value * size * X.length) / (X.length - 1) / 4];
      v = counts.map((N, j) =>
        (N * v[j] + psi + (kappa * N / (kappa + N)) * (means[j] - mean) ** 2) / (N + nu + 3));
      means = counts.map((N, j) => (N * means[j] + kappa * mean) / (N + kappa));
    }
    return { mixture: gmm.univariate(mixture.weights, means, v), problem: null };
  }
  function run() {
    [path, end, t, told] = [unfit ? [gmm.univariate([0.5, 0.5], [0, 0], [1, 1])] : [start()], "", 0, false];
    levels = [unfit ? 0 : ell(path[0])];
    if (unfit) return;
    while (!end && path.length <= MOST) {
      const m = path[path.length - 1];
      const { mixture, problem } = step(m);
      if (problem) end = "collapse";
      else if (moved(m, mixture) < 1e-9) end = "rest";
      else {
        path.push(mixture);
        levels.push(ell(mixture));
      }
    }
  }
  const moved = (a, b) => Math.max(...[0, 1].flatMap((j) => [
    Math.abs(a.means[j] - b.means[j]) / 10 ** order, Math.abs(Math.log(a.covariances[j] / b.covariances[j])),
    Math.abs(a.weights[j] - b.weights[j])]));
  const last = () => path.length - 1;

  // --- in words ---

  const L = () => letter("ℓ");
  const onPoint = () => X.filter((x) => x === at).length;
  // The widths at which this slice has the height of the healthy fit, on the needle's side.
  function passes() {
    const over = (p) => ell(withWidth(now(), -p)) - healthy;
    let [low, high] = [0.5 - order, 40 - order];
    if (over(low) > 0 || over(high) < 0) return null;
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2;
      if (over(middle) > 0) high = middle;
      else low = middle;
    }
    return 10 ** -high;
  }
  const near = (v, more = 0) => ownData.near(v, (key === "own" ? mine.decimals(0) : 2) + more);
  const theFit = () => (whole ? "the healthy fit" : "one Gaussian for all");
  function sayUnfit(...before) {
    f.say(...before, unfit.kind === "none" ? "There are no numbers yet. Press Edit the points and click near the axis, press Add a point, or paste a list."
      : "All numbers are the same. Add a different one: two components need some spread.");
  }
  function sayStart() {
    if (unfit) return sayUnfit();
    const count = onPoint();
    const words = [`Component 1 at ${near(at)}, with the standard deviation `, short(10 ** s), ": ", L(), ` is ${fixed(levels[0])}. `];
    if (count) {
      const rise = count * Math.LN10;
      words.push(count > 1 ? `On ${count} equal points, ` : "It sits on a point, and ",
        `in the end every factor of ten adds ${fixed(rise)} to `, L(), ", without limit. ");
      const width = passes();
      if (width) words.push(`It passes ${theFit()} at `, short(width), ".");
    } else {
      const gap = Math.min(...X.map((x) => Math.abs(x - at)));
      words.push(`The nearest point is ${digits(gap, 2)} away, so a narrow component loses it, and `, L(),
        " has a top along this curve. Move the mean onto a point.");
    }
    f.say(...words);
  }
  function saySteps(withEnd = true) {
    if (unfit) return sayUnfit();
    const m = now();
    const held = X.length * m.weights[0];
    const words = [`Iteration ${t}: component 1 has the mean ${near(m.means[0])}, the standard deviation `, short(sigma(m)),
      ` and ${digits(held, 3)} of the ${X.length} points. `, L(), ` is ${fixed(levels[t])}. `];
    told = withEnd && t === last();
    if (told) words.push(...sayEnd(held));
    f.say(...words);
  }
  function sayEnd(held) {
    const better = levels[t] > healthy + 0.005;
    if (end === "collapse") return [el("strong", {}, "It broke. "), "The next variance is 0 to the computer's digits, and EM ends with an error."];
    const state = end === "rest" ? "At rest" : `Stopped after ${MOST} iterations`;
    if (held < 3.5) {
      return [el("strong", {}, `${state} on the needle`), better ? `, higher than ${theFit()}: a result that only looks good.` : "."];
    }
    return [el("strong", {}, state), Math.abs(levels[t] - healthy) < 0.005 ? `, at ${theFit()}.` : ", off the needle."];
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const sets = f.select(top, "Data", Object.entries(SETS).map(([name, one]) => [name, one.name]), (name) => {
    take(name);
    begin();
    show();
    sayStart();
  });
  f.link(top);

  const density = f.plot({
    label: "The points, and the density of the mixture with a narrow component whose mean can be moved",
    x: [-1, 7], y: [0, 1], ratio: 0.28, least: 180, left: 46, handles: true, xLabel: "x", yLabel: "density",
  });
  const slice = f.plot({
    label: "The log-likelihood against the standard deviation of component 1, which falls from left to right",
    x: [-1, 9], y: [-62, -26], ratio: 0.34, least: 210, left: 46, handles: true, yLabel: "ℓ", bottom: 44,
  });
  const mine = ownData.panel(f, density, {
    dimension: 1,
    most: MANY,
    source: () => ({ points: X, names: [""] }),
    restore: (given) => read(given),
    changed: (how, said) => {
      if (how !== "chosen" && how !== "undo") {
        const kept = [at, s, remedy, strength];
        const stays = !unfit && (how === "copy" || (key === "own" && how !== "new"));
        const onto = stays && onPoint() > 0 && how !== "copy" ? X.indexOf(at) : -1;
        take("own");
        begin();
        if (stays && !unfit) {
          [at, s, remedy, strength] = kept;
          // the needle stays on its point
          if (onto >= 0 && !X.includes(at) && onto < X.length) at = X[onto];
          at = clamp(at, ...RANGE);
          run();
        }
      }
      show();
      if (how === "chosen") return f.say(said);
      if (unfit) return sayUnfit(said);
      f.say(said, `${X.length} numbers, and `, L(), ` is ${fixed(levels[t])}.`);
    },
  });
  const taker = mine.button(top);
  function set(change, aloud = true) {
    change();
    run();
    show();
    if (aloud) sayStart();
  }
  const snapped = (x) => {
    const closest = X.reduce((best, one) => (Math.abs(one - x) < Math.abs(best - x) ? one : best));
    return Math.abs(closest - x) <= SNAP * (RANGE[1] - RANGE[0]) ? closest : x;
  };
  const middle = density.handle({
    class: "c1", text: "1", label: "Mean of component 1", axis: "x",
    at: () => [now().means[0], 0],
    words: () => `${near(now().means[0])}${onPoint() && t === 0 ? ", on a point" : ""}`,
    move: ([x], how) => set(() => { at = snapped(x); }, how !== "drag"),
  });
  const width = slice.handle({
    class: "c1", text: "σ", label: "Standard deviation of component 1, on a scale of powers of ten", axis: "x", step: [0.1, 0],
    at: () => [clamp(-Math.log10(sigma()), ...NARROW), clamp(levels[t], ...slice.y)],
    words: () => short(sigma()),
    move: ([x], how) => set(() => { s = Number((-x).toFixed(2)); }, how !== "drag"),
  });
  density.svg.addEventListener("click", (event) => {
    if (unfit || mine.editing || middle.node.contains(event.target)) return;
    f.stop();
    const grain = density.grain(0);
    set(() => { at = snapped(clamp(Number((Math.round(density.at(event)[0] / grain) * grain).toPrecision(12)), ...RANGE)); });
  });

  const help = f.row();
  const choice = f.choice(help, "Remedy", Object.entries(REMEDIES).map(([name, one]) => [name, one.name]), (name) => {
    set(() => { [remedy, strength] = [name, REMEDIES[name].usual || 0]; }, false);
    sayRemedy();
  });
  const amount = f.slider(help, "strength", { min: -6, max: 1, step: 0.5, format: (v) => short(10 ** v) }, (v) => {
    set(() => { strength = v; }, false);
    sayRemedy();
  });
  function sayRemedy() {
    if (unfit) return sayUnfit();
    const one = REMEDIES[remedy];
    if (!one.sign) f.say("EM as it is. Press One iteration, and see where it goes from here.");
    else if (remedy === "prior") f.say(`A prior: ${short(10 ** strength)} ${one.what}. Press One iteration.`);
    else f.say(`A ${remedy}: `, letter(one.sign), ` = ${short(10 ** strength)} ${one.what}. Press One iteration.`);
  }
  const buttons = f.row();
  const go = (withEnd) => {
    t += 1;
    show();
    saySteps(withEnd);
  };
  f.button(buttons, "One iteration", () => {
    if (unfit) return sayUnfit();
    if (t < last()) go(true);
    else if (end === "collapse") f.say("There is no next mixture: a variance has fallen to 0. Move the mean, widen the component, or choose a remedy.");
    else saySteps();
  });
  f.player(buttons, () => {
    if (unfit) {
      sayUnfit();
      return 0;
    }
    if (t === last() && told) {
      t = 0;
      show();
    }
    if (t === last()) { // how it ends is a beat of its own
      saySteps();
      return 0;
    }
    go(false);
    return t < 8 ? 900 : 120;
  });
  f.button(buttons, "Back to the start", () => {
    t = 0;
    show();
    sayStart();
  });
  f.button(buttons, "Reset", () => {
    take(key);
    begin();
    show();
    sayStart();
  });
  f.words();
  const value = el("output", { class: "touch-l" });
  f.row().append(value);

  // --- drawing ---

  density.draw = () => {
    const m = now();
    density.y = [0, 0.6 / 10 ** order];
    density.axes({ yTicks: key === "own" ? !unfit : [0, 0.2, 0.4] });
    for (const x of X) density.add("path", { d: `M${density.px(x)} ${density.inner.bottom}v-9`, class: "touch-rug" });
    if (unfit) return;
    const around = [0, 1].flatMap((j) => Array.from({ length: 121 }, (_, k) => m.means[j] + ((k - 60) / 10) * Math.sqrt(m.covariances[j])));
    const grid = Array.from({ length: 321 }, (_, k) => RANGE[0] + ((RANGE[1] - RANGE[0]) * k) / 320);
    const xs = [...grid, ...around].filter((x) => x >= RANGE[0] && x <= RANGE[1]).sort((a, b) => a - b);
    const capped = (v) => Math.min(v, 2 * density.y[1]);
    [0, 1].forEach((j) => density.curve(`c${j + 1}`, xs.map((x) =>
      [x, capped(m.weights[j] * gmm.gaussian(x, m.means[j], m.covariances[j]))])));
    density.curve("plain", xs.map((x) => [x, capped(gmm.density(x, m))]));
    const height = gmm.density(m.means[0], m);
    if (height > density.y[1]) {
      const x = clamp(density.px(m.means[0]), density.inner.left + 8, density.inner.right - 120);
      density.text(x + 8, density.inner.top + 13, `up to ${short(height)}`, "touch-halo");
    }
  };
  slice.draw = () => {
    slice.axes({ xTicks: false, yTicks: !unfit });
    const b = slice.inner;
    const every = b.right - b.left < 420 ? 2 : 1;
    for (let p = NARROW[0]; p <= NARROW[1]; p += every) {
      const x = slice.px(p);
      slice.add("path", { d: `M${x} ${b.bottom}v4`, class: "touch-frame" }, "back");
      slice.text(x, b.bottom + 18, power(-p), "touch-tick middle", "back");
    }
    slice.text((b.left + b.right) / 2, slice.height - 5, "standard deviation of component 1", "touch-axis middle", "back");
    if (unfit) return;
    slice.curve("faint dotted", [[NARROW[0], healthy], [NARROW[1], healthy]]);
    slice.text(b.left + 6, slice.py(healthy) - 6, theFit(), "touch-tick touch-halo");
    const m = now();
    const points = Array.from({ length: 301 }, (_, k) => {
      const p = NARROW[0] + ((NARROW[1] - NARROW[0]) * k) / 300;
      return [p, clamp(ell(withWidth(m, -p)), slice.y[0] - 150, slice.y[1] + 150)];
    });
    slice.curve("plain", points);
    const trail = path.slice(0, t + 1).map((one, k) => [clamp(-Math.log10(sigma(one)), NARROW[0] - 1, NARROW[1] + 3), levels[k]]);
    trail.slice(0, -1).forEach((point) => slice.dot("touch-ahead", point, 4));
  };
  function show() {
    sets.value = key;
    taker.hidden = key === "own";
    mine.show(key === "own");
    density.x = RANGE;
    density.options.xLabel = key === "own" ? mine.labels[0] : "x";
    slice.x = NARROW;
    slice.y = key === "own" && !unfit ? [healthy - 0.8 * X.length - 7, healthy + 13] : [-62, -26];
    for (const plot of [density, slice]) plot.options.left = key === "own" ? 58 : 46;
    for (const one of [middle, width]) one.show(!unfit);
    choice.show(remedy);
    const one = REMEDIES[remedy];
    amount.parentElement.hidden = !one.sign;
    if (one.sign) {
      [amount.min, amount.max] = [one.from, one.to];
      amount.show(strength);
    }
    const m = now();
    if (unfit) value.replaceChildren();
    else value.replaceChildren(L(), ` = ${fixed(levels[t], 2)}`, el("span", { class: "touch-muted" }, ` iteration ${t}, ${whole ? "healthy fit" : "one Gaussian"} ${fixed(healthy, 2)}`,
      ...[0, 1].flatMap((j) => [", ", el("span", {}, letter("σ", j + 1), " = ", short(Math.sqrt(m.covariances[j])))]),
      ", ", el("span", {}, letter("N", 1), ` = ${fixed(X.length * m.weights[0], 1)}`)));
    f.update();
  }

  // --- the address ---

  f.address(
    () => ({
      of: key === "esl" ? "" : key,
      m: at === usualAt() ? "" : at,
      s: s === usualS() ? "" : s,
      r: remedy === "none" ? "" : remedy,
      e: remedy === "none" || strength === REMEDIES[remedy].usual ? "" : strength,
      t: t || "",
      ...mine.write(),
    }),
    (given) => {
      const lost = given.of === "own" && !mine.read(given);
      read(lost ? {} : given);
      show();
      if (lost) f.say("The numbers of this link are not in it: they were too many, or they are no numbers. Paste your list again.");
      else if (t) saySteps();
      else sayStart();
    }
  );
  function read(given) {
    take(Object.keys(SETS).includes(given.of) ? given.of : "esl");
    begin();
    at = within(given.m, RANGE, at);
    s = within(given.s, [-NARROW[1], -NARROW[0]], s);
    if (Object.keys(REMEDIES).includes(given.r) && given.r !== "none") {
      remedy = given.r;
      const one = REMEDIES[remedy];
      strength = Math.round(2 * within(given.e, [one.from, one.to], one.usual)) / 2;
    }
    run();
    t = clamp(Math.round(Number(given.t)) || 0, 0, last());
  }
});

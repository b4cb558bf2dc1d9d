// Whose point is it? Above, two weighted components on top of one another; below, the same with
// every column stretched to height 1: the posterior. A point moves along x, the boundaries show.
touch.figure("posterior", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "Whose point is it?");
  const { el, fixed, digits, letter, clamp, within } = touch;
  const PLAIN = { x: [-11, 11], means: { min: -6, max: 6, step: 0.1 }, deviations: { min: 0.3, max: 4, step: 0.1 }, decimals: 2 };
  const WEIGHTS = { min: 0.01, max: 0.99, step: 0.01 };
  const plain = (name, m, at) => ({ ...PLAIN, name, m, at });
  const EXAMPLES = {
    waits: {
      name: "Old Faithful", at: 67, x: [38, 98], decimals: 1, label: "wait in minutes",
      m: { weights: [0.36, 0.64], means: [54.6, 80.1], deviations: [5.8651513, 5.8651513] }, // √34.4
      means: { min: 40, max: 95, step: 0.1 }, deviations: { min: 2, max: 20, step: 0.1 },
    },
    equal: plain("Equal widths", { weights: [0.5, 0.5], means: [0, 3], deviations: [1, 1] }, 1),
    wide: plain("One wider", { weights: [0.5, 0.5], means: [0, 3], deviations: [1, 2] }, -10),
    inside: plain("One inside", { weights: [0.5, 0.5], means: [0, 0], deviations: [1, 2] }, 1),
    never: plain("One never wins", { weights: [0.3, 0.7], means: [0, 0], deviations: [1, 2] }, 0),
  };

  let key, example, m, at;

  const mixture = () => gmm.univariate(m.weights, m.means, m.deviations.map((s) => s * s));
  const shares = (x = at) => gmm.posterior(x, mixture());
  const joint = (x) => gmm.logJoint(x, mixture()).map(Math.exp);
  const place = (x) => fixed(x, example.decimals);
  function take(name) {
    [key, example] = [name, EXAMPLES[name]];
    m = { weights: [...example.m.weights], means: [...example.m.means], deviations: [...example.m.deviations] };
    at = example.at;
  }
  // two that coincide are no boundary: the components only touch there
  function boundaries() {
    const found = gmm.boundaries(mixture());
    return found.length === 2 && found[1] - found[0] < 1e-6 ? [] : found;
  }

  // --- in words ---

  const component = (j) => `component ${j + 1}`;
  function sayWhere() {
    const found = boundaries();
    const seen = found.map((x) => fixed(x) + (x < example.x[0] || x > example.x[1] ? " (outside the picture)" : ""));
    const [first, second] = m.means;
    const [one, two] = m.deviations;
    if (found.length === 2) {
      const narrow = one < two ? 0 : 1;
      return [el("strong", {}, "Two boundaries"), `, at ${seen.join(" and ")}. Between them a point is more probably `,
        `${component(narrow)}’s; far out, on both sides, the wider one wins.`];
    }
    if (found.length === 1) {
      const left = first < second ? 0 : 1;
      return [el("strong", {}, "One boundary"), `, at ${seen[0]}. To its left a point is more probably `,
        `${component(left)}’s, to its right ${component(1 - left)}’s.`];
    }
    const [a, b] = m.weights;
    const alike = first === second && one === two;
    const winner = alike ? (a > b ? 0 : 1) : one > two ? 0 : 1;
    return [el("strong", {}, "No boundary"), alike ? ": the two bells are one, and only the weights can tell. " : ". ",
      alike && a === b ? "Every point is shared half and half." : `Wherever the point lies, ${component(winner)} is the more probable one.`];
  }
  function sayWhose() {
    const beta = shares();
    const owner = beta[0] >= beta[1] ? 0 : 1;
    const [near, far] = [owner, 1 - owner].map((j) => Math.abs(at - m.means[j]));
    const sure = beta[owner] > 0.9995 ? "more than 0.999" : fixed(beta[owner], 3);
    return [` The point at ${place(at)} is ${component(owner)}’s with probability ${sure}`,
      far < near - 1e-9 ? `, although the mean of ${component(1 - owner)} is nearer.` : "."];
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const examples = f.select(top, "Example", Object.entries(EXAMPLES).map(([name, e]) => [name, e.name]), (name) => {
    take(name);
    show();
  });
  f.link(top);
  const other = el("p", { class: "touch-muted" }, "The words under this figure are about the example Old Faithful.");
  f.root.append(other);
  const layers = f.plot({
    label: "The weighted components on top of one another, and a point that can be moved along x",
    x: [0, 1], y: [0, 1], ratio: 0.3, least: 170, bottom: 16, left: 54, yLabel: "density", handles: true,
  });
  const posterior = f.plot({
    label: "The posterior probability of each component along x, with the decision boundaries",
    x: [0, 1], y: [0, 1], ratio: 0.22, least: 130, left: 54, yLabel: "share", xLabel: "x",
  });
  f.words();

  const body = el("tbody");
  const heads = [el("span", { class: "touch-hidden" }, "component"), letter("α"), letter("g"), [letter("α"), letter("g")], letter("β")];
  const caption = el("caption");
  f.root.append(el("table", {}, caption,
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, ...[head].flat())))), body));

  function set(kind, j, value) {
    if (kind === "weights") m.weights = [value, 1 - value].map((w) => Number(w.toFixed(2)));
    else m[kind][j] = Number(value.toFixed(2));
    if (kind === "weights" && j === 1) m.weights.reverse();
    show();
  }
  const sliders = f.parameters(2, { weights: WEIGHTS, means: {}, deviations: {} }, set);
  f.button(f.row(), "Reset", () => {
    take(key);
    show();
  });

  const handle = layers.handle({
    class: "touch-point", text: "x", label: "The point", axis: "x",
    at: () => [at, 0],
    words: () => `${place(at)}: ${shares().map((b, j) => `${fixed(b, 3)} ${component(j)}`).join(", ")}`,
    move: ([x]) => {
      at = x;
      show();
    },
  });
  for (const plot of [layers, posterior]) {
    plot.svg.addEventListener("click", (event) => {
      if (handle.node.contains(event.target)) return;
      at = clamp(Number(plot.at(event)[0].toFixed(example.decimals)), ...example.x);
      show();
    });
  }

  // --- drawing ---

  const alongX = (of) => Array.from({ length: 301 }, (_, i) => {
    const x = example.x[0] + (i / 300) * (example.x[1] - example.x[0]);
    return [x, ...of(x)];
  });
  function drawLayers(plot, all) {
    const border = all.map(([x, first]) => [x, first]);
    const whole = all.map(([x, first, second]) => [x, first + second]);
    plot.area("c1", border);
    plot.area("c2", [...whole, ...border.slice().reverse()], border[0][1]);
    plot.curve("c1", border);
    plot.curve("plain touch-thin", whole);
    const line = (x, classes) => plot.curve(classes, [[x, plot.y[0]], [x, plot.y[1]]]);
    boundaries().forEach((x) => line(x, "plain touch-thin"));
    line(at, "plain dotted");
    m.means.forEach((mean, j) => {
      const [, first, second] = all[clamp(Math.round((300 * (mean - example.x[0])) / (example.x[1] - example.x[0])), 8, 292)];
      const [low, high] = j ? [first, first + second] : [0, first];
      if (plot.py(low) - plot.py(high) > 22) plot.text(plot.px(mean), plot.py((low + high) / 2) + 5, String(j + 1), "middle touch-name");
    });
  }
  layers.draw = () => {
    const all = alongX(joint);
    const most = 1.1 * Math.max(...all.map(([, a, b]) => a + b));
    const power = 10 ** Math.floor(Math.log10(most));
    layers.y = [0, power * [1, 1.5, 2, 3, 5, 7.5, 10].find((v) => v * power >= most)];
    layers.axes({ xTicks: false });
    drawLayers(layers, all);
  };
  posterior.draw = () => {
    posterior.axes({ yTicks: [0, 0.5, 1] });
    drawLayers(posterior, alongX(shares));
    posterior.curve("faint", [[example.x[0], 0.5], [example.x[1], 0.5]]);
    boundaries().forEach((x) => posterior.dot("", [x, 0.5], 4));
  };
  function show() {
    examples.value = key;
    other.hidden = key === "waits";
    layers.x = posterior.x = example.x;
    posterior.options.xLabel = example.label || "x";
    for (const [, mean, deviation] of sliders.rows) {
      Object.assign(mean, example.means);
      Object.assign(deviation, example.deviations);
    }
    sliders.show(m);
    const [both, beta] = [joint(at), shares()];
    const three = (value) => {
      const [a, power] = digits(value, 3).split("e");
      return power ? el("span", {}, `${a} · 10`, el("sup", {}, power.replace("+", ""))) : a;
    };
    const row = (name, ...cells) => el("tr", {}, name, ...cells.map((text) => el("td", {}, text)));
    caption.replaceChildren("The shares at ", el("i", {}, "x"), ` = ${place(at)}`);
    body.replaceChildren(
      ...m.means.map((mean, j) => row(
        el("th", { scope: "row", class: `c${j + 1}` }, el("span", { class: "touch-swatch" }), String(j + 1)),
        fixed(m.weights[j]), three(gmm.gaussian(at, mean, m.deviations[j] ** 2)), three(both[j]), fixed(beta[j], 3))),
      row(el("th", { scope: "row" }, "sum"), "1", "", three(both[0] + both[1]), "1"));
    f.say(...sayWhere(), ...sayWhose());
    f.update();
  }

  // --- the address ---

  const given = (kind) => (String(m[kind]) === String(example.m[kind]) ? "" : m[kind].join(","));
  f.address(
    () => ({
      of: key === "waits" ? "" : key,
      a: given("weights") && m.weights[0],
      m: given("means"),
      s: given("deviations"),
      x: at === example.at ? "" : at,
    }),
    (asked) => {
      take(Object.keys(EXAMPLES).includes(asked.of) ? asked.of : "waits");
      const rangeOf = ({ min, max }) => [min, max];
      const a = Number(within(asked.a, rangeOf(WEIGHTS), m.weights[0]).toFixed(2));
      m.weights = [a, Number((1 - a).toFixed(2))];
      for (const [kind, text] of [["means", asked.m], ["deviations", asked.s]]) {
        m[kind] = m[kind].map((usual, j) => within((text || "").split(",")[j], rangeOf(example[kind]), usual));
      }
      at = within(asked.x, example.x, at);
      show();
    },
    { of: "wide" } // two boundaries, and a point that is not on either
  );
});

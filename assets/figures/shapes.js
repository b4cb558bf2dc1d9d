// Fourteen answers: three covariances in the plane, and what each family makes of them. The long
// axis of an ellipse is moved by hand, the three letters are chosen, and the family's best follows.
touch.figure("shapes", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "What a family makes of three covariances");
  const { el, fixed, letter, clamp } = touch;
  const WEIGHTS = [0.4, 0.3, 0.3];
  const PLACES = [[0, 0], [4.2, 0.4], [1.9, 3.6]];
  const RADIUS = 1.5;
  const SHORT = [0.1, 2.5]; // standard deviations along the short axis
  const LONG = 2.6;
  const USUAL = [[Math.sqrt(3), Math.sqrt(0.5), 15], [Math.sqrt(1.8), Math.sqrt(0.15), 35], [Math.sqrt(0.7), Math.sqrt(0.2), -20]]
    .map(([long, short, angle]) => ({ long: Number(long.toFixed(3)), short: Number(short.toFixed(3)), angle }));

  let own, letters, chosen; // what an address keeps; own: long and short standard deviation, degrees
  let shown, drawn; // the family's covariances, and those on the way to them

  // --- two by two matrices, as [[a, b], [b, c]] ---

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (of) => sum(WEIGHTS.map((w, j) => w * of(j)));
  const scaled = ([[a, b], [, c]], s) => [[s * a, s * b], [s * b, s * c]];
  const det = ([[a, b], [, c]]) => a * c - b * b;
  const trace = ([[a], [, c]]) => a + c;
  const combined = (S, shares) => [0, 1].map((r) => [0, 1].map((c) => sum(S.map((M, j) => shares[j] * M[r][c]))));
  const inverse = (M) => scaled([[M[1][1], -M[0][1]], [-M[0][1], M[0][0]]], 1 / det(M));
  const product = ([[a, b], [, c]], [[p, q], [, r]]) => a * p + 2 * b * q + c * r; // tr AB
  const unit = (M) => scaled(M, 1 / Math.sqrt(det(M)));
  const turned = (p, q, phi) => { // variances p and q along the axes at phi and phi + 90°
    const [c, s] = [Math.cos(phi), Math.sin(phi)];
    return [[p * c * c + q * s * s, (p - q) * c * s], [(p - q) * c * s, p * s * s + q * c * c]];
  };
  const diagonal = ([[a], [, c]]) => [[a, 0], [0, c]];
  const ball = (v) => [[v, 0], [0, v]];
  const along = ([[a, b], [, c]], phi) => {
    const [co, si] = [Math.cos(phi), Math.sin(phi)];
    return a * co * co + 2 * b * co * si + c * si * si;
  };
  const matrix = ({ long, short, angle }) => turned(long ** 2, short ** 2, (angle * Math.PI) / 180);

  // --- the fourteen answers: the covariances of the family with the smallest misfit to S ---

  // one shape C with det C = 1, and a volume each: the two halves in turn, which only descends
  function oneShape(S) {
    let volumes = S.map((M) => Math.sqrt(det(M)));
    let C;
    for (let k = 0; k < 3000; k++) {
      C = unit(combined(S, WEIGHTS.map((w, j) => w / volumes[j])));
      const next = S.map((M) => product(inverse(C), M) / 2);
      const still = Math.max(...next.map((v, j) => Math.abs(v / volumes[j] - 1))) < 1e-13;
      volumes = next;
      if (still) break;
    }
    return volumes.map((v) => scaled(C, v));
  }
  // common axes: the angle with the smallest misfit, on a grid and then ever finer around the best
  function commonAngle(S, misfit) {
    let [best, step] = [0, Math.PI / 2 / 720];
    for (let k = 0; k < 720; k++) if (misfit(k * step) < misfit(best)) best = k * step;
    for (; step > 1e-12; step /= 2) {
      for (const phi of [best - step, best + step]) if (misfit(phi) < misfit(best)) best = phi;
    }
    return best;
  }
  function answer(name, S) {
    const [volume, shape, axes] = name;
    const equal = (unitary, volumes) => unitary.map((M, j) => scaled(M, volume === "E" ? mean((i) => volumes[i]) : volumes[j]));
    if (shape === "I") return equal(S.map(() => ball(1)), S.map((M) => trace(M) / 2));
    if (axes === "I") {
      const B = S.map(diagonal);
      if (shape === "V") return equal(B.map(unit), B.map((M) => Math.sqrt(det(M))));
      return volume === "V" ? oneShape(B) : B.map(() => combined(B, WEIGHTS));
    }
    if (axes === "E") {
      if (shape === "E") return volume === "V" ? oneShape(S) : S.map(() => combined(S, WEIGHTS));
      const lengths = (M, phi) => [along(M, phi), along(M, phi + Math.PI / 2)];
      const misfit = (phi) => mean((j) => {
        const [p, q] = lengths(S[j], phi);
        return volume === "V" ? Math.log(p * q) : Math.sqrt(p * q);
      });
      const phi = commonAngle(S, misfit);
      const B = S.map((M) => turned(...lengths(M, phi), phi));
      return equal(B.map(unit), B.map((M) => Math.sqrt(det(M))));
    }
    if (shape === "V") return equal(S.map(unit), S.map((M) => Math.sqrt(det(M))));
    const parts = S.map((M) => gmm.eigen(M)); // one shape, axes of their own
    const sorted = parts.map(({ large, small }) => [[large, 0], [0, small]]);
    const found = volume === "V" ? oneShape(sorted) : sorted.map(() => combined(sorted, WEIGHTS));
    return found.map(([[p], [, q]], j) => turned(p, q, parts[j].angle));
  }
  const misfitOf = (S, Sigma) => mean((j) => Math.log(det(Sigma[j])) + product(inverse(Sigma[j]), S[j]));
  const count = ([volume, shape, axes]) =>
    (volume === "E" ? 1 : 3) + { I: 0, E: 1, V: 3 }[shape] + { I: 0, E: 1, V: 3 }[axes];

  // --- in words ---

  const WORDS = {
    volume: { E: "equal volumes", V: "volumes of their own" },
    shape: { I: "balls", E: "one shape", V: "shapes of their own" },
    axes: { I: "axes along the columns", E: "common axes", V: "axes of their own" },
  };
  function say() {
    const [volume, shape, axes] = letters;
    const what = [WORDS.volume[volume], WORDS.shape[shape], ...shape === "I" ? [] : [WORDS.axes[axes]]].join(", ");
    const S = own.map(matrix);
    const more = misfitOf(S, shown) - misfitOf(S, S);
    const numbers = count(letters);
    f.say(el("strong", {}, letters), `: ${what}. ${numbers} number${numbers === 1 ? "" : "s"} in the covariances. `,
      letters === "VVV" ? "It keeps each covariance as it is, and no family has a smaller misfit."
        : more < 5e-5 ? "It costs nothing here: these three covariances belong to the family."
          : `The misfit is ${fixed(more, 3)} above that of VVV.`);
  }

  // --- the controls ---

  const top = f.row("touch-spread");
  const choose = (place) => (value) => {
    const next = [...letters];
    next[place] = value;
    // a ball has no axes: the last two letters are I together, or the shape is not
    if (place === 1 && value === "I") next[2] = "I";
    if (place === 2 && value !== "I" && next[1] === "I") next[1] = "E";
    letters = next.join("");
    show(true);
    say();
  };
  const group = f.row("", top);
  const volumes = f.choice(group, "Volume", [["E", "E"], ["V", "V"]], choose(0));
  const shapes = f.choice(group, "Shape", [["I", "I"], ["E", "E"], ["V", "V"]], choose(1));
  const axes = f.choice(group, "Orientation", [["I", "I"], ["E", "E"], ["V", "V"]], choose(2));
  f.link(top);
  const plane = f.plot({
    label: "Three ellipses as they are, dotted, and what the family makes of them; each long axis can be moved",
    x: [-3, 6.8], y: [-2.7, 5.6], ratio: 0.86, least: 220, left: 30, bottom: 30, handles: true,
  });
  const tip = (j) => {
    const phi = (own[j].angle * Math.PI) / 180;
    return [PLACES[j][0] + RADIUS * own[j].long * Math.cos(phi), PLACES[j][1] + RADIUS * own[j].long * Math.sin(phi)];
  };
  PLACES.forEach(([x, y], j) => plane.handle({
    class: `c${j + 1}`, text: String(j + 1), label: `Long axis of component ${j + 1}`,
    at: () => tip(j),
    words: () => `standard deviation ${fixed(own[j].long)}, at ${fixed(own[j].angle, 0)} degrees`,
    move: ([u, v], how) => {
      const long = clamp(Math.hypot(u - x, v - y) / RADIUS, own[j].short, LONG);
      own[j] = { ...own[j], long: Number(long.toFixed(3)), angle: Number(((Math.atan2(v - y, u - x) * 180) / Math.PI).toFixed(1)) };
      chosen = j;
      show();
      if (how !== "drag") say();
    },
  }));
  f.root.append(el("p", { class: "touch-muted" }, "Dotted: the three covariances as they are. Solid: what the family makes of them, with the weights 0.4, 0.3 and 0.3. In the table: the volume, the ratio of the long to the short half-axis, and the angle of the long one."));
  const row = f.row();
  const which = f.choice(row, "Component", [["0", "1"], ["1", "2"], ["2", "3"]], (j) => {
    chosen = Number(j);
    show();
  });
  const width = f.slider(row, "along its short axis", { min: SHORT[0], max: SHORT[1], step: 0.01, format: (v) => fixed(v) }, (v) => {
    own[chosen] = { ...own[chosen], short: v, long: Math.max(v, own[chosen].long) };
    show();
    say();
  });
  f.button(f.row(), "Reset", () => {
    [own, letters, chosen] = [USUAL.map((one) => ({ ...one })), "VEV", 0];
    show();
    say();
  });
  f.words();
  const body = el("tbody");
  const head = (text, attributes = {}) => el("th", { scope: "col", ...attributes }, ...[text].flat());
  f.root.append(el("table", {}, el("caption", { class: "touch-hidden" }, "Volume, ratio of the half-axes and angle, as they are and in the family"),
    el("thead", {},
      el("tr", {}, head(el("span", { class: "touch-hidden" }, "component"), { rowspan: 2 }),
        ...["as it is", "in the family"].map((text) => head(text, { scope: "colgroup", colspan: 3 }))),
      el("tr", {}, ...[0, 1].flatMap(() => [letter("λ"), "ratio", "angle"].map((text) => head(text))))), body));

  // --- drawing ---

  plane.draw = () => {
    plane.axes({ xTicks: [-2, 0, 2, 4, 6], yTicks: [-2, 0, 2, 4] });
    own.forEach((one, j) => plane.ellipse(`c${j + 1} touch-own`, PLACES[j], matrix(one), RADIUS));
    drawn.forEach((Sigma, j) => plane.ellipse(`c${j + 1} touch-best`, PLACES[j], Sigma, RADIUS));
  };
  function show(glide = false) {
    volumes.show(letters[0]);
    shapes.show(letters[1]);
    axes.show(letters[2]);
    which.show(chosen);
    width.show(own[chosen].short);
    const S = own.map(matrix);
    const before = drawn || S;
    shown = answer(letters, S);
    const cells = (M) => {
      const { large, small, angle } = gmm.eigen(M);
      const round = large / small < 1 + 1e-6;
      return [fixed(Math.sqrt(det(M))), fixed(Math.sqrt(large / small)), round ? "any" : `${fixed((angle * 180) / Math.PI, 0)}°`];
    };
    body.replaceChildren(...S.map((M, j) => el("tr", {},
      el("th", { scope: "row", class: `c${j + 1}` }, el("span", { class: "touch-swatch" }), String(j + 1)),
      ...[...cells(M), ...cells(shown[j])].map((text) => el("td", {}, text)))));
    if (glide) {
      f.tween(350, (share) => {
        drawn = shown.map((M, j) => combined([before[j], M], [1 - share, share]));
        plane.render();
      });
      f.note();
      return;
    }
    drawn = shown;
    f.update();
  }

  // --- the address ---

  f.address(
    () => ({
      of: letters === "VEV" ? "" : letters,
      s: own.every((one, j) => one.long === USUAL[j].long && one.short === USUAL[j].short && one.angle === USUAL[j].angle)
        ? "" : own.map(({ long, short, angle }) => `${long},${short},${angle}`).join(";"),
      c: chosen || "",
    }),
    (given) => {
      [own, letters, chosen] = [USUAL.map((one) => ({ ...one })), "VEV", 0];
      if (/^[EV](I{2}|[EV][IEV])$/.test(given.of || "")) letters = given.of;
      (given.s || "").split(";").slice(0, 3).forEach((text, j) => {
        const [long, short, angle] = text.split(",").map(Number);
        if (![long, short, angle].every(Number.isFinite) || text.split(",").length !== 3) return;
        const s = clamp(short, ...SHORT);
        own[j] = { long: clamp(long, s, LONG), short: s, angle: clamp(angle, -180, 180) };
      });
      if (["1", "2"].includes(given.c)) chosen = Number(given.c);
      drawn = null;
      show();
      say();
    }
  );
});

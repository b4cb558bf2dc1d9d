// The log-likelihood over the two means of two components on the line, all else held: its heights, the bound over it, and
// how it is drawn. In the browser it is the global `landscape`; in Node, require() gives it, where what draws is no use.
// A script that speaks of it gets it.
(() => {
  "use strict";
  const gmm = typeof module === "object" && module.exports ? require("./em.js") : globalThis.gmm;
  const EMPTY = 1e-290; // below this a count has no digits left
  const LEVELS = 12;

  // --- the mathematics ---

  // the different numbers among X, and how often each occurs
  function tally(X) {
    const counts = new Map();
    for (const x of X) counts.set(x, (counts.get(x) || 0) + 1);
    return [...counts];
  }

  // ℓ over a grid of two means, the rest as in m: rows[b][a] has the means (first[a], second[b]).
  // Each density is computed once for each mean, not for each pair, and equal points once for all
  // of them.
  function surface(X, m, first, second = first) {
    const points = tally(X);
    const terms = (grid, j) =>
      grid.map((mean) => points.map(([x]) => Math.log(m.weights[j]) + gmm.logGaussian(x, mean, m.covariances[j])));
    const [one, two] = [terms(first, 0), terms(second, 1)];
    const times = points.map(([, count]) => count);
    const [[alpha, beta], [s, t]] = [m.weights, m.covariances];
    const mirrored = first === second && alpha === beta && s === t; // then half of it is enough
    const rows = [];
    two.forEach((v, b) => {
      rows.push(one.map((u, a) => {
        if (mirrored && a < b) return rows[a][b];
        let total = 0;
        for (let i = 0; i < times.length; i++) {
          total += times[i] * (Math.max(u[i], v[i]) + Math.log1p(Math.exp(-Math.abs(u[i] - v[i]))));
        }
        return total;
      }));
    });
    return rows;
  }

  // One iteration in which only the means move, from tally(X), for equal variances: the share of a
  // point is a logistic curve then, and hundreds of iterations take no time. Without any share a
  // mean stays.
  function nextMeans(points, { weights: [alpha, beta], means: [a, b], covariances: [variance] }) {
    let [inA, inB, sumA, sumB] = [0, 0, 0, 0];
    for (const [x, count] of points) {
      const odds = (alpha / beta) * Math.exp(((a - b) * (x - (a + b) / 2)) / variance);
      const ofB = count / (1 + odds);
      const ofA = odds === Infinity ? count : odds * ofB;
      inA += ofA;
      inB += ofB;
      sumA += ofA * x;
      sumB += ofB * x;
    }
    return [inA > EMPTY ? sumA / inA : a, inB > EMPTY ? sumB / inB : b];
  }

  // ℒ(q, ·) as a function of the means, all else as in m, is a hill with upright axes:
  // height − Σ_j N_j (μ_j − top_j)² / 2σ_j². The M-step goes to its top; a component of which q has
  // nothing keeps its mean.
  function boundOfMeans(X, q, m) {
    const counts = gmm.countsOf(q);
    const top = counts.map((count, j) =>
      (count > EMPTY ? X.reduce((total, x, i) => total + q[i][j] * x, 0) / count : m.means[j]));
    const height = gmm.lowerBound(X, q, { ...m, means: top });
    const at = (means) =>
      means.reduce((rest, mean, j) => rest - (counts[j] * (mean - top[j]) ** 2) / (2 * m.covariances[j]), height);
    return { counts, top, height, at };
  }

  // --- how it is drawn: land has rows, the height of its top, how deep below it the shades reach,
  // and the height of its saddle, or null ---

  // where it is `level` high: for each cell of the grid the piece of line that crosses it
  function contour(plot, rows, level) {
    const [across, up] = [rows[0].length - 1, rows.length - 1];
    const b = plot.inner;
    const spot = (u, v) => `${(b.left + ((b.right - b.left) * u) / across).toFixed(1)} ${(b.bottom - ((b.bottom - b.top) * v) / up).toFixed(1)}`;
    const pieces = [];
    for (let v = 0; v < up; v++) {
      const [below, above] = [rows[v], rows[v + 1]];
      for (let u = 0; u < across; u++) {
        const is = below[u] > level;
        if (is === below[u + 1] > level && is === above[u] > level && is === above[u + 1] > level) continue;
        const corners = [[u, v], [u + 1, v], [u + 1, v + 1], [u, v + 1]];
        const over = corners.map(([x, y]) => rows[y][x] - level);
        const crossings = [];
        for (let k = 0; k < 4; k++) {
          const [p, q] = [over[k], over[(k + 1) % 4]];
          if (p > 0 === q > 0) continue;
          const [[x, y], [w, z]] = [corners[k], corners[(k + 1) % 4]];
          const share = p / (p - q);
          crossings.push(spot(x + share * (w - x), y + share * (z - y)));
        }
        for (let k = 0; k + 1 < crossings.length; k += 2) pieces.push(`M${crossings[k]}L${crossings[k + 1]}`);
      }
    }
    return pieces.join("");
  }

  // the heights as a picture, a pixel for each corner of the grid: the higher the stronger
  function shade(plot, { rows, top, depth }) {
    const [wide, tall] = [rows[0].length, rows.length];
    const canvas = touch.el("canvas", { width: wide, height: tall });
    const paper = canvas.getContext("2d");
    const image = paper.createImageData(wide, tall);
    const [colour] = touch.palette(plot.figure.root);
    rows.forEach((row, v) => row.forEach((height, u) => {
      const strength = 1 - Math.sqrt(touch.clamp((top - height) / depth, 0, 1));
      image.data.set([...colour, 170 * strength], 4 * ((tall - 1 - v) * wide + u));
    }));
    paper.putImageData(image, 0, 0);
    return canvas.toDataURL();
  }

  // shades, contours, axes and the diagonal, on a plot whose frame is the grid
  function draw(plot, land) {
    const { rows, top, depth, saddle } = land;
    const { width } = plot;
    const colour = getComputedStyle(plot.figure.root).getPropertyValue("--touch-1");
    if (!land.drawn || land.drawn.width !== width || land.drawn.colour !== colour) {
      const levels = Array.from({ length: LEVELS - 1 }, (_, k) => top - depth * ((k + 2) / LEVELS) ** 2);
      if (saddle !== null) levels.push(saddle);
      const lines = levels.map((level) => [level, contour(plot, rows, level)]);
      land.drawn = { width, colour, lines, shade: shade(plot, land) };
    }
    const b = plot.inner;
    const cells = 2 * (rows.length - 1);
    const [u, v] = [(b.right - b.left) / cells, (b.bottom - b.top) / cells];
    plot.add("image", {
      href: land.drawn.shade, x: b.left - u, y: b.top - v, width: b.right - b.left + 2 * u, height: b.bottom - b.top + 2 * v,
      preserveAspectRatio: "none", class: "touch-shade",
    });
    for (const [level, d] of land.drawn.lines) {
      plot.add("path", { d, class: `touch-level${level === saddle ? " touch-through" : ""}`, "data-level": level });
    }
    const [low, high] = plot.x;
    plot.curve("faint dotted", [[low, low], [high, high]]);
    plot.axes();
  }

  const STAR = Array.from({ length: 10 }, (_, k) => {
    const [r, a] = [k % 2 ? 3.6 : 9, (Math.PI * (k - 2.5)) / 5];
    return `${k ? "L" : "M"}${(r * Math.cos(a)).toFixed(1)} ${(r * Math.sin(a)).toFixed(1)}`;
  }).join("") + "Z";
  const CROSS = "M-6 -6L6 6M-6 6L6 -6";
  // a peak or a saddle; returns where, in pixels
  function mark(plot, [a, b], isPeak) {
    const [x, y] = [plot.px(a), plot.py(b)];
    const [d, name] = isPeak ? [STAR, "touch-peak"] : [CROSS, "touch-saddle"];
    plot.add("path", { d, class: name, transform: `translate(${x} ${y})` }, "over");
    return [x, y];
  }

  const landscape = { tally, surface, nextMeans, boundOfMeans, draw, mark, STAR, CROSS };
  if (typeof module === "object" && module.exports) module.exports = landscape;
  else globalThis.landscape = landscape;
})();

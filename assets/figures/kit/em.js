// The mathematics of the figures that can be touched: Gaussian mixtures and EM on the line and in
// the plane. No page, no drawing. In the browser it is the global `gmm`; in Node, require() gives it.
//
//   const m = gmm.univariate([0.5, 0.5], [1, 2], [2, 2]);      // weights, means, variances σ²
//   const { responsibilities, logLikelihood } = gmm.eStep(X, m);
//   const { mixture, problem } = gmm.mStep(X, responsibilities);
//
// A mixture is { weights: [K], means: [K], covariances: [K] }. On the line a point and a mean are
// numbers, and a covariance is the variance σ². In the plane a point and a mean are [x, y], and a
// covariance is [[a, b], [b, c]]. Components are counted from 0. Nothing given is ever changed.
//
// What cannot be computed comes back as `problem`, never as NaN and never repaired in silence:
//   { kind: "far", point }                  E-step: a squared distance overflows
//   { kind: "empty", component, count }     M-step: no observation is left in a component
//   { kind: "flat", component, count, mean, covariance, share }   M-step: it has lost its spread
//   { kind: "data" }                        M-step: the data themselves have no spread
//   { kind: "none" }, { kind: "few", count }   unfit: no points, or fewer different ones than K
// each with a `reason` in words. What else would have been returned is then null.
(() => {
  "use strict";
  const LOG_2PI = Math.log(2 * Math.PI);
  const EPS = Number.EPSILON;
  const EMPTY = 2.2250738585072014e-308 / EPS; // below this a count has no digits left

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const univariate = (weights, means, variances) => ({ weights, means, covariances: variances });
  const dimension = (m) => (typeof m.means[0] === "number" ? 1 : 2);

  // --- one Gaussian ---

  // log N(x; mean, covariance); -Infinity where the squared distance overflows
  function logGaussian(x, mean, covariance) {
    if (typeof mean === "number") {
      const z = (x - mean) / Math.sqrt(covariance);
      return -0.5 * (LOG_2PI + Math.log(covariance) + z * z);
    }
    const [l11, l21, l22] = cholesky(covariance);
    const y1 = (x[0] - mean[0]) / l11;
    const y2 = (x[1] - mean[1] - l21 * y1) / l22;
    const square = y1 * y1 + y2 * y2;
    const logDet = 2 * (Math.log(l11) + Math.log(l22));
    return -0.5 * (2 * LOG_2PI + logDet + (Number.isNaN(square) ? Infinity : square));
  }

  const gaussian = (x, mean, covariance) => Math.exp(logGaussian(x, mean, covariance));

  // L of Σ = L Lᵀ, as [l11, l21, l22]
  function cholesky([[a, b], [, c]]) {
    const l11 = Math.sqrt(a);
    const l21 = b / l11;
    return [l11, l21, Math.sqrt(c - l21 * l21)];
  }

  // the eigenvalues of [[a, b], [b, c]], the smaller first, and the direction of the larger
  function eigen([[a, b], [, c]]) {
    const half = Math.hypot((a - c) / 2, b);
    const large = (a + c) / 2 + half;
    const small = large > 0 ? (a * c - b * b) / large : (a + c) / 2 - half;
    return { small, large, angle: Math.atan2(2 * b, a - c) / 2 };
  }

  // the ellipse at Mahalanobis distance r: half axes, and the angle of the longer one in radians
  function ellipse(covariance, r = 1) {
    const { small, large, angle } = eigen(covariance);
    return { major: r * Math.sqrt(large), minor: r * Math.sqrt(Math.max(small, 0)), angle };
  }

  // --- the mixture ---

  function logSumExp(values) {
    const top = Math.max(...values);
    if (!Number.isFinite(top)) return top;
    return top + Math.log(sum(values.map((value) => Math.exp(value - top))));
  }

  // log α_j + log g_j(x), one for each component
  const logJoint = (x, m) =>
    m.weights.map((weight, j) => Math.log(weight) + logGaussian(x, m.means[j], m.covariances[j]));
  const logDensity = (x, m) => logSumExp(logJoint(x, m));
  const density = (x, m) => Math.exp(logDensity(x, m));
  const logLikelihood = (X, m) => sum(X.map((x) => logDensity(x, m)));

  // Shifted first and divided last: at far points the logarithm of the sum has no digits to spare.
  function softmax(terms) {
    const top = Math.max(...terms);
    const shifted = terms.map((term) => Math.exp(term - top));
    const total = sum(shifted);
    return shifted.map((value) => value / total);
  }

  // p(z = j | x), for one point
  const posterior = (x, m) => softmax(logJoint(x, m));

  // --- the two steps ---

  function eStep(X, m) {
    const responsibilities = [];
    let total = 0;
    for (let i = 0; i < X.length; i++) {
      const terms = logJoint(X[i], m);
      const here = logSumExp(terms);
      if (!Number.isFinite(here)) {
        const reason = `point ${i + 1} is so far from every mean that its distance overflows`;
        const problem = { kind: "far", point: i, reason };
        return { responsibilities: null, logLikelihood: null, problem };
      }
      total += here;
      responsibilities.push(softmax(terms));
    }
    return { responsibilities, logLikelihood: total, problem: null };
  }

  const countsOf = (beta) => beta[0].map((_, j) => sum(beta.map((row) => row[j])));

  // `hold` keeps some parameters as they are: { weights, means, covariances }, each optional.
  // `tied` gives all components one covariance.
  function mStep(X, beta, { hold = {}, tied = false } = {}) {
    const counts = countsOf(beta);
    const fail = (problem) => ({ mixture: null, counts, problem });
    const empty = counts.findIndex((count) => !(count >= EMPTY));
    if (empty >= 0) {
      const reason = "no observation is left in it";
      return fail({ kind: "empty", component: empty, count: counts[empty], reason });
    }
    const inPlane = Array.isArray(X[0]);
    const weights = hold.weights || counts.map((count) => count / X.length);
    const column = (j) => beta.map((row) => row[j]);
    const means = hold.means || counts.map((count, j) => average(X, column(j), count));
    if (hold.covariances) {
      return { mixture: { weights, means, covariances: hold.covariances }, counts, problem: null };
    }
    let covariances = counts.map((count, j) => spreadAround(X, column(j), count, means[j]));
    if (tied) {
      const share = counts.map((count) => count / X.length);
      const shared = inPlane ? blend(covariances, share) : sum(covariances.map((c, j) => share[j] * c));
      covariances = covariances.map(() => shared);
    }
    const problem = (inPlane ? flatInPlane : flatOnLine)(X, counts, means, covariances);
    if (problem) return fail(problem);
    return { mixture: { weights, means, covariances }, counts, problem: null };
  }

  function average(X, weights, total) {
    const of = (value) => sum(X.map((x, i) => weights[i] * value(x))) / total;
    return Array.isArray(X[0]) ? [of((x) => x[0]), of((x) => x[1])] : of((x) => x);
  }

  function spreadAround(X, weights, total, mean) {
    if (!Array.isArray(X[0])) return average(X.map((x) => (x - mean) ** 2), weights, total);
    const [p, q] = mean;
    const of = (value) => sum(X.map((x, i) => weights[i] * value(x[0] - p, x[1] - q))) / total;
    const b = of((u, v) => u * v);
    return [[of((u) => u * u), b], [b, of((u, v) => v * v)]];
  }

  function blend(matrices, shares) {
    const of = (r, c) => sum(matrices.map((matrix, j) => shares[j] * matrix[r][c]));
    return [[of(0, 0), of(0, 1)], [of(1, 0), of(1, 1)]];
  }

  const NO_SPREAD = { kind: "data", reason: "the data have no spread in some direction" };

  function flat(component, counts, means, covariances, share) {
    const noun = typeof means[0] === "number" ? "variance" : "covariance";
    return {
      kind: "flat",
      component,
      count: counts[component],
      mean: means[component],
      covariance: covariances[component],
      share,
      reason: `its ${noun} fell to nothing, where the likelihood grows without bound`,
    };
  }

  // Each covariance is held against the spread of all the data, so that units do not matter: the
  // rule of gmmlib.em, and a test says so.
  function flatOnLine(X, counts, means, variances) {
    const weights = counts.map((count) => count / sum(counts));
    const center = sum(means.map((mean, j) => weights[j] * mean));
    const total = sum(variances.map((v, j) => weights[j] * (v + (means[j] - center) ** 2)));
    const rounding = EPS * Math.max(...X.map(Math.abs));
    if (!(total > 0) || Math.max(...X) - Math.min(...X) <= 4 * rounding) return NO_SPREAD;
    const floor = Math.max((4 * rounding ** 2) / total, 0);
    const j = variances.findIndex((v) => !(v > 0) || v / total < floor);
    return j < 0 ? null : flat(j, counts, means, variances, Math.max(variances[j] / total, 0));
  }

  function flatInPlane(X, counts, means, covariances) {
    const weights = counts.map((count) => count / sum(counts));
    const center = [0, 1].map((c) => sum(means.map((mean, j) => weights[j] * mean[c])));
    const outer = means.map(([x, y]) => {
      const [u, v] = [x - center[0], y - center[1]];
      return [[u * u, u * v], [u * v, v * v]];
    });
    const [within, between] = [blend(covariances, weights), blend(outer, weights)];
    const add = (r, c) => within[r][c] + between[r][c];
    const total = [[add(0, 0), add(0, 1)], [add(1, 0), add(1, 1)]];
    const rounding = [0, 1].map((c) => EPS * Math.max(...X.map((x) => Math.abs(x[c]))));
    const scale = [Math.sqrt(total[0][0]), Math.sqrt(total[1][1])];
    const correlation = total[0][1] / (scale[0] * scale[1]);
    const fineness = Math.max((rounding[0] / scale[0]) ** 2, (rounding[1] / scale[1]) ** 2);
    if (!(1 - Math.abs(correlation) >= 2e-14 + 4 * fineness)) return NO_SPREAD;
    const [l11, l21, l22] = cholesky(total);
    const W = [[1 / l11, 0], [-l21 / (l11 * l22), 1 / l22]];
    const product = (A, B) => [0, 1].map((r) => [0, 1].map((c) => A[r][0] * B[0][c] + A[r][1] * B[1][c]));
    const transposed = ([[a, b], [c, d]]) => [[a, c], [b, d]];
    const R = W.map((row) => row.map((value, c) => value * rounding[c]));
    const floor = 4 * eigen(product(R, transposed(R))).large;
    for (let j = 0; j < means.length; j++) {
      const { small, large } = eigen(product(product(W, covariances[j]), transposed(W)));
      const [[a, b], [, c]] = covariances[j];
      const definite = a > 0 && c - (b * b) / a > 1e-14 * c;
      if (!definite || !(small >= Math.max(floor, 1e-14 * large))) {
        return flat(j, counts, means, covariances, Math.max(small, 0));
      }
    }
    return null;
  }

  // EM until one iteration raises ℓ by at most tol per point. history[t] is ℓ after t iterations.
  function fit(X, start, { tol = 1e-9, maxIter = 5000, hold = {}, tied = false } = {}) {
    let mixture = start;
    let step = eStep(X, mixture);
    const history = [step.logLikelihood];
    const result = (problem, converged) => ({ mixture, history, problem, converged });
    if (step.problem) return result(step.problem, false);
    for (let t = 1; t <= maxIter; t++) {
      const next = mStep(X, step.responsibilities, { hold, tied });
      if (next.problem) return result(next.problem, false);
      step = eStep(X, next.mixture);
      if (step.problem) return result(step.problem, false);
      mixture = next.mixture;
      history.push(step.logLikelihood);
      if (tol !== null && history[t] - history[t - 1] <= tol * X.length) return result(null, true);
    }
    return result(null, false);
  }

  // --- the bound ---

  const plogp = (p) => (p > 0 ? p * Math.log(p) : 0);
  const entropy = (q) => -sum(q.map((row) => sum(row.map(plogp))));
  const expectedCompleteData = (X, q, m) =>
    sum(X.map((x, i) => sum(logJoint(x, m).map((term, j) => (q[i][j] > 0 ? q[i][j] * term : 0)))));
  // L(q, θ): never above ℓ(θ), and equal to it when q is the posterior under θ
  const lowerBound = (X, q, m) => expectedCompleteData(X, q, m) + entropy(q);
  const divergence = (q, p) =>
    sum(q.map((row, i) => sum(row.map((v, j) => (v > 0 ? v * Math.log(v / p[i][j]) : 0)))));

  // --- on the line ---

  // The modes of the density, from left to right. All lie between the outermost means.
  function modes(m, steps = 4000) {
    const [low, high] = [Math.min(...m.means), Math.max(...m.means)];
    const slope = (x) =>
      sum(posterior(x, m).map((p, j) => (p * (m.means[j] - x)) / m.covariances[j]));
    if (low === high) return [low];
    const found = [];
    const pad = (high - low) / steps;
    let [left, before] = [low - pad, slope(low - pad)];
    for (let k = 0; k <= steps + 1; k++) {
      const right = low + k * pad;
      const after = slope(right);
      if (before > 0 && after <= 0) found.push(root(slope, left, right));
      [left, before] = [right, after];
    }
    return found;
  }

  function root(f, low, high) {
    for (let k = 0; k < 80; k++) {
      const middle = (low + high) / 2;
      if (f(middle) > 0) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }

  // Where components j and k claim a point with equal right: none, one or two places.
  function boundaries(m, j = 0, k = 1) {
    const [p, q] = [1 / m.covariances[j], 1 / m.covariances[k]];
    const a = (q - p) / 2;
    const b = p * m.means[j] - q * m.means[k];
    const at0 = logJoint(0, m);
    const c = at0[j] - at0[k];
    if (Math.abs(a) < 1e-12 * (p + q)) return b === 0 ? [] : [-c / b];
    const disc = b * b - 4 * a * c;
    if (!(disc >= 0)) return [];
    const t = -0.5 * (b + (b < 0 ? -1 : 1) * Math.sqrt(disc));
    const found = t === 0 ? [0, 0] : [t / a, c / t];
    return found.sort((x, y) => x - y);
  }

  // --- chance with a seed, and where EM starts ---

  // mulberry32: the same seed gives the same numbers in every browser
  function random(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const normal = () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    };
    return { uniform, normal, below: (n) => Math.floor(uniform() * n) };
  }

  // First a label, then a point of that component.
  function sample(m, n, rng) {
    const X = [];
    const labels = [];
    for (let i = 0; i < n; i++) {
      let rest = rng.uniform() * sum(m.weights);
      let j = 0;
      while (j < m.weights.length - 1 && rest >= m.weights[j]) rest -= m.weights[j++];
      labels.push(j);
      if (dimension(m) === 1) X.push(m.means[j] + Math.sqrt(m.covariances[j]) * rng.normal());
      else {
        const [l11, l21, l22] = cholesky(m.covariances[j]);
        const [u, v] = [rng.normal(), rng.normal()];
        X.push([m.means[j][0] + l11 * u, m.means[j][1] + l21 * u + l22 * v]);
      }
    }
    return { X, labels };
  }

  // one Gaussian for all the data
  const allAsOne = (X) => mStep(X, X.map(() => [1])).mixture;

  // Why K components cannot begin on these points; null where they can.
  function unfit(X, K) {
    if (!X.length) return { kind: "none", reason: "there are no points yet" };
    const { problem } = mStep(X, X.map(() => [1]));
    if (problem) return problem;
    const count = new Set(X.map(String)).size;
    return K > count ? { kind: "few", count, reason: `there are only ${count} different points` } : null;
  }

  // equal weights, the given means, and the covariance of all the data for each component
  function around(X, means) {
    const [covariance] = allAsOne(X).covariances;
    return {
      weights: means.map(() => 1 / means.length),
      means,
      covariances: means.map(() => covariance),
    };
  }

  // K different observations as means, each choice equally likely
  function randomPoints(X, K, rng) {
    const points = [...new Map(X.map((x) => [String(x), x])).values()];
    if (!(K <= points.length)) throw new RangeError(`K is ${K}, of ${points.length} different points`);
    for (let j = 0; j < K; j++) {
      const other = j + rng.below(points.length - j);
      [points[j], points[other]] = [points[other], points[j]];
    }
    return around(X, points.slice(0, K));
  }

  const gmm = {
    univariate, logGaussian, gaussian, ellipse, eigen,
    logSumExp, softmax, logJoint, logDensity, density, logLikelihood, posterior,
    eStep, mStep, fit, countsOf,
    entropy, expectedCompleteData, lowerBound, divergence,
    modes, boundaries,
    random, sample, allAsOne, unfit, around, randomPoints,
  };
  if (typeof module === "object" && module.exports) module.exports = gmm;
  else globalThis.gmm = gmm;
})();

"use strict";
// assets/figures/kit/em.js against the numbers of gmmlib (tests/support/js_fixtures.py). Run by tests/site/test_js.py.
const test = require("node:test");
const assert = require("node:assert");
const path = require("node:path");
const FIGURES = path.join(__dirname, "..", "..", "..", "assets", "figures");
const gmm = require(path.join(FIGURES, "kit", "em.js"));
const fixtures = require("./fixtures.json");
const { close, numbers } = require("./close.js");

function closeMixture(found, wanted) {
  for (const name of ["weights", "means", "covariances"]) close(found[name], wanted[name], name);
}

test("close finds what is off", () => {
  close([1, [2, 3e5]], [1, [2, 3e5 + 1e-6]]);
  for (const wrong of [[1 + 2e-10], [NaN], [1, 1], [null], [undefined]]) {
    assert.throws(() => close(wrong, [1]), assert.AssertionError);
  }
});

for (const f of fixtures.steps) {
  test(`both steps and the bound: ${f.name}`, () => {
    const { X, mixture } = f;
    const K = mixture.weights.length;
    const log = X.map((x) =>
      mixture.means.map((mean, j) => gmm.logGaussian(x, mean, mixture.covariances[j])));
    close(log, f.logGaussian, "log g");
    const e = gmm.eStep(X, mixture);
    close(e.responsibilities, f.responsibilities, "β");
    close(e.logLikelihood, f.logLikelihood, "ℓ");
    close(gmm.logLikelihood(X, mixture), f.logLikelihood, "ℓ alone");
    close(X.map((x) => gmm.posterior(x, mixture)), f.responsibilities, "posterior");
    const m = gmm.mStep(X, e.responsibilities);
    assert.strictEqual(m.problem, null);
    closeMixture(m.mixture, f.next);
    close(m.counts.map((count) => count / X.length), f.next.weights, "N");
    closeMixture(gmm.mStep(X, e.responsibilities, { tied: true }).mixture, f.tied);
    close(gmm.entropy(f.responsibilities), f.entropy, "H");
    close(gmm.expectedCompleteData(X, f.q, mixture), f.expectedCompleteData, "Q");
    close(gmm.lowerBound(X, f.q, mixture), f.lowerBound, "L");
    close(gmm.divergence(f.q, f.responsibilities), f.divergence, "KL");
    close(f.logLikelihood - f.lowerBound, f.divergence, "ℓ - L = KL");
    assert.strictEqual(K, m.counts.length);
  });
}

for (const f of fixtures.extremes) {
  test(`log-sum-exp: ${f.name}`, () => {
    close(f.X.map((x) => gmm.logDensity(x, f.mixture)), f.logDensity, "log p");
    close(gmm.eStep(f.X, f.mixture).responsibilities, f.responsibilities, "β");
  });
}

test("log-sum-exp at the ends of the floats", () => {
  close(gmm.logSumExp([-1e300, -1e300]), -1e300);
  close(gmm.logSumExp([1000, 1000]), 1000 + Math.LN2);
  close(gmm.logSumExp([-1e5, -Infinity]), -1e5);
  assert.strictEqual(gmm.logSumExp([-Infinity, -Infinity]), -Infinity);
});

for (const f of fixtures.fits) {
  test(`a whole run: ${f.data}`, () => {
    require(path.join(FIGURES, "data", "data-sets.js"));
    const run = gmm.fit(globalThis.gmmData[f.data], f.start);
    assert.ok(run.converged);
    close(run.history, f.logLikelihoods, "ℓ");
    closeMixture(run.mixture, f.mixture);
    run.history.slice(1).forEach((value, t) => assert.ok(value >= run.history[t] - 1e-9));
  });
}

for (const f of fixtures.collapses) {
  test(`a collapse: ${f.name}`, () => {
    const run = gmm.fit(f.X, f.start);
    assert.ok(run.problem, "no problem is reported");
    assert.strictEqual(run.problem.component, f.component);
    assert.strictEqual(run.problem.kind, f.name.split(" ")[0]);
    assert.match(run.problem.reason, /fell to nothing|no observation is left/);
    assert.strictEqual(run.history.length, f.logLikelihoods.length);
    // near a singular covariance the last digits of ℓ are lost in any arithmetic
    run.history.forEach((value, t) => assert.ok(Math.abs(value - f.logLikelihoods[t]) < 1e-3));
    const every = [...numbers(run.mixture.means), ...numbers(run.mixture.covariances), ...run.history];
    assert.ok(every.every(Number.isFinite));
  });
}

test("a point out of reach is reported, not NaN", () => {
  const m = gmm.univariate([0.5, 0.5], [0, 1], [1, 1]);
  const { responsibilities, logLikelihood, problem } = gmm.eStep([0, 1e200], m);
  assert.deepStrictEqual([responsibilities, logLikelihood], [null, null]);
  assert.deepStrictEqual([problem.kind, problem.point], ["far", 1]);
  const plane = { weights: [1], means: [[0, 0]], covariances: [[[1, 0.5], [0.5, 1]]] };
  assert.strictEqual(gmm.eStep([[1e308, -1e308]], plane).problem.kind, "far");
});

test("data without spread are a problem of the data", () => {
  assert.strictEqual(gmm.mStep([2, 2, 2], [[0.5, 0.5], [0.5, 0.5], [1, 0]]).problem.kind, "data");
  const line = [[0, 0], [1, 2], [2, 4], [3, 6]];
  assert.strictEqual(gmm.mStep(line, line.map(() => [1])).problem.kind, "data");
});

for (const f of fixtures.unfit) {
  test(`points for ${f.K}: ${f.name}`, () => {
    const problem = gmm.unfit(f.X, f.K);
    assert.strictEqual(problem !== null, f.refused);
    if (problem) assert.match(problem.kind, /^(data|few)$/);
    else assert.ok(Number.isFinite(gmm.logLikelihood(f.X, gmm.randomPoints(f.X, f.K, gmm.random(0)))));
  });
}

test("no points are a problem of their own", () => assert.strictEqual(gmm.unfit([], 1).kind, "none"));

test("a small variance is no collapse: nothing is floored", () => {
  const X = [0, 1e-5, 5, 6];
  const { mixture, problem } = gmm.mStep(X, [[1, 0], [1, 0], [0, 1], [0, 1]]);
  assert.strictEqual(problem, null);
  close(mixture.covariances[0] * 1e11, 2.5);
});

test("what is held stays", () => {
  const f = fixtures.steps[0];
  const hold = { weights: [0.5, 0.5], covariances: [2, 2] };
  const { mixture } = gmm.mStep(f.X, f.responsibilities, { hold });
  closeMixture(mixture, { ...hold, means: f.next.means });
  const { mixture: other } = gmm.mStep(f.X, f.responsibilities, { hold: { means: [1, 2] } });
  assert.deepStrictEqual(other.means, [1, 2]);
  const around = f.X.reduce((s, x, i) => s + f.responsibilities[i][0] * (x - 1) ** 2, 0);
  close(other.covariances[0], around / f.responsibilities.reduce((s, row) => s + row[0], 0));
});

test("modes: one up to a distance of two standard deviations, then two", () => {
  const at = (distance) => gmm.modes(gmm.univariate([0.5, 0.5], [0, distance], [1, 1]));
  assert.strictEqual(at(1.99).length, 1);
  assert.strictEqual(at(2.05).length, 2);
  close(at(0), [0]);
  const far = gmm.univariate([0.2, 0.3, 0.5], [-20, 0, 30], [1, 2, 3]);
  const found = gmm.modes(far);
  assert.strictEqual(found.length, 3);
  found.forEach((x) => {
    const slope = gmm.density(x + 1e-5, far) - gmm.density(x - 1e-5, far);
    assert.ok(Math.abs(slope) < 1e-10);
  });
});

test("boundaries: there both claims are equal", () => {
  close(gmm.boundaries(gmm.univariate([0.5, 0.5], [1, 2], [2, 2])), [1.5]);
  for (const [weights, means, variances] of [
    [[0.5, 0.5], [0, 0], [1, 4]],
    [[0.3, 0.7], [4, 1], [0.8, 1.9]],
    [[0.9, 0.1], [-3, 5], [2, 0.1]],
  ]) {
    const m = gmm.univariate(weights, means, variances);
    const found = gmm.boundaries(m);
    assert.strictEqual(found.length, 2);
    found.forEach((x) => close(gmm.posterior(x, m), [0.5, 0.5]));
  }
  // one component everywhere
  assert.deepStrictEqual(gmm.boundaries(gmm.univariate([0.99, 0.01], [0, 0], [4, 3.9])), []);
  assert.deepStrictEqual(gmm.boundaries(gmm.univariate([0.6, 0.4], [0, 0], [1, 1])), []);
});

test("an ellipse of a covariance", () => {
  const { major, minor, angle } = gmm.ellipse([[2, 1], [1, 2]], 2);
  close([major, minor, angle], [2 * Math.sqrt(3), 2, Math.PI / 4]);
  close(Object.values(gmm.ellipse([[1, 0], [0, 150]], 1)), [Math.sqrt(150), 1, Math.PI / 2]);
  close(gmm.ellipse([[4, 2], [2, 1]], 1).minor, 0);
});

test("chance: the same seed gives the same numbers", () => {
  const { seed, mixture, X, labels, uniforms } = fixtures.chance;
  const rng = gmm.random(5);
  close(uniforms.map(() => rng.uniform()), uniforms);
  const drawn = gmm.sample(mixture, X.length, gmm.random(seed));
  close(drawn.X, X);
  assert.deepStrictEqual(drawn.labels, labels);
  const line = gmm.sample(gmm.univariate([0.25, 0.75], [0, 10], [1, 4]), 4000, gmm.random(1));
  const mean = line.X.reduce((s, x) => s + x, 0) / 4000;
  assert.ok(Math.abs(mean - 7.5) < 0.3, `mean ${mean}`);
});

test("a start at random: different observations, equal weights", () => {
  const X = [[0, 0], [0, 0], [1, 5], [2, 3], [4, 4]];
  const start = gmm.randomPoints(X, 4, gmm.random(3));
  assert.strictEqual(new Set(start.means.map(String)).size, 4);
  close(start.weights, [0.25, 0.25, 0.25, 0.25]);
  close(start.covariances[0], gmm.allAsOne(X).covariances[0]);
  assert.throws(() => gmm.randomPoints(X, 5, gmm.random(3)), RangeError);
  assert.deepStrictEqual(X[2], [1, 5]);
});

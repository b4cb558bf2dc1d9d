"use strict";
// assets/figures/kit/landscape.js against the numbers of gmmlib (tests/support/js_fixtures.py). Run by tests/site/test_js.py.
const test = require("node:test");
const assert = require("node:assert");
const path = require("node:path");
const FIGURES = path.join(__dirname, "..", "..", "..", "assets", "figures");
const gmm = require(path.join(FIGURES, "kit", "em.js"));
const landscape = require(path.join(FIGURES, "kit", "landscape.js"));
const fixtures = require("./fixtures.json");
const { close } = require("./close.js");

test("the surface over two means", () => {
  require(path.join(FIGURES, "data", "data-sets.js"));
  const s = fixtures.surface;
  const m = gmm.univariate(s.weights, [0, 0], s.covariances);
  close(landscape.surface(globalThis.gmmData.esl, m, s.first, s.second), s.values, "ℓ");
});

// where a curve with one top has it
function highest(f, low, high) {
  const golden = (Math.sqrt(5) - 1) / 2;
  while (high - low > 1e-9 * Math.max(1, Math.abs(low))) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (f(a) < f(b)) low = a;
    else high = b;
  }
  return (low + high) / 2;
}

for (const f of fixtures.boundsOfMeans) {
  test(`the bound over two means: ${f.name}`, () => {
    const m = gmm.univariate(f.weights, f.laid, f.covariances);
    const q = gmm.eStep(f.X, m).responsibilities;
    const b = landscape.boundOfMeans(f.X, q, m);
    const ell = (means) => gmm.logLikelihood(f.X, { ...m, means });
    close(b.top, f.goal, "where the M-step goes");
    close(f.places.map(b.at), f.bounds, "ℒ");
    close(f.places.map(ell), f.logLikelihoods, "ℓ");
    close(b.at(b.top), b.height, "the top");
    close(b.at(f.laid), ell(f.laid), "it touches");
    if (f.covariances[0] === f.covariances[1]) close(landscape.nextMeans(landscape.tally(f.X), m), f.goal, "the same in one go");
    // nowhere above ℓ, on a grid over all the data and more
    const [low, high] = [Math.min(...f.X) - 2, Math.max(...f.X) + 2];
    for (let u = low; u <= high; u += (high - low) / 12) {
      for (let v = low; v <= high; v += (high - low) / 12) assert.ok(b.at([u, v]) <= ell([u, v]) + 1e-9, `at ${u}, ${v}`);
    }
    // the top once more, by search
    [0, 1].forEach((j) => {
      const along = (v) => gmm.lowerBound(f.X, q, { ...m, means: m.means.map((mean, k) => (k === j ? v : mean)) });
      const found = highest(along, low, high);
      assert.ok(Math.abs(found - f.goal[j]) < 1e-4, `mean ${j + 1}: ${found}, not ${f.goal[j]}`);
    });
    // ℓ gains at least what the bound gains
    assert.ok(ell(b.top) - ell(f.laid) >= b.height - b.at(f.laid) - 1e-9);
  });
}

test("a mean without a share of any point stays", () => {
  const m = gmm.univariate([0.5, 0.5], [1e4, 1], [0.1, 0.1]);
  const X = [0.9, 1.2, 1.2];
  const b = landscape.boundOfMeans(X, gmm.eStep(X, m).responsibilities, m);
  close(b.top, [1e4, 1.1]);
  close(landscape.nextMeans(landscape.tally(X), m), [1e4, 1.1]);
  close(b.at([-7, 1.1]), b.height);
});

"use strict";
// Numbers of a figure against those of gmmlib, one by one or nested.
const assert = require("node:assert");

const numbers = (value) => (Array.isArray(value) ? value.flatMap(numbers) : [value]);

// to 1e-10 of the size of each number, and of 1 where it is smaller
function close(found, wanted, what = "") {
  const [a, b] = [numbers(found), numbers(wanted)];
  assert.strictEqual(a.length, b.length, `${what}: ${a.length} numbers, not ${b.length}`);
  a.forEach((value, i) => {
    const off = Math.abs(value - b[i]) / Math.max(1, Math.abs(b[i]));
    assert.ok(off <= 1e-10, `${what} [${i}]: ${value}, gmmlib has ${b[i]}`);
  });
}

module.exports = { close, numbers };

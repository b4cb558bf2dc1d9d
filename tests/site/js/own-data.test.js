"use strict";
// assets/figures/kit/own-data.js: what a reader may paste, what an address holds, and the axes.
const test = require("node:test");
const assert = require("node:assert");
const path = require("node:path");
const own = require(path.join(__dirname, "..", "..", "..", "assets", "figures", "kit", "own-data.js"));

// as the panel reads: the first columns of numbers
function pasted(text, dimension = 2) {
  const found = own.table(text, dimension);
  if (found.problem) return found;
  const picks = found.columns.map((column, c) => (column.usable ? c : -1)).filter((c) => c >= 0);
  return own.take(found, picks.slice(0, dimension));
}

const TWO = [[3.6, 79], [1.8, 54]];
const READ = [
  ["commas", "3.6,79\n1.8,54", TWO],
  ["commas and spaces", "3.6, 79\n1.8, 54\n", TWO],
  ["semicolons", "3.6;79\n1.8;54", TWO],
  ["tabs, and the ends of lines that Windows writes", "3.6\t79\r\n1.8\t54\r\n", TWO],
  ["spaces, as many as there are", "  3.6   79\n1.8 54  ", TWO],
  ["empty lines", "\n3.6,79\n\n1.8,54\n\n", TWO],
  ["decimal commas and semicolons", "3,6;79\n1,8;54", TWO],
  ["decimal commas with three digits and semicolons", "3,333;79\n1,867;54", [[3.333, 79], [1.867, 54]]],
  ["decimal commas and tabs", "3,6\t79\n1,8\t54", TWO],
  ["decimal commas and spaces", "3,6 79\n1,8 54", TWO],
  ["a header", "eruptions,waiting\n3.6,79\n1.8,54", TWO, ["eruptions", "waiting"]],
  ["a header with spaces and a byte order mark", "\uFEFFlong wait;x\n3,6;79\n1,8;54", TWO, ["long wait", "x"]],
  ["quoted cells", '"a, b","c ""d"""\n"3.6",79\n1.8,"54"', TWO, ["a, b", 'c "d"']],
  ["names of rows, as R writes them", '"x" "y"\n"1" 3.6 79\n"2" 1.8 54', [[1, 3.6], [2, 1.8]], ["", "x"]],
  ["a column of words is left aside", "who,x,y\nTom,3.6,79\nAnn,1.8,54", TWO, ["x", "y"]],
  ["signs and exponents", "-1,+2\n−3.5,1e9\n.5,-2.5E-9", [[-1, 2], [-3.5, 1e9], [0.5, -2.5e-9]]],
  ["all digits", "0.1234567890123456,1234567890.123", [[0.1234567890123456, 1234567890.123]]],
  ["one point", "1 2", [[1, 2]]],
  ["twice the same point", "1 2\n1 2", [[1, 2], [1, 2]]],
];
for (const [name, text, points, names = ["", ""]] of READ) {
  test(`read: ${name}`, () => assert.deepStrictEqual(pasted(text), { points, names }));
}

const LINE = [
  ["one for each line", "0.9\n0.7\n1.2", [0.9, 0.7, 1.2]],
  ["in one line, by commas", "0.9, 0.7, 1.2", [0.9, 0.7, 1.2]],
  ["in one line, by spaces", "0.9 0.7 1.2", [0.9, 0.7, 1.2]],
  ["in two lines", "1, 2, 3\n4, 5, 6", [1, 2, 3, 4, 5, 6]],
  ["in lines of different length", "1 2 3\n4 5", [1, 2, 3, 4, 5]],
  ["under a name", "wait\n54\n79", [54, 79], "wait"],
  ["under a name of two words", "long wait\n54\n79", [54, 79], "long wait"],
  ["the first column under names", "x,y\n1,2\n3,4", [1, 3], "x"],
  ["decimal commas, one for each line, beside words", "a;0,5\nb;1,25", [0.5, 1.25]],
];
for (const [name, text, values, label = ""] of LINE) {
  test(`read on the line: ${name}`, () =>
    assert.deepStrictEqual(pasted(text, 1), { points: values.map((value) => [value]), names: [label] }));
}

const REFUSED = [
  ["nothing", " \n ", /nothing to read/],
  ["a word", "1,2\n3,4\n5,abc\n", /^line 3: “abc” is not a number\.$/],
  ["the first of two words", "1,2\nx,4\n5,y\n6,7\n8,9", /^line 2: “x” is not a number/],
  ["a word below a header and an empty line", "x,y\n\n1,2\n3,4\n5,NA", /^line 5: “NA” is not a number/],
  ["no number at the place", "1,2\n3,\n5,6", /^line 2: a number is missing\.$/],
  ["a row that is too short", "1,2\n3,4\n5\n", /^line 3 has 1 column, and line 1 has 2\.$/],
  ["a row that is too long", "x,y\n1,2\n3,4,5", /^line 3 has 3 columns, and line 2 has 2/],
  ["a header that is too long", "x,y,z\n1,2\n3,4", /^line 1 has 3 columns, and line 2 has 2/],
  ["not a number, as computers call it", "1,2\nNaN,3\n4,5", /^line 2: “NaN” is not/],
  ["infinity", "1,2\n3,Infinity\n4,5", /^line 2: “Infinity” is not/],
  ["a hexadecimal number", "1,2\n0x10,3\n4,5", /^line 2: “0x10” is not/],
  ["too large", "1,2\n3,1e101\n4,5", /^line 2: 1e101 is too large/],
  ["larger than any number", "1,2\n3,-1e999\n4,5", /^line 2: -1e999 is too large/],
  ["thousands or decimals", "1,234\t5\n2,345\t6", /^line 1: “1,234” can mean 1\.234 or 1234/],
  ["both kinds of comma", "1.5;2\n1,5;3\n4;5", /^line 2: “1,5” is not a number/],
  ["too many", Array(own.MOST + 1).fill("1 2").join("\n"), /2001 points.* at most 2000/],
];
for (const [name, text, problem] of REFUSED) {
  test(`refused: ${name}`, () => {
    const found = pasted(text);
    assert.match(found.problem || `read as ${JSON.stringify(found)}`, problem);
    assert.strictEqual(found.points, undefined);
  });
}

test("a word in a list of numbers", () => {
  assert.match(pasted("1, 2, x, 4", 1).problem, /^line 1: “x” is not a number/);
  assert.match(pasted("x\n1 2 3\n4 5", 1).problem, /^line 1 has 1 column, and line 2 has 3/);
});

test("which of several columns", () => {
  const found = own.table("a,b,c,d\n1,2,x,4\n5,6,y,8\n");
  assert.deepStrictEqual(found.columns.map((column) => [column.name, column.usable]), [["a", true], ["b", true], ["c", false], ["d", true]]);
  assert.deepStrictEqual(own.take(found, [3, 1]), { points: [[4, 2], [8, 6]], names: ["d", "b"] });
  // a fault in a column that nobody asked for does no harm
  const faulty = own.table("a,b,c\n1,2,3\n4,5,?\n7,8,9");
  assert.deepStrictEqual(own.take(faulty, [0, 1]).points, [[1, 2], [4, 5], [7, 8]]);
  assert.match(own.take(faulty, [0, 2]).problem, /^line 3: “\?”/);
});

const WRITTEN = [
  [[[2.1, 54], [3.4, 80]], "2.1,54;3.4,80"],
  [[[-0.5, 1e21]], "-0.5,1e21"],
  [[[1e-9, -2.5e-300]], "1e-9,-2.5e-300"],
  [[[0.1234567890123456, 1234567890.123]], "0.1234567890123456,1234567890.123"],
];
for (const [points, text] of WRITTEN) {
  test(`an address: ${text}`, () => {
    assert.strictEqual(own.write(points), text);
    assert.deepStrictEqual(own.read(text, 2), points);
  });
}
for (const text of ["many", "1", "1,2;3", "1,2;;3,4", "1,x", "1,Infinity", "NaN,1", "1,2,3", "1,1e101", ",", ";", ""]) {
  test(`no points in an address: ${text}`, () => assert.strictEqual(own.read(text, 2), null));
}
test("an address has a length, and a figure a number of points", () => {
  assert.strictEqual(own.read("1;2;3", 1, 2), null);
  assert.deepStrictEqual(own.read("1;2;-0", 1, 3), [[1], [2], [0]]);
});

test("a file has all digits, and names that may have commas", () => {
  const points = [[0.1, 2], [1e-9, 1 / 3]];
  const text = own.csv(points, ["a", "b, or c"]);
  assert.strictEqual(text, 'a,"b, or c"\n0.1,2\n1e-9,0.3333333333333333\n');
  assert.deepStrictEqual(pasted(text), { points, names: ["a", "b, or c"] });
});

const FRAMED = [
  [[], [0, 10]],
  [[5], [3.5, 6.5]],
  [[0], [-1.2, 1.2]],
  [[1.6, 5.1], [1, 5.5]],
  [[0, 1e9], [-1e8, 1.1e9]],
  [[-3e-9, 2e-9], [-3.5e-9, 2.5e-9]],
  [[1e9, 1e9 + 5], [999999999.5, 1000000005.5]],
];
for (const [values, ends] of FRAMED) {
  test(`axes for ${values}`, () => {
    const [low, high] = own.frame(values);
    assert.deepStrictEqual([low, high], ends);
    values.forEach((value) => assert.ok(low < value && value < high));
  });
}
test("decimals that tell points apart", () => {
  assert.deepStrictEqual([[0, 10], [0, 0.5], [0, 1e9], [0, 1e-9]].map(own.decimals), [1, 3, -7, 11]);
});

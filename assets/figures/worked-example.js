// The worked example on one sheet: x | g1 | g2 | β1 | β2, the parameters in use, and the new ones.
// All follows from the data, the start and the half epochs taken (odd: an E-step was last), so
// that a number can be edited at any time. The switches change what is shown, not the computation.
//
// A number has a name: x1 to x5, g12 (component 1, point 2), b12 for β, n1, a1 m1 v1 in use, A1 M1
// V1 new, l. In a formula, names stand in braces and [above|below] is a fraction: signs or numbers
// are put in, and its names are its inputs.
touch.figure("worked-example", (f) => {
  "use strict";
  f.root.setAttribute("aria-label", "The worked example");
  const { el, fixed, digits } = touch;
  const MOST = 2000; // half epochs
  const BOTH = [0, 1];
  const FIVE = [1, 2, 3, 4, 5];
  // as printed; what the note calls "new sigma" is V
  const NOTE = {
    x: gmmData.worked, a: [0.5, 0.5], m: [1, 2], v: [2, 2],
    A: ["0.5124981885949778", "0.48750181140502213"],
    M: ["1.3065753725700628", "1.4982149218892322"],
    V: ["0.3510142879511143", "0.408060269961259"],
  };

  let given, half, printed, sd; // the state: data and start, half epochs, the two switches
  let epoch, problem; // epoch: the parameters in use, β and the new ones, and the epoch before
  let shown = "", kept = ""; // the number that is traced: now, and until another one is chosen

  function run() {
    const { x, a, m, v } = given;
    [epoch, problem] = [{ now: gmm.univariate(a, m, v) }, null];
    for (let h = 1; h <= half && !problem; h++) {
      if (h % 2) {
        if (epoch.next) epoch = { now: epoch.next, past: epoch };
        ({ responsibilities: epoch.beta, problem } = gmm.eStep(x, epoch.now));
      } else ({ mixture: epoch.next, problem } = gmm.mStep(x, epoch.beta));
      if (problem) half = h - 1;
    }
  }
  const count = () => Math.floor(half / 2);
  const before = () => (half - 1) >> 1; // the epoch that gave the parameters in use
  const latest = () => epoch.next || epoch.now;
  const climb = () => gmm.logLikelihood(given.x, epoch.next) - gmm.logLikelihood(given.x, epoch.now);
  const settled = () => epoch.next && climb() <= 1e-9 * 5; // as gmmlib.fit
  const isStart = (key) => String(given[key]) === String(NOTE[key]);
  const isNotes = () => half < 3 && ["x", "a", "m", "v"].every(isStart);

  // --- a number by its name ---

  const PARTS = { a: "weights", m: "means", v: "covariances" };
  function value(id, e = epoch) {
    const kind = id[0];
    const [j, i] = [id[1] - 1, id[2] - 1];
    switch (kind) {
      case "x": return given.x[j];
      case "g": return gmm.gaussian(given.x[i], value("m" + id[1]), value("v" + id[1])) * (printed ? value("d" + id[1]) : 1);
      case "b": return e.beta[i][j];
      case "n": return gmm.countsOf(e.beta)[j];
      case "d": return Math.sqrt(e.now.covariances[j]);
      case "l": return id[1] ? gmm.logDensity(given.x[j], latest()) : gmm.logLikelihood(given.x, latest());
    }
    return PARTS[kind] ? e.now[PARTS[kind]][j] : e.next[PARTS[kind.toLowerCase()]][j];
  }
  const minus = (text) => text.replace(/-/g, "−");
  const few = (number) => minus(String(Number(number.toPrecision(6))));
  // three decimals, as in the note; a power of ten where these would be zeros
  function three(number, decimals = 3) {
    const size = Math.abs(number);
    if (number === 0 || (size >= 0.5 * 10 ** -decimals && size < 1e5)) return number ? fixed(number, decimals) : "0";
    const [digit, power] = number.toExponential(0).split("e");
    return `${minus(digit)}·10${power.replace("+", "").replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])}`;
  }
  const spread = (id) => (sd && /v/i.test(id[0]) ? Math.sqrt(value(id)) : value(id));
  const inCell = (id) => "gbn".includes(id[0]) ? three(value(id)) : id === "l" ? fixed(value(id), 5)
    : /[AMV]/.test(id) ? digits(spread(id), 13) : epoch.past && !/x/.test(id) ? three(spread(id), 6) : few(spread(id));
  function inFormula(id, e) {
    const number = value(id, e);
    if ("gbn".includes(id[0])) return three(number);
    if (sd && id[0] === "v") return `${few(Math.sqrt(number))}²`;
    const text = /[Ml]/.test(id) ? fixed(number, 3) : few(number);
    return number < 0 ? `(${text})` : text;
  }
  const SIGNS = { x: "x", g: "g", b: "β", n: "N", a: "α", m: "μ", v: "σ", d: "σ", l: "ℓ" };
  function sign(id) {
    const kind = id[0].toLowerCase();
    const node = touch.letter(SIGNS[kind], kind === "b" ? (id[2] || "") + id[1] : id[1]);
    if (kind === "v") node.append("²");
    return node;
  }
  const nameOf = (id) => sign(sd ? id.replace(/v/i, "d") : id);

  // a text with names → nodes
  function written(text, put) {
    const hidden = (mark) => el("span", { class: "touch-hidden" }, mark);
    const stack = [[]];
    for (const part of text.split(/(\{\w+\}|[[\]|])/)) {
      const top = stack[stack.length - 1];
      if (part === "[" || part === "|") stack.push([]);
      else if (part === "]") {
        const [above, below] = stack.splice(-2);
        const line = stack[stack.length - 1];
        line.push(el("span", { class: `touch-fraction ${/√$/.test(line[line.length - 1]) ? "touch-root" : ""}` },
          el("span", {}, hidden("("), ...above, hidden(") / (")), el("span", {}, ...below, hidden(")"))));
      } else top.push(part[0] === "{" ? put(part.slice(1, -1)) : part);
    }
    return stack[0];
  }

  // --- where it comes from: [formula in signs, the same with each number, a remark] ---

  const both = (term) => `${term(1)} + ${term(2)}`;
  const five = (term) => FIVE.map(term).join(" + ");
  function trace(id) {
    const [kind, j, i] = id;
    const note = isNotes() && NOTE[kind]?.[j - 1];
    const said = note ? `The note prints ${note}. ` : isNotes() ? "The note prints the same three digits. " : "";
    const root = sd ? "√" : "";
    switch (kind) {
      case "x": return ["", "", "One of the five numbers. Type another one."];
      case "g": {
        const formula = `[1|√(2π${printed ? "" : " {vJ}"})] exp(−({xI} − {mJ})² / (2·{vJ}))`.replace(/J/g, j).replace("I", i);
        const s = value(`d${j}`);
        const other = three(printed ? value(id) / s : value(id) * s);
        return [formula, formula, printed
          ? `${said}Its constant is that of σ = 1: divided by {d${j}} = ${few(s)} it is the density, ${other}.`
          : `The constant of the note leaves out {d${j}} = ${few(s)}, and gives ${other}.`];
      }
      case "b": {
        const joint = [1, 2].map((k) => value(`a${k}`) * value(`g${k}${i}`));
        // the constant of the note cancels only where both components have the same spread
        const apart = printed && value("v1") !== value("v2");
        const term = (k) => `{a${k}}·{g${k}${i}}${apart ? `/{d${k}}` : ""}`;
        const formula = `[${term(j)}|${both(term)}]`;
        if (!(joint[0] + joint[1] > 0)) {
          return [formula, "", "Both g are too small for the computer, so it compares their logarithms."];
        }
        return [formula, formula, apart
          ? `g as printed lacks 1/σ. The two σ differ now, so it must come back; forgotten, the share would be ${three(joint[j - 1] / (joint[0] + joint[1]))}.`
          : said + (printed ? "The wrong constant stands above and below, and cancels." : "")];
      }
      case "n": return [`∑\u00a0{b${j}i}`, five((k) => `{b${j}${k}}`), `So many of the five numbers are component ${j}’s.`];
      case "A": return [`[{n${j}}|n]`, `[{n${j}}|5]`, said];
      case "M": return [`[∑\u00a0{b${j}i}·{xi}|{n${j}}]`, `[${five((k) => `{b${j}${k}}·{x${k}}`)}|{n${j}}]`, said];
      case "V": {
        const term = (k) => `{b${j}${k}}·({x${k}}\u00a0−\u00a0{M${j}})²`;
        return [`${root}[∑\u00a0${term("i")}|{n${j}}]`, `${root}[${five(term)}|{n${j}}]`,
          note ? `${said}It calls this “new sigma${j}”; it is {v${j}}, the variance around the new mean.` : "Around the new mean."];
      }
      case "l": {
        const p = epoch.next ? "A" : "a";
        return [`∑ log(${both((k) => `{${p}${k}}·{g${k}}({xi})`)})`, five((k) => `{l${k}}`), "With g as normalised, under the latest parameters."];
      }
    }
    if (epoch.past) {
      const [formula, numbers] = trace(id.toUpperCase());
      return [formula, numbers, `From the table of epoch ${before()}; Back leads there.`];
    }
    return ["", "", "Where EM starts. Type another one."];
  }

  function explain(id, aloud = false) {
    shown = places.has(id) && Object.values(places.get(id)).some((node) => node.localName !== "td" && !node.hidden) ? id : "";
    origin.setAttribute("aria-live", aloud ? "polite" : "off");
    const [formula, numbers, said] = shown ? trace(id)
      : ["", "", half ? "Where does a number come from? Point at it, tap it, or go there by the Tab and arrow keys. Formulas show rounded numbers; all digits count."
        : "The five numbers and the start can be edited. The two steps fill in the rest."];
    const e = "amv".includes(id[0]) && epoch.past || epoch;
    const seen = [...places.keys()].filter((key) => places.get(key).button?.hidden === false);
    const stop = seen.includes(kept) ? kept : seen[0];
    const inputs = (formula + numbers).match(/\w+(?=\})/g) || [];
    for (const [key, { cell, button }] of places) {
      cell.classList.toggle("touch-traced", key === shown);
      cell.classList.toggle("touch-source", (e === epoch || key[0] === "x") && inputs.some((name) => name.replace("d", "v").replace(/l/, "x") === key));
      if (button) button.tabIndex = key === "l" || key === stop ? 0 : -1;
    }
    origin.replaceChildren(
      shown && el("p", { class: "touch-formula" }, el("span", {}, nameOf(id), id[0] === "g" ? el("span", {}, "(", sign(`x${id[2]}`), ")") : ""),
        ...[formula && written(formula, sign), numbers && written(numbers, (name) => inFormula(name, e)),
          [el("b", {}, inCell(id))]]
          .filter(Boolean).map((nodes) => el("span", {}, " = ", el("span", {}, ...nodes)))),
      el("p", { class: "touch-muted" }, ...written(said, sign)));
    plot.render();
  }

  // --- the steps ---

  function say(...first) {
    if (problem) {
      const { kind, component, reason } = problem;
      f.say(...first, `The ${kind === "far" ? "E" : "M"}-step cannot be taken${component >= 0 ? ` for component ${component + 1}` : ""}: ${reason}. Edit a number, or start again.`);
    } else if (!half) {
      f.say(...first, "Start: two components, and nobody has asked yet whose number is whose. Press E-step.");
    } else if (half % 2) {
      const shares = epoch.beta.map(([share]) => share);
      f.say(...first, "E-step: every number gets its two shares. ",
        isNotes() ? `The note prints the same ${printed ? "g and β" : "β"}.`
          : `Those of component 1 lie between ${three(Math.min(...shares))} and ${three(Math.max(...shares))}.`);
    } else {
      f.say(...first, "M-step: averages weighted by the shares. ", sign("l"),
        settled() ? " has stopped rising: EM has converged." : ` rose by ${digits(climb(), 4)}.`,
        isNotes() ? " The note prints the same answers." : "");
    }
  }
  function go(to) {
    half = touch.clamp(to, 0, MOST);
    run();
    show();
    say();
  }
  const buttons = f.row("touch-thirds");
  const stepper = (text, parity) => f.button(buttons, text, () => {
    if (half % 2 === parity) go(half + 1);
    else if (half) f.say(`Nothing changes: the ${text} has been taken. The ${parity ? "E" : "M"}-step is next.`);
    else f.say("The M-step needs the shares of the E-step, which comes first.");
  });
  const eButton = stepper("E-step", 0);
  const mButton = stepper("M-step", 1);
  f.button(buttons, "One epoch", () => go(half + 2 - (half % 2)));
  f.player(buttons, () => {
    const slow = half < 6;
    go(half + (slow || half % 2 ? 1 : 2));
    return problem || settled() || half >= MOST ? 0 : slow ? 900 : 350;
  });
  f.button(buttons, "Back", () => go(half - 1));
  f.button(buttons, "Start again", () => go(0));
  f.words();

  // --- the sheet ---

  const places = new Map(); // name → { cell, button, input }
  const wrong = new Map(); // name → what was typed there
  function place(id, tag = "td", editable = false) {
    const cell = el(tag, { "data-id": id, scope: tag === "th" ? "row" : null });
    const here = { cell };
    if (editable) cell.append((here.input = field(id)));
    if (tag !== "th") cell.append((here.button = el("button", { type: "button", class: "touch-number" })));
    places.set(id, here);
    return cell;
  }

  // A field: what is no number in its range stays there, with a message; the sheet keeps its own.
  const back = (id, number) => (sd && id[0] === "v" ? Number((number ** 2).toPrecision(12)) : number);
  const range = ([kind]) => kind === "a" ? [1e-6, 1 - 1e-6] : kind === "v" ? (sd ? [1e-3, 1e3] : [1e-6, 1e6]) : [-1e6, 1e6];
  function field(id) {
    const input = el("input", { type: "text", autocomplete: "off", "aria-describedby": `${f.id}-wrong` });
    const typed = () => {
      const text = input.value.trim().replace("−", "-");
      const [low, high] = range(id);
      return text && Number(text) >= low && Number(text) <= high ? Number(text) : null;
    };
    input.addEventListener("input", () => {
      if (typed() === null) return; // no message while one is typing
      f.stop();
      wrong.delete(id);
      const j = id[1] - 1;
      given[id[0]][j] = back(id, typed());
      if (id[0] === "a") given.a[1 - j] = Number((1 - typed()).toPrecision(12));
      run();
      show();
    });
    input.addEventListener("change", () => {
      if (typed() === null) wrong.set(id, input.value);
      complain();
      if (!wrong.has(id)) say(nameOf(id), ` is ${inCell(id)} now. `);
    });
    return input;
  }
  const complaint = el("p", { class: "touch-complaint", id: `${f.id}-wrong`, "aria-live": "polite" });
  function complain() {
    for (const [id, { input }] of places) if (input) input.setAttribute("aria-invalid", wrong.has(id));
    complaint.replaceChildren(...[...wrong].flatMap(([id, text]) => [nameOf(id),
      `: “${text}” is no number from ${range(id).map(few).join(" to ")}, written like 1.5. The sheet goes on with ${inCell(id)}. `]));
  }

  const row = (...cells) => el("tr", {}, ...cells);
  const head = (...nodes) => el("th", { scope: "col" }, ...nodes);
  const [old, fresh] = [head(), head()];
  const letters = [];
  const sheet = el("div", { class: "touch-sheet" },
    el("table", {},
      el("thead", {}, row(...["x", "g1", "g2", "b1", "b2"].map((id) => head(sign(id))))),
      el("tbody", {}, ...FIVE.map((i) => row(place(`x${i}`, "th", true), ...["g1", "g2", "b1", "b2"].map((id) => place(id + i))))),
      el("tfoot", {}, row(el("th", { scope: "row", colspan: 3 }, "sums ", sign("n1"), ", ", sign("n2")), place("n1"), place("n2")))),
    el("table", {},
      el("thead", {}, row(head(el("span", { class: "touch-hidden" }, "parameter")), old, fresh)),
      el("tbody", {}, ...["a1", "a2", "m1", "m2", "v1", "v2"].map((id) => {
        const letter = el("th", { scope: "row" });
        letters.push([letter, id]);
        return row(letter, place(id, "td", true), place(id.toUpperCase()));
      }))));
  const origin = el("div", { class: "touch-origin" });
  f.root.append(sheet, el("div", { class: "touch-panel" }, complaint, origin));

  const about = (id, aloud) => (event) => {
    const cell = event.target.closest("[data-id]");
    if (!cell) return;
    if (aloud) kept = cell.dataset.id;
    explain(cell.dataset.id, aloud);
    if (aloud) f.note();
  };
  f.root.addEventListener("pointerover", about(0, false));
  for (const type of ["focusin", "click"]) f.root.addEventListener(type, about(0, true));
  sheet.addEventListener("pointerleave", () => kept && explain(kept));
  // one stop for the Tab key; from number to number by the arrow keys
  sheet.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!way || event.target.localName !== "button") return;
    event.preventDefault();
    const all = [...sheet.querySelectorAll("button:not([hidden])")];
    const at = all.indexOf(event.target);
    const ahead = way > 0 ? all.slice(at + 1) : all.slice(0, at).reverse();
    const edge = (node) => node.getBoundingClientRect().right;
    const next = /(Up|Down)$/.test(event.key) ? ahead.find((node) => Math.abs(edge(node) - edge(event.target)) < 9) : ahead[0];
    if (next) next.focus();
  });

  const switches = f.row("touch-spread");
  const gs = f.choice(switches, "Densities g", [["", "as printed"], ["n", "normalised"]], (to) => {
    printed = !to;
    show();
    f.say(printed ? "g with the note’s constant 1/√(2π): too large by the factor σ. The shares stay."
      : "g with the constant 1/√(2πσ²): densities. The shares stay.");
  });
  const spreads = f.choice(switches, "Spread", [["", "σ²"], ["s", "σ"]], (to) => {
    sd = Boolean(to);
    show();
    f.say(sd ? "Standard deviations σ, the roots of the variances." : "Variances σ². The note calls these “new sigma”.");
  });

  const plot = f.plot({
    label: "The curves g under the parameters in use, and the five numbers on the axis", x: [0, 1], y: [0, 1], height: 150, xLabel: "x",
  });
  plot.draw = () => {
    plot.axes();
    const [low, high] = plot.x;
    BOTH.forEach((j) => {
      const factor = printed ? value(`d${j + 1}`) : 1;
      const curve = Array.from({ length: 241 }, (_, k) => low + (k / 240) * (high - low))
        .map((t) => [t, factor * gmm.gaussian(t, epoch.now.means[j], epoch.now.covariances[j])]);
      plot.area(`c${j + 1}`, curve);
      plot.curve(`c${j + 1}`, curve);
    });
    if (shown[0] === "g") {
      const top = [given.x[shown[2] - 1], value(shown)];
      plot.curve("plain faint", [[top[0], 0], top]);
      plot.dot(`c${shown[1]}`, top, 5, "over");
    }
    const palette = touch.palette(f.root);
    given.x.forEach((at, i) => {
      const dot = plot.dot("", [at, 0], 6, "over");
      if (epoch.beta) dot.style.fill = touch.blended(epoch.beta[i], palette);
    });
  };

  const foot = f.row("touch-spread");
  const at = el("span", { class: "touch-muted" });
  foot.append(el("span", { class: "touch-l" }, sign("l"), " = ", place("l", "span"), at));
  const links = f.row("", foot);
  f.button(links, "The note’s numbers", () => {
    take({});
    go(0);
  }, { class: "touch-quiet" });
  f.link(links);

  // --- the sheet in other hands: a file with all digits, a text as shown ---

  const PLAIN = { x: "x", g: "g", b: "beta", a: "weight", m: "mean", v: "variance", d: "deviation" };
  const TEX = { x: "x", g: "g", b: "\\beta", a: "\\alpha", m: "\\mu", v: "\\sigma" };
  const isShown = (id) => {
    const { button, input } = places.get(id);
    return Boolean((button && !button.hidden) || (input && !input.hidden));
  };
  // two tables of rows: cell(id) writes a number, name(id) a letter
  function tables(cell, name) {
    const put = (id) => (isShown(id) ? cell(id) : "");
    const columns = ["g1", "g2", "b1", "b2"];
    return [
      [["x1", ...columns].map((id) => name(id[0] === "x" ? "x" : id)),
        ...FIVE.map((i) => [`x${i}`, ...columns.map((id) => id + i)].map(put)),
        ["sums", "", "", put("n1"), put("n2")]],
      [["", epoch.past ? `after epoch ${before()}` : "start", epoch.next ? `new in epoch ${count()}` : "new"], ...["a1", "a2", "m1", "m2", "v1", "v2"].map((id) => [name(id), put(id), put(id.toUpperCase())])],
    ];
  }
  function asCsv() {
    const name = (id) => PLAIN[sd && id[0] === "v" ? "d" : id[0]] + (id[1] || "") + (printed && id[0] === "g" ? "_note" : "");
    return tables((id) => String(spread(id)), name)
      .map((rows) => rows.map((cells) => `${cells.join(",")}\n`).join("")).join("\n");
  }
  function asMarkdown() {
    const name = (id) => nameOf(id).textContent;
    return tables(inCell, name).map(([first, ...rest]) =>
      [first, first.map(() => "---:"), ...rest].map((cells) => `| ${cells.join(" | ")} |\n`).join("")).join("\n");
  }
  function asLatex() {
    const name = (id) => `$${TEX[id[0]]}${id[1] ? `_${id[1]}` : ""}${id[0] === "v" && !sd ? "^2" : ""}$`;
    const power = (_, p) => `\\cdot 10^{${[...p].map((c) => (c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c))).join("")}}`;
    const cell = (id) => `$${inCell(id).replace(/·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, power).replace(/−/g, "-")}$`;
    return tables(cell, name).map(([first, ...rest]) => {
      const line = (cells) => `${cells.join(" & ")} \\\\\n`;
      return `\\begin{tabular}{${"r".repeat(first.length)}}\n${line(first)}\\hline\n${rest.map(line).join("")}\\end{tabular}\n`;
    }).join("\n");
  }
  const outside = f.row("touch-tour");
  f.button(outside, "Download the table (CSV)", () => {
    f.save("worked-example.csv", asCsv());
    f.say("The table is saved as worked-example.csv, with all digits.");
  }, { class: "touch-quiet" });
  for (const [kind, text] of [["Markdown", asMarkdown], ["LaTeX", asLatex]]) {
    f.copier(outside, `Copy as ${kind}`, text, `The table is copied as ${kind}, with the digits that are shown.`, ["Copy this table: ", `The table as ${kind}`]);
  }

  // --- showing, and the address ---

  function show() {
    gs.show(printed ? "" : "n");
    spreads.show(sd ? "s" : "");
    letters.forEach(([cell, id]) => cell.replaceChildren(nameOf(id)));
    old.replaceChildren(epoch.past ? `after epoch ${before()}` : "start");
    fresh.replaceChildren(epoch.next ? `new, epoch ${count()}` : "new");
    for (const [id, { button, input }] of places) {
      const [kind, j, i] = id;
      const isNew = "AMV".includes(kind);
      if (input) {
        input.hidden = kind !== "x" && Boolean(epoch.past);
        input.setAttribute("aria-label", nameOf(id).textContent + (kind === "x" ? "" : " at the start"));
        if (document.activeElement !== input && !wrong.has(id)) input.value = inCell(id);
      }
      if (!button) continue;
      button.hidden = !(kind === "l" || (isNew ? epoch.next : input ? epoch.past : epoch.beta));
      if (button.hidden) continue;
      const note = isNew && isNotes() && NOTE[kind][j - 1];
      button.replaceChildren(inCell(id), note ? el("small", {}, `note${sd && kind === "V" ? ", σ²" : ""}: ${note}`) : "");
      button.setAttribute("aria-label", `${isNew ? "new " : ""}${nameOf(id.slice(0, 2)).textContent}${i ? ` of x${i}` : ""}: ${inCell(id)}${note ? `, the note prints ${note}` : ""}`);
    }
    complain();
    const over = problem || settled();
    eButton.classList.toggle("touch-next", half % 2 === 0 && !over);
    mButton.classList.toggle("touch-next", half % 2 === 1 && !over);
    at.textContent = ` epoch ${count()}`;
    const all = [...given.x, ...given.m];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const pad = Math.max(high - low, 0.1) * 0.9;
    plot.x = [low - pad, high + pad];
    plot.y = [0, Math.max(...[1, 2].map((j) => 0.44 / (printed ? 1 : value(`d${j}`))))];
    explain(shown);
    f.update();
  }
  // the data and the start from an address; what is missing or wrong there is the note's
  function take(strings) {
    const list = (key) => {
      const numbers = (strings[key] || "").split(",").map((text) => (text ? Number(text) : NaN));
      const [low, high] = key === "v" ? [1e-6, 1e6] : range(key);
      return numbers.length === NOTE[key].length && numbers.every((n) => n >= low && n <= high) ? numbers : [...NOTE[key]];
    };
    given = { x: list("x"), a: list("a"), m: list("m"), v: list("v") };
    given.a[1] = Number((1 - given.a[0]).toPrecision(12));
    wrong.clear();
  }
  f.address(
    () => ({
      ...Object.fromEntries(Object.keys(given).map((key) => [key, isStart(key) ? "" : given[key].join(",")])),
      s: half || "",
      g: printed ? "" : "n",
      sd: sd ? 1 : "",
      at: kept,
    }),
    (strings) => {
      take(strings);
      [printed, sd] = [strings.g !== "n", strings.sd === "1"];
      shown = kept = places.has(strings.at) ? strings.at : "";
      go(Math.round(Number(strings.s)) || 0);
    },
    { s: "1", at: "b11" } // one share, and where it comes from
  );
});

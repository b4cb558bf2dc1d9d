// The reader's own points, for any figure, on the line or in the plane. In the browser it is the
// global `ownData`; in Node, require() gives what needs no page: table, take, write, read, frame, csv.
//
//   const mine = ownData.panel(f, plot, {
//     dimension: 2,
//     source: () => ({ points, names }),      // what is shown now, to begin from
//     changed: (how, said) => { … },          // after each change
//     restore: (given) => { … },              // undo: the state that the address had, the points are back already
//     most: 100, before: node,                // points at most; where the controls are, else before the plot
//   });
//   mine.show(true); mine.X; mine.labels; mine.frame(0);        // shown, and the data
//
// `how` is "edit" where points were added, moved or deleted, "drag" while one moves, "new" where all
// are others, "copy" where they are those that the figure showed, "undo" for undo and redo, and
// "chosen" where none has changed.
//
//   f.address(() => ({ ...mine.write() }), (given) => { mine.read(given); … });
//
// A point is kept as the numbers that were typed. While they fit, all are in the address:
// own=2.1,54;3.4,80 with names=minutes,wait; edit=3 means that the third is chosen.
(() => {
  "use strict";
  const MOST = 2000; // points
  const LINK = 1800; // characters of an address
  const PAST = 100; // steps of undo
  const HUGE = 1e60; // the squares of their squares are still numbers
  const FILE = 5e6; // bytes
  const NAME = 40; // characters of a label
  const NEAR = [9, 22]; // pixels: the mouse, a finger
  const MANY = "many"; // in an address: they did not fit

  // --- a table in a text ---

  // null where it is no number; comma: with a decimal comma
  function number(text, comma = false) {
    const plain = text.replace(/^[−–]/, "-");
    const form = comma ? /^[-+]?\d+(,\d+)?(e[-+]?\d+)?$/i : /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
    return form.test(plain) ? Number(plain.replace(",", ".")) : null;
  }
  function separator(lines) {
    const found = ["\t", ";"].find((sep) => lines.some((line) => line.includes(sep)));
    if (found || !lines.some((line) => line.includes(","))) return found || " ";
    // "3,6 79": decimal commas, and a space between
    const apart = (lines.length > 1 ? lines.slice(1) : lines).map((line) => line.trim().split(/\s+/));
    return apart.every((parts) => parts.length > 1 && parts.every((part) => number(part, true) !== null)) ? " " : ",";
  }
  function cells(line, sep) {
    const bare = (text) => text.trim().replace(/^"(.*)"$/, "$1").replace(/""/g, '"').trim();
    if (sep === " ") return line.match(/"[^"]*"|\S+/g).map(bare);
    if (!line.includes('"')) return line.split(sep).map(bare);
    const found = [];
    for (const [, text, end] of line.matchAll(new RegExp(`(\\s*"(?:[^"]|"")*"\\s*|[^${sep}]*)(${sep}|$)`, "g"))) {
      found.push(bare(text));
      if (!end) break;
    }
    return found;
  }
  // { columns: [{ name, values, bad }], rows, sep, titled }, or { problem } with its line; bad is the
  // first cell that is no number, and a column of words has more of them than numbers.
  function table(text, dimension = 2) {
    const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/)
      .map((line, i) => ({ line, at: i + 1 })).filter(({ line }) => line.trim());
    if (!lines.length) return { problem: "There is nothing to read yet: one line for each point." };
    const sep = separator(lines.map(({ line }) => line));
    const rows = lines.map(({ line, at }) => ({ at, cells: cells(line, sep) }));
    const all = rows.flatMap((row) => row.cells.map((cell) => ({ cell, at: row.at })));
    const dotted = all.some(({ cell }) => cell.includes(".") && number(cell) !== null);
    const commas = sep === "," || dotted ? [] : all.filter(({ cell }) => cell.includes(",") && number(cell, true) !== null);
    const comma = commas.length > 0;
    if (comma && sep !== ";" && commas.every(({ cell }) => /^\D?[1-9]\d{0,2},\d{3}$/.test(cell))) {
      const { cell, at } = commas[0];
      return { problem: `line ${at}: “${cell}” can mean ${cell.replace(",", ".")} or ${cell.replace(",", "")}. Write it with a decimal point, or without the comma.` };
    }
    const titled = rows.length > 1 && rows[0].cells.every((cell) => number(cell, comma) === null);
    let names = titled ? rows.shift().cells : [];
    const width = rows[0].cells.length;
    if (titled && sep === " " && width === 1) names = [names.join(" ")];
    if (titled && names.length === width - 1) names.unshift(""); // as R writes names of rows
    const uneven = titled && names.length !== width ? { at: lines[0].at, cells: names } : rows.find((row) => row.cells.length !== width);
    const free = dimension === 1 && !titled; // a list of numbers, in as many lines as it takes
    if (uneven && !free) {
      return { problem: `line ${uneven.at} has ${plural(uneven.cells.length, "column")}, and line ${rows[0].at} has ${width}.` };
    }
    const column = (name, given) => {
      const values = given.map(({ cell }) => number(cell, comma));
      const at = values.findIndex((value) => value === null || Math.abs(value) > HUGE);
      const bad = at < 0 ? null : { ...given[at], large: values[at] !== null };
      return { name, values, bad, usable: 2 * values.filter((value) => value !== null).length >= values.length };
    };
    const columns = Array.from({ length: uneven ? 0 : width }, (_, c) =>
      column(names[c] || "", rows.map((row) => ({ cell: row.cells[c], at: row.at }))));
    if (free && (uneven || width > 1) && (rows.length === 1 || columns.every((one) => one.usable))) {
      const list = rows.flatMap((row) => row.cells.map((cell) => ({ cell, at: row.at })));
      columns.unshift({ ...column("", list), list: true });
    }
    return { columns, rows: rows.length, sep, titled };
  }
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  // the points in the columns with these indices: { points, names } or { problem }
  function take({ columns }, picks, most = MOST) {
    const chosen = picks.map((c) => columns[c]);
    const bad = chosen.map((column) => column.bad).filter(Boolean).sort((a, b) => a.at - b.at)[0];
    if (bad) {
      const what = bad.large ? `${bad.cell} is too large for a figure` : bad.cell ? `“${bad.cell}” is not a number` : "a number is missing";
      return { problem: `line ${bad.at}: ${what}.` };
    }
    const count = chosen[0].values.length;
    if (count > most) return { problem: `These are ${count} points. This figure takes at most ${most}: leave some lines out.` };
    return { points: chosen[0].values.map((_, i) => chosen.map((column) => column.values[i] + 0)), names: chosen.map((column) => column.name) };
  }

  // --- the address, the file, and the axes ---

  const write = (points) => points.map((point) => point.join(",")).join(";").replace(/e\+/g, "e");
  function read(text, dimension, most = MOST) {
    const points = (text || "").split(";").map((row) => row.split(",").map((cell) => number(cell) ?? NaN));
    const sound = points.length <= most && points.every((point) =>
      point.length === dimension && point.every((value) => Math.abs(value) <= HUGE));
    return sound ? points.map((point) => point.map((value) => value + 0)) : null;
  }
  const quoted = (text) => (/[",;\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const csv = (points, names) => [names.map(quoted), ...points].map((row) => `${row.join(",")}\n`).join("");

  // An axis for these values: round numbers with some room. It follows from the values alone, so
  // that a link leads to the same picture.
  function frame(values, room = 0.08) {
    if (!values.length) return [0, 10];
    let [low, high] = [Math.min(...values), Math.max(...values)];
    const size = Math.max(Math.abs(low), Math.abs(high));
    if (!(high - low > 1e-12 * size)) [low, high] = size ? [low - size / 4, high + size / 4] : [-1, 1];
    const span = high - low;
    const power = 10 ** Math.floor(Math.log10(span / 10));
    const step = power * [1, 2, 5, 10].find((m) => m * power >= span / 10 * 0.99);
    const round = (value) => Number(value.toPrecision(15));
    return [round(Math.floor((low - room * span) / step) * step), round(Math.ceil((high + room * span) / step) * step)];
  }
  // so many decimals tell apart what lies apart on this axis
  const decimals = ([low, high]) => 2 - Math.floor(Math.log10(high - low) + 1e-9);
  // a value to this many decimals, which may be negative, without a string of zeros
  function near(value, places) {
    if (places <= 6 && Math.abs(value) < 1e7) return touch.fixed(value, Math.max(places, 0));
    const size = value ? Math.floor(Math.log10(Math.abs(value))) : 0;
    return touch.digits(value, touch.clamp(size + places + 1, 1, 15));
  }

  // --- the panel ---

  function panel(f, plot, { dimension, source, changed, restore, most = MOST, before: spot = plot.box }) {
    const { el } = touch;
    const along = Array.from({ length: dimension }, (_, c) => c);
    let points = [];
    let names = along.map(() => "");
    let on = false; // the figure shows them
    let edit = false; // a click on the plot means a point
    let chosen = -1;
    let [past, future] = [[], []];
    let tag = ""; // steps of the keyboard on one point are one step of undo
    let before = null; // as it was when a drag began
    let taker = null; // the button that begins from what is shown

    const label = (c) => names[c] || "xy"[c];
    const axis = (c) => frame(points.map((point) => point[c]));
    const said = (point) => point.map((value, c) => near(value, decimals(axis(c)) + 1));
    const place = (point) => (dimension === 1 ? said(point)[0] : `(${said(point).join(", ")})`);
    const state = () => ({ points, names, chosen, given: Object.fromEntries(new URLSearchParams(f.hash.split("?")[1] || "")) });

    // --- changes, and undo ---

    function keep(old, what = "") {
      if (!what || what !== tag) past = [...past, old].slice(-PAST);
      [tag, future] = [what, []];
    }
    function change(next, words, { pick = -1, named = names, how = "edit" } = {}) {
      keep(state());
      [points, names, chosen] = [next, named, pick];
      changed(how, words);
      return true;
    }
    function back(from, to, nothing, words) {
      const old = from.at(-1);
      if (!old) return f.say(nothing);
      f.stop();
      const now = state();
      past = from === past ? past.slice(0, -1) : [...past, now];
      future = from === future ? future.slice(0, -1) : [...future, now];
      tag = "";
      ({ points, names, chosen } = old);
      restore(old.given);
      changed("undo", words);
      if (!on && taker) taker.focus({ preventScroll: true }); // it shows again what was there before
    }
    const undo = () => back(past, future, "There is nothing to undo.", "Undone. ");
    const redo = () => back(future, past, "There is nothing to do again.", "Done again. ");
    const count = () => (points.length === 1 ? "1 point" : `${points.length} points`);

    function add(point) {
      if (points.length >= most) {
        f.say(`This figure takes at most ${most} points. Delete one first.`);
        return false;
      }
      const at = point.map((value) => String(value).replace(/-/g, "−")).join(", ");
      return change([...points, point], `Point ${points.length + 1} is at ${dimension === 1 ? at : `(${at})`}. `, { pick: points.length });
    }
    function remove() {
      if (chosen < 0) return f.say("Choose a point first: click on it, or press Next.");
      const hadFocus = hand.node.contains(document.activeElement);
      const gone = points[chosen];
      const rest = points.filter((_, i) => i !== chosen);
      change(rest, `The point ${place(gone)} is deleted. `, { pick: Math.min(chosen, rest.length - 1) });
      if (hadFocus) (chosen < 0 ? adder : hand.node).focus({ preventScroll: true });
    }
    function choose(i) {
      if (!points.length) return f.say("There is no point yet. Press Add a point.");
      [chosen, tag] = [(i + points.length) % points.length, ""];
      changed("chosen", `Point ${chosen + 1} of ${points.length}: ${place(points[chosen])}. `);
    }
    function replace(next, named, words, how = "new") {
      return change(next, words, { how, named: named.map((name) => name.replace(/,/g, " ").slice(0, NAME)) });
    }
    function moveTo(to, how) {
      const old = points[chosen];
      if (how === "drag" && !before) before = state();
      if (how === "end" && !before) return; // it was chosen, and not moved
      // a number that stays keeps all its digits
      const next = along.map((c) => (Math.abs(to[c] - old[c]) < 0.51 * plot.grain(c) ? old[c] : to[c]));
      if (how === "key") keep(state(), `move ${chosen}`);
      if (how === "end") {
        keep(before);
        before = null;
      }
      points = points.map((point, i) => (i === chosen ? next : point));
      changed(how === "drag" ? "drag" : "edit", `Point ${chosen + 1} is at ${place(next)}. `);
    }

    // --- on the plot ---

    const hand = plot.handle({
      class: "touch-point", label: "Chosen point", axis: dimension === 1 ? "x" : "",
      at: () => (points[chosen] ? [...points[chosen], plot.y[0]].slice(0, 2) : [plot.x[0], plot.y[0]]),
      words: () => (points[chosen] ? `point ${chosen + 1} of ${points.length}, ${along.map((c) => `${label(c)} ${said(points[chosen])[c]}`).join(", ")}` : "none"),
      move: moveTo,
    });
    hand.node.addEventListener("pointercancel", () => {
      if (!before) return;
      keep(before);
      before = null;
      changed("edit", "");
    });
    hand.node.addEventListener("keydown", (event) => {
      const to = { PageDown: chosen + 1, PageUp: chosen - 1, Home: 0, End: points.length - 1 }[event.key];
      if (to === undefined && event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      if (to === undefined) remove();
      else choose(to);
    });
    const inPixels = (event) => {
      const box = plot.svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    // the point under a pointer, or -1
    function under(event) {
      const [u, v] = inPixels(event);
      const reach = NEAR[event.pointerType === "touch" ? 1 : 0];
      if (dimension === 1 && v < plot.inner.bottom - 2 * NEAR[1]) return -1;
      let [best, least] = [-1, reach];
      points.forEach((point, i) => {
        const far = Math.hypot(plot.px(point[0]) - u, dimension === 1 ? 0 : plot.py(point[1]) - v);
        if (far < least || (far === least && i === chosen)) [best, least] = [i, far];
      });
      return best;
    }
    const editing = () => on && edit;
    let hit = false; // a press on a point is no wish for another one
    plot.svg.addEventListener("pointerdown", (event) => {
      if (!editing() || event.button) return;
      hit = hand.node.contains(event.target);
      const i = under(event);
      if (hit || i < 0) return;
      hit = true;
      choose(i);
      hand.node.dispatchEvent(new PointerEvent("pointerdown", event)); // and it can be dragged at once
      event.preventDefault();
    });
    plot.svg.addEventListener("touchstart", (event) => {
      if (editing() && hit) event.preventDefault(); // else a fast finger flings, and the next tap only ends that
    }, { passive: false });
    plot.svg.addEventListener("mousedown", (event) => {
      if (editing() && hit) event.preventDefault(); // the focus stays on the chosen point
    });
    plot.svg.addEventListener("click", (event) => {
      if (!editing() || hit) return;
      const [u, v] = inPixels(event);
      const b = plot.inner;
      if (u < b.left || u > b.right || v < b.top || v > b.bottom) return;
      f.stop();
      const at = plot.at(event);
      add(along.map((c) => Number((Math.round(at[c] / plot.grain(c)) * plot.grain(c)).toPrecision(12))));
    });
    f.root.addEventListener("keydown", (event) => {
      const key = event.key.toLowerCase();
      const again = key === "y" || event.shiftKey;
      if (!(on || (again && future.length)) || !(event.ctrlKey || event.metaKey) || event.altKey || !(key === "z" || key === "y")) return;
      if (event.target.matches("textarea, input[type='text']")) return; // these have their own
      event.preventDefault();
      if (again) redo();
      else undo();
    });

    // --- controls ---

    const box = el("div", { class: "touch-own", role: "group", "aria-label": "Your own points" });
    spot.before(box);
    const first = f.row("", box);
    const editor = f.button(first, "Edit the points", () => {
      edit = !edit;
      if (!edit) chosen = -1;
      changed("chosen", edit ? `A click ${dimension === 1 ? "near the axis with the marks" : "on the plot"} adds a point, and a point can be dragged. ` : "The points are as you left them. ");
    }, { "aria-pressed": false });
    const adder = f.button(first, "Add a point", () => {
      edit = true;
      const at = along.map((c) => {
        const [low, high] = c ? plot.y : plot.x;
        return Number(((low + high) / 2).toPrecision(6));
      });
      add(at);
      hand.node.focus({ preventScroll: true });
    });
    f.button(first, "Undo", undo);
    f.button(first, "Redo", redo);
    const second = f.row("touch-chosen", box);
    const which = el("span", { class: "touch-muted" });
    second.append(which);
    const fields = along.map((c) => {
      const input = f.labelled(second, "", el("input", { type: "text", autocomplete: "off" }));
      input.addEventListener("change", () => {
        const value = number(input.value.trim(), /^[^.]*,[^.]*$/.test(input.value));
        input.setAttribute("aria-invalid", value === null);
        if (value === null || !(Math.abs(value) <= HUGE)) {
          f.say(`“${input.value}” is not a number. The point stays where it is.`);
          input.value = String(points[chosen][c]);
          return;
        }
        f.stop();
        const next = points.map((point, i) => (i === chosen ? point.map((old, k) => (k === c ? value : old)) : point));
        change(next, `Point ${chosen + 1}: ${label(c)} is ${value} now. `, { pick: chosen });
      });
      return input;
    });
    f.button(second, "Previous", () => choose(chosen - 1));
    f.button(second, "Next", () => choose(chosen + 1));
    f.button(second, "Delete", remove);
    const hint = el("p", { class: "touch-muted" }, dimension === 1 ? "Click near the axis with the marks to add a point, or on a mark to choose and drag it." : "Click on the plot to add a point, or on a point to choose and drag it.",
      " By keyboard: the arrow keys move the chosen point, Page Up and Page Down choose another, Delete deletes it.");
    box.append(hint);

    // --- a table, pasted or from a file ---

    const sheet = el("textarea", { rows: 6, spellcheck: false, wrap: "off", "aria-describedby": `${f.id}-${f.name}-format` });
    const file = el("input", { type: "file", accept: ".csv,.tsv,.txt,.dat,text/*" });
    const complaint = el("p", { class: "touch-complaint", "aria-live": "polite" });
    const picker = el("div", { class: "touch-row", hidden: true });
    const selects = along.map((c) => f.labelled(picker, dimension === 1 ? "Column" : `Column for ${"xy"[c]}`, el("select")));
    const details = el("details", {}, el("summary", {}, "Paste a table, or open a file"));
    const inside = el("div", {});
    details.append(inside);
    f.labelled(inside, "Table or CSV", sheet).parentElement.classList.add("touch-table");
    inside.append(el("p", { class: "touch-muted", id: `${f.id}-${f.name}-format` },
      dimension === 1 ? "One number for each point. " : "One line for each point, with two numbers. ",
      "Commas, semicolons, tabs or spaces come between the columns. If the first line has names, they label the ",
      dimension === 1 ? "axis" : "axes", ". Nothing leaves this page."));
    f.labelled(inside, "or a file", file);
    inside.append(picker, complaint);
    const buttons = f.row("", inside);
    f.button(buttons, "Use these numbers", use);
    f.button(buttons, "Clear", () => replace([], along.map(() => ""), "All points are gone; Undo brings them back. "));
    const saver = f.button(buttons, "Download the table (CSV)", () => {
      f.save("points.csv", csv(points, along.map(label)));
      f.say("The table is saved as points.csv.");
    });
    box.append(details);
    const long = el("p", { class: "touch-muted" }, `These points are too many for a link of ${LINK} characters: the address does not hold them. Download the table to keep them.`);
    box.append(long);
    sheet.addEventListener("input", () => {
      picker.hidden = true;
      complaint.replaceChildren();
    });
    file.addEventListener("change", async () => {
      const [one] = file.files;
      if (!one) return;
      if (one.size > FILE) return complaint.replaceChildren(`${one.name} has ${(one.size / 1e6).toFixed(1)} MB; a table for a figure has at most ${FILE / 1e6}.`);
      sheet.value = await one.text();
      picker.hidden = true;
      use();
    });
    function use() {
      const found = table(sheet.value, dimension);
      const refuse = (problem) => complaint.replaceChildren(problem[0].toUpperCase() + problem.slice(1));
      if (found.problem) return refuse(found.problem);
      const usable = found.columns.map((column, c) => ({ ...column, c })).filter((column) => column.usable);
      const needed = dimension === 1 ? "a column" : "two columns";
      if (usable.length < dimension) {
        const { bad } = found.columns.find((column) => !column.usable) || {};
        return refuse(bad ? `${needed} of numbers ${dimension === 1 ? "is" : "are"} wanted. Line ${bad.at}: “${bad.cell}” is not a number.`
          : `${needed} of numbers ${dimension === 1 ? "is" : "are"} wanted, and this table has ${plural(usable.length, "column")}.`);
      }
      if (usable.length > dimension && picker.hidden && !(usable[0].list && found.rows === 1)) {
        selects.forEach((select, k) => {
          select.replaceChildren(...usable.map((column) => el("option", { value: column.c }, column.list ? "all numbers" : column.name || `column ${column.c + 1 - (found.columns[0].list ? 1 : 0)}`)));
          select.value = String(usable[k].c);
        });
        picker.hidden = false;
        return complaint.replaceChildren(`This table has ${plural(usable.filter((column) => !column.list).length, "column")} of numbers. Choose, and press “Use these numbers” once more.`);
      }
      const taken = take(found, picker.hidden ? usable.slice(0, dimension).map((column) => column.c) : selects.map((select) => Number(select.value)), most);
      if (taken.problem) return refuse(taken.problem);
      picker.hidden = true;
      complaint.replaceChildren();
      f.stop();
      const aside = found.columns.filter((column) => !column.usable).length;
      replace(taken.points, taken.names, `${plural(taken.points.length, "point")} read. ${aside ? `${plural(aside, "column")} of words left aside. ` : ""}`);
    }
    // what the figure shows now becomes the reader's own
    function copy() {
      f.stop();
      const { points: shown, names: named } = source();
      replace(shown.map((point) => [].concat(point)), named, "These points are yours now: change them as you like. ", "copy");
    }

    return {
      get X() { return dimension === 1 ? points.map(([x]) => x) : points; },
      get points() { return points; },
      get labels() { return along.map(label); },
      get editing() { return editing(); },
      get dragging() { return before !== null; },
      frame: axis,
      decimals: (c) => decimals(axis(c)),
      add, copy, undo, redo, replace,
      // a button for when something else is shown
      button: (parent) => (taker = f.button(parent, "Take these points as your own", copy, { class: "touch-quiet" })),
      show(shown) {
        on = shown;
        if (chosen >= points.length) chosen = -1;
        box.hidden = !on;
        plot.box.classList.toggle("touch-editing", editing());
        editor.setAttribute("aria-pressed", edit);
        editor.classList.toggle("touch-on", edit);
        second.hidden = !edit;
        hint.hidden = !edit;
        which.textContent = chosen < 0 ? count() : `Point ${chosen + 1} of ${points.length}`;
        fields.forEach((input, c) => {
          input.parentElement.hidden = chosen < 0;
          input.labels[0].textContent = label(c);
          input.setAttribute("aria-label", `${label(c)} of point ${chosen + 1}`);
          if (chosen >= 0) input.value = String(points[chosen][c]);
        });
        hand.show(editing() && chosen >= 0);
        saver.hidden = !points.length;
        long.hidden = write(points).length <= LINK;
      },
      write() {
        if (!on) return {};
        const text = write(points);
        return {
          own: text.length > LINK ? MANY : text,
          names: text.length > LINK || !names.some(Boolean) ? "" : names.join(","),
          edit: edit ? chosen + 1 : "",
        };
      },
      // takes over what an address holds; false where it has none, or they did not fit
      read(given) {
        const found = !given.own ? [] : read(given.own, dimension, most);
        [past, future, tag, before] = [[], [], "", null];
        points = found || [];
        const said = (given.names || "").split(",");
        names = along.map((c) => (points.length && said.length === dimension && said[c].slice(0, NAME)) || "");
        edit = given.edit !== undefined && Number(given.edit) >= 0;
        chosen = edit && points[Number(given.edit) - 1] ? Number(given.edit) - 1 : -1;
        return found !== null;
      },
    };
  }

  const ownData = { number, table, take, write, read, csv, frame, decimals, near, panel, MOST, LINK, MANY };
  if (typeof module === "object" && module.exports) module.exports = ownData;
  else globalThis.ownData = ownData;
})();

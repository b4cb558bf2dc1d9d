// The search of the site, over search-index.js (tools/website/search_index.py): sections, numbered equations, figures, terms and
// references. All words of the query must be found in a place; a beginning of a word counts less than the word. Where
// a word is nowhere, the nearest ones of the book are offered.
(() => {
  const FIRST = 30;
  const TITLE = 4, ALSO = 2, TEXT = 1, PAGE = 0.3;
  const KINDS = { page: 1.25, section: 1.1, term: 1.6, exercise: 0.8, equation: 0.8, figure: 0.8, reference: 0.8 };

  // --- words ---

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[’']s\b/g, "").toLowerCase();
  const split = (text) => plain(text).match(/[\p{L}\p{N}]+/gu) || [];
  // One form for plurals and for the two spellings of -ise and -our.
  const root = (word) => {
    let w = word;
    if (w.length > 3 && /[^siu]s$/.test(w)) w = w.endsWith("ies") && w.length > 4 ? `${w.slice(0, -3)}y` : w.slice(0, -1);
    if (w.length > 5) w = w.replace(/is(ation|ing|er?|ed?)$/, "iz$1").replace(/our$/, "or").replace(/lled$/, "led").replace(/lling$/, "ling");
    return w;
  };
  const roots = (text) => split(text).map(root);

  // --- the index ---

  const build = ({ pages, entries, words }) => {
    const places = new Map(); // root -> Map(entry -> weight)
    const spelled = new Map(); // root -> its forms, how often it is met, whether in a heading
    const add = (text, entry, weight) => {
      for (const word of split(text)) {
        const key = root(word);
        if (!places.has(key)) places.set(key, new Map());
        const at = places.get(key);
        at.set(entry, (at.get(entry) || 0) + weight);
        if (weight < TEXT) continue;
        const seen = spelled.get(key) || { words: new Map(), times: 0, known: false };
        seen.words.set(word, (seen.words.get(word) || 0) + 1);
        seen.times += 1;
        seen.known ||= weight === TITLE;
        spelled.set(key, seen);
      }
    };
    const all = entries.map(([page, anchor, kind, title, text, also, number, label]) =>
      ({ url: pages[page][0] + (anchor ? `#${anchor}` : ""), page: pages[page][1], kind, title, text, also, number, label }));
    all.forEach((entry, i) => {
      add(entry.title, i, entry.kind === "reference" ? TEXT : TITLE);
      add(entry.text, i, TEXT);
      add(`${entry.also} ${entry.label}`, i, ALSO);
      if (entry.kind !== "page") add(entry.page, i, PAGE);
    });
    const vocabulary = [...spelled.values()].flatMap(({ words: forms, times, known }) =>
      [...forms.keys()].map((word) => ({ word, times, known })));
    const lengths = all.map(({ text }) => text.length);
    const usual = lengths.reduce((sum, n) => sum + n, 0) / all.length;
    const long = lengths.map((n) => 0.5 + n / usual);
    return { all, places, long, vocabulary, groups: words.map((group) => group.map((words) => roots(words))), names: words };
  };

  // --- finding ---

  // Each entry's score for one word.
  const scores = ({ places, all, long }, word, last) => {
    const found = new Map();
    for (const [key, at] of places) {
      const exact = key === word;
      if (!exact && !(word.length >= 3 && key.startsWith(word)) && !(last && word.length === 2 && key.startsWith(word))) continue;
      const rare = Math.log(1 + all.length / at.size);
      for (const [entry, weight] of at) {
        const score = (exact ? 1 : 0.5 * (word.length / key.length)) * rare * (weight / (weight + long[entry]));
        if (score > (found.get(entry) || 0)) found.set(entry, score);
      }
    }
    return found;
  };

  const findAll = (index, words) => {
    let found = null;
    words.forEach((word, i) => {
      const these = scores(index, word, i === words.length - 1);
      if (!found) found = these;
      else found = new Map([...found].filter(([e]) => these.has(e)).map(([e, score]) => [e, score + these.get(e)]));
    });
    const whole = words.join(" ");
    return new Map([...(found || [])].map(([e, score]) => {
      const entry = index.all[e];
      const title = roots(entry.title).join(" ");
      const bonus = title === whole ? 3 : ` ${title} `.includes(` ${whole} `) ? 1.5 : 1;
      const near = words.length > 1 && ` ${roots(entry.text).join(" ")} `.includes(` ${whole} `) ? 1.3 : 1;
      return [e, (score / words.length) * bonus * near * KINDS[entry.kind]];
    }));
  };

  // The query in the words of chapters/search_words.yml: one group at a time.
  const otherWords = (index, words) => {
    const found = [];
    index.groups.forEach((group, g) => {
      for (const phrase of group) {
        const at = words.findIndex((_, i) => phrase.length && phrase.every((word, k) => words[i + k] === word));
        if (at < 0) continue;
        group.forEach((other, k) => {
          const with_ = [...words.slice(0, at), ...other, ...words.slice(at + phrase.length)];
          if (with_.join(" ") !== words.join(" ")) found.push({ words: with_, name: index.names[g][k] });
        });
      }
    });
    return found;
  };

  const byNumber = (index, query) => {
    const number = /^\(?(?:eq(?:uation)?\.?\s*)?\(?(\d+)\)?$/i.exec(query.trim());
    const label = query.trim().toLowerCase();
    return index.all.flatMap((entry, e) =>
      (entry.kind === "equation" && number && entry.number === number[1]) || (entry.label && entry.label === label) ? [e] : []);
  };

  // --- what was meant ---

  // How many letters must be changed, left out, put in or swapped with the next (no more than `most`).
  const distance = (a, b, most) => {
    if (Math.abs(a.length - b.length) > most) return most + 1;
    let before = [], row = [...Array(b.length + 1).keys()];
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1) {
        const same = a[i - 1] === b[j - 1] ? 0 : 1;
        next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + same);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
      }
      [before, row] = [row, next];
    }
    return row[b.length];
  };

  const nearest = (index, word) => {
    const most = Math.min(3, Math.floor(word.length / 3));
    if (most < 1) return [];
    return index.vocabulary
      .filter(({ word: w }) => w.length > 2 && !/^\d/.test(w))
      .map((entry) => ({ ...entry, far: distance(word, entry.word, most) }))
      .filter(({ far }) => far <= most)
      .sort((a, b) => a.far - b.far || b.known - a.known || b.times - a.times || (a.word < b.word ? -1 : 1))
      .filter(({ word: w }, i, list) => list.findIndex((other) => root(other.word) === root(w)) === i)
      .slice(0, 5)
      .map(({ word: w }) => w);
  };

  const suggest = (index, query) => {
    const words = split(query);
    const known = (word) => scores(index, root(word), false).size > 0;
    const unknown = words.filter((word) => !known(word));
    if (!unknown.length) return [];
    const choices = nearest(index, unknown[0]);
    return choices.map((choice) => words.map((word) =>
      word === unknown[0] ? choice : known(word) ? word : nearest(index, word)[0] || word).join(" "));
  };

  const search = (index, query) => {
    const words = roots(query);
    if (!words.length) return { found: [], also: [], suggestions: [], words };
    const best = findAll(index, words);
    const also = [];
    for (const other of otherWords(index, words)) {
      const these = findAll(index, other.words);
      if (these.size) also.push(other);
      for (const [e, score] of these) best.set(e, Math.max(best.get(e) || 0, 0.5 * score));
    }
    for (const e of byNumber(index, query)) best.set(e, 1000);
    const found = [...best].sort(([a, s], [b, t]) => t - s || a - b).map(([e]) => index.all[e]);
    const suggestions = found.length ? [] : suggest(index, query);
    return { found, also: [...new Set(also.map(({ name }) => name))], suggestions, words: [...words, ...also.flatMap((o) => o.words.filter((word) => word.length > 2))] };
  };

  // --- showing ---

  const node = (name, text = "", className = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // The part of the text around the first word that was looked for, with all of them marked.
  const snippet = (text, words) => {
    const is = (word) => words.some((w) => root(word) === w || (w.length > 2 && root(word).startsWith(w)));
    const parts = [...text.matchAll(/[\p{L}\p{N}]+/gu)];
    const first = parts.find(([word]) => is(plain(word)));
    let start = Math.max(0, (first ? first.index : 0) - 90);
    if (start) start = text.indexOf(" ", start) + 1;
    let end = Math.min(text.length, start + 240);
    if (end < text.length) end = text.lastIndexOf(" ", end);
    const p = node("p", start ? "… " : "");
    let at = start;
    for (const { 0: word, index } of parts) {
      if (index < start || index + word.length > end || !is(plain(word))) continue;
      p.append(text.slice(at, index), node("mark", word));
      at = index + word.length;
    }
    p.append(text.slice(at, end), end < text.length ? " …" : "");
    return p;
  };

  const item = (entry, words) => {
    const li = node("li");
    const a = node("a");
    a.href = entry.url;
    a.append(node("span", entry.title, "search-title"));
    const where = { page: "", term: "term", reference: "reference" }[entry.kind] ?? `in ${entry.page}`;
    if (entry.kind === "equation") a.append(node("span", `${entry.label}, ${where}`, "search-where"));
    else if (where) a.append(node("span", where, "search-where"));
    li.append(a);
    if (entry.kind !== "reference" && entry.text) li.append(snippet(entry.text, words));
    return li;
  };

  const link = (query) => {
    const a = node("a", query);
    a.href = `?q=${encodeURIComponent(query)}`;
    return a;
  };

  const show = (query, { found, also, suggestions, words }) => {
    const status = document.getElementById("search-status");
    const results = document.getElementById("search-results");
    status.replaceChildren();
    results.replaceChildren();
    if (!query.trim()) return;
    if (!found.length) {
      status.append(`“${query}” did not match any documents.`);
      if (suggestions.length) {
        status.append(" The nearest words of this book: ");
        suggestions.forEach((s, i) => status.append(i ? ", " : "", link(s)));
        status.append(".");
      }
      return;
    }
    status.append(`${found.length} ${found.length === 1 ? "place" : "places"} for “${query}”${also.length ? `, and for ${also.join(", ")}` : ""}.`);
    const list = node("ul");
    list.append(...found.slice(0, FIRST).map((entry) => item(entry, words)));
    results.append(list);
    if (found.length <= FIRST) return;
    const more = node("button", `Show all ${found.length}`);
    more.id = "search-more";
    more.type = "button";
    more.addEventListener("click", () => {
      const rest = found.slice(FIRST).map((entry) => item(entry, words));
      list.append(...rest);
      more.remove();
      rest[0].querySelector("a").focus();
    });
    results.append(more);
  };

  if (typeof module === "object") module.exports = { build, search, distance, root };
  else {
    document.addEventListener("DOMContentLoaded", () => {
      const query = new URLSearchParams(location.search).get("q") || "";
      const field = document.querySelector("article input[name=q]");
      field.value = query;
      if (!query) field.focus();
      else document.title = `${query} · ${document.title}`;
      show(query, search(build(window.BOOK_SEARCH), query));
    });
  }
})();

// The filter of the ledger: by chapter, by kind of check, by what is written. Without script all of it is shown.
// Below it, the numbers of other worlds than the first, which stands in the page (tools/website/ledger_worlds.py).
document.addEventListener("DOMContentLoaded", () => {
  const entries = [...document.querySelectorAll(".ledger-entry")];
  if (!entries.length) return;
  const sections = [...new Set(entries.map((entry) => entry.closest("section")))];
  const make = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const select = (options) => make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  const title = (section) => section.querySelector(":is(h1, h2, h3)").firstChild.textContent.trim();
  const chapter = select([["", "all chapters"], ...sections.map((section) => [section.id, title(section)])]);
  const kind = select([["", "all"], ["ledger-symbolic", "checked symbolically"], ["ledger-numerical", "checked numerically"],
    ["ledger-printed", "checked against printed numbers"], ["ledger-definition", "definitions"],
    ["ledger-declared", "with something declared beside them"]]);
  const text = make("input", { type: "search", placeholder: "a label, a number, a word", autocomplete: "off" });
  const status = make("p", {});
  status.setAttribute("role", "status");
  const form = make("form", { className: "ledger-filter" },
    make("label", {}, "Chapter", chapter), make("label", {}, "Kind", kind), make("label", {}, "With the words", text), status);
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "The equations of this page");
  sections[0].before(form);

  const words = new Map(entries.map((entry) => [entry,
    [".ledger-head", ".ledger-checks"].map((part) => entry.querySelector(part)?.textContent || "").join(" ").toLowerCase()]));
  const show = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const entry of entries) {
      const fits = (!chapter.value || entry.closest("section").id === chapter.value) &&
        (!kind.value || entry.classList.contains(kind.value)) && wanted.every((word) => words.get(entry).includes(word));
      entry.hidden = !fits;
      count += fits;
    }
    for (const section of sections) section.hidden = !section.querySelector(".ledger-entry:not([hidden])");
    const all = count === entries.length;
    status.textContent = all ? `${count} equations` : count ? `${count} of ${entries.length} equations` : "No equation fits. Leave out a word, or ask for all chapters.";
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  // a link to an equation or a chapter that is filtered out shows everything again
  window.addEventListener("hashchange", () => {
    const target = document.querySelector(":target");
    if (!target || !target.closest("[hidden]")) return;
    form.reset();
    show();
    target.scrollIntoView();
  });
  show();

  // --- another world ---

  let worlds;
  const load = () => worlds ||= new Promise((resolve, reject) => {
    const root = document.documentElement.dataset.content_root || "../";
    const script = make("script", { src: `${root}ledger-worlds.js`, onload: () => resolve(window.BOOK_WORLDS), onerror: reject });
    document.head.append(script);
  });
  const chain = ([names, values]) => {
    let last = "";
    return make("dl", {}, ...names.flatMap((name, k) => {
      last = values[k] || last; // an empty one repeats the one before it
      return [make("dt", {}, name), make("dd", {}, last)];
    }));
  };
  const offer = (box) => {
    const head = box.querySelector("p");
    head.setAttribute("role", "status");
    const button = make("button", { type: "button" }, "Another world");
    let at = 0;
    button.addEventListener("click", async () => {
      let found;
      try {
        found = (await load())[box.closest(".ledger-entry").id.replace("entry-", "")];
      } catch {
        head.textContent = "The numbers of the other worlds could not be loaded.";
        return;
      }
      at = (at + 1) % found.length;
      const [sizes, chains] = found[at];
      head.textContent = `World ${at + 1} of ${found.length}: ${sizes}`;
      box.querySelectorAll("dl").forEach((old) => old.remove());
      head.after(...chains.map(chain));
    });
    box.append(button);
  };
  document.querySelectorAll(".ledger-world[data-more]").forEach(offer);
});

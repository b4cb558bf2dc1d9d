// Each symbol of a labelled display shows what it means: on pointing, by tap, or by keyboard. The display is one stop of
// the Tab key; the arrow keys lead through its symbols. A click, Enter or a second tap leads to where one is defined.
// What is drawn of symbol k has data-s="k"; its text is the k-th in the template, its values are in the JSON.
(() => {
  const GAP = 8;
  const FEW_LINES = 130; // pixels
  const template = document.getElementById("symbols");
  if (!template) return; // a page without its article
  const texts = template.content.children;
  const values = JSON.parse(document.getElementById("symbol-values").textContent);
  const bubble = document.createElement("div");
  bubble.className = "book-tip symbol-tip";
  bubble.id = "symbol-tip";
  let open = null; // the drawn symbol that the bubble is for
  let timer = 0;

  const displayOf = (symbol) => symbol.closest("mjx-container");
  const boxOf = (symbol) => displayOf(symbol).parentElement;
  const symbolsIn = (display) => [...display.querySelectorAll("[data-s]")];

  const isHere = (link, symbol) => link.getAttribute("href") === `#${boxOf(symbol).id}`;

  const fill = (symbol) => {
    const key = symbol.dataset.s;
    const [sizes, shown] = values[boxOf(symbol).id.slice("equation-".length)];
    const text = texts[key].cloneNode(true);
    if (shown[key]) {
      const line = document.createElement("p");
      line.textContent = `for instance ${shown[key]}${sizes && `, where ${sizes}`}`;
      text.lastElementChild.before(line);
    }
    for (const link of text.querySelectorAll("a")) if (isHere(link, symbol)) link.replaceWith("defined here");
    bubble.replaceChildren(...text.children);
  };

  // Below or above: the display, where it is no higher than a few lines, else the symbol. Wherever all of the bubble has
  // room, or more of it.
  const place = () => {
    if (!open || !open.isConnected) return;
    const at = open.getBoundingClientRect();
    const around = displayOf(open).getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    if (at.bottom < 0 || at.top > clientHeight || at.right < around.left || at.left > around.right) return hide();
    const { top, bottom } = around.height < FEW_LINES ? around : { top: at.top - GAP, bottom: at.bottom + GAP };
    bubble.style.maxHeight = "";
    const { width, height } = bubble.getBoundingClientRect();
    const below = clientHeight - bottom - GAP;
    const above = top - GAP;
    const isBelow = height <= below || below >= above;
    const tall = Math.min(height, Math.max(isBelow ? below : above, 48));
    bubble.style.maxHeight = `${tall}px`;
    bubble.style.left = `${Math.max(GAP, Math.min(at.left - GAP, clientWidth - width - GAP))}px`;
    bubble.style.top = `${isBelow ? bottom : top - tall}px`;
  };

  const light = (symbol) => {
    document.querySelectorAll(".symbol-lit, .symbol-now").forEach((node) => node.classList.remove("symbol-lit", "symbol-now"));
    if (!symbol) return;
    for (const other of displayOf(symbol).querySelectorAll(`[data-s="${symbol.dataset.s}"]`)) other.classList.add("symbol-lit");
    symbol.classList.add("symbol-now");
  };

  const hide = () => {
    clearTimeout(timer);
    bubble.classList.remove("shown");
    light(null);
    open = null;
  };

  const show = (symbol) => {
    clearTimeout(timer);
    if (open === symbol) return;
    open = symbol;
    light(symbol);
    fill(symbol);
    bubble.classList.add("shown");
    place();
  };

  const later = (act, milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };

  // Where it is defined; from the definition itself, the notation.
  const go = (symbol) => {
    const links = [...texts[symbol.dataset.s].querySelectorAll("a")];
    const link = links.find((one) => !isHere(one, symbol));
    if (link) location.href = link.getAttribute("href");
  };

  // --- keyboard: a list beside what is drawn, of which only the current symbol is there ---

  let made = 0;
  const list = (display) => {
    const symbols = symbolsIn(display);
    if (!symbols.length) return;
    const number = boxOf(symbols[0]).querySelector(".eqno").firstChild.data.trim();
    const box = document.createElement("span");
    box.className = "symbol-list";
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", `Symbols of equation ${number}: the arrow keys lead through them, Enter to where one is defined`);
    box.setAttribute("aria-orientation", "horizontal");
    box.tabIndex = 0;
    let now = 0;
    const name = (k) => {
      now = k;
      const option = document.createElement("span");
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "true");
      option.setAttribute("aria-posinset", k + 1);
      option.setAttribute("aria-setsize", symbols.length);
      option.id = `symbol-option-${(made += 1)}`; // a new one is read anew
      option.textContent = [...bubbleText(symbols[k])].join("; ");
      box.replaceChildren(option);
      box.setAttribute("aria-activedescendant", option.id);
    };
    const reveal = () => {
      const { left, right } = display.getBoundingClientRect();
      const at = symbols[now].getBoundingClientRect();
      if (now === 0) display.scrollLeft = 0;
      else if (now === symbols.length - 1) display.scrollLeft = display.scrollWidth;
      else if (at.left < left + 24 || at.right > right - 24) display.scrollLeft += (at.left + at.right - left - right) / 2;
    };
    const choose = (k) => {
      name(k);
      reveal();
      show(symbols[k]);
    };
    box.addEventListener("focus", () => choose(now));
    box.addEventListener("blur", hide);
    box.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: symbols.length - 1,
      }[event.key];
      if (event.key === "Enter") go(symbols[now]);
      else if (to === undefined) return;
      else choose(Math.max(0, Math.min(symbols.length - 1, to)));
      event.preventDefault();
    });
    name(0);
    display.append(box);
  };

  const bubbleText = function* (symbol) {
    fill(symbol);
    for (const line of bubble.children) {
      const copy = line.cloneNode(true);
      const said = copy.textContent.replace(/\s+/g, " ").trim();
      if (said) yield said;
    }
  };

  // --- pointer and touch ---

  const watch = (display) => {
    let touched = false;
    display.addEventListener("pointerover", (event) => {
      const symbol = event.target.closest("[data-s]");
      if (event.pointerType !== "mouse") return;
      // on the way to the bubble the pointer may pass other symbols
      if (symbol) later(() => show(symbol), open ? 300 : 120);
      else if (open) later(hide, 250);
    });
    display.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") later(hide, 250);
    });
    // a first tap shows the text, a second leads to the definition
    display.addEventListener("pointerdown", (event) => {
      touched = event.pointerType !== "mouse" && open !== event.target.closest("[data-s]");
    });
    display.addEventListener("click", (event) => {
      const symbol = event.target.closest("[data-s]");
      if (!symbol || String(getSelection())) return;
      if (touched) show(symbol);
      else go(symbol);
    });
  };

  bubble.addEventListener("pointerenter", () => clearTimeout(timer));
  bubble.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") later(hide, 250);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener("pointerdown", (event) => {
    if (open && !open.contains(event.target) && !bubble.contains(event.target)) hide();
  });
  document.addEventListener("scroll", place, { passive: true, capture: true });
  window.addEventListener("resize", place);

  document.querySelectorAll("mjx-container[display]:has([data-s])").forEach((display) => {
    watch(display);
    list(display);
  });
  document.querySelector(".bd-article").append(bubble);
})();

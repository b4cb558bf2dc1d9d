// Hover texts: a link with aria-describedby="tip-…" shows that element on hover, focus and tap.
// Escape puts it away; the pointer may move onto it.
(() => {
  const GAP = 8;
  let open = null; // {link, tip}
  let timer = 0;

  const place = () => {
    if (!open) return;
    const { link, tip } = open;
    const lines = link.getClientRects();
    if (!lines.length) return hide();
    const at = link.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement;
    const left = Math.min(lines[0].left, room.clientWidth - width - GAP);
    const below = at.bottom + GAP;
    const fits = below + height < room.clientHeight || at.top < height + GAP;
    tip.style.left = `${Math.max(GAP, left)}px`;
    tip.style.top = `${fits ? below : at.top - height - GAP}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    if (open) open.tip.classList.remove("shown");
    open = null;
  };

  const show = (link, tip) => {
    clearTimeout(timer);
    if (open && open.link === link) return;
    hide();
    open = { link, tip };
    tip.classList.add("shown");
    place();
  };

  const later = (act, milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };

  const watch = (link) => {
    const tip = document.getElementById(link.getAttribute("aria-describedby"));
    let touched = false;
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") later(() => show(link, tip), 120);
    });
    link.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && link !== document.activeElement) later(hide, 250);
    });
    link.addEventListener("focus", () => show(link, tip));
    link.addEventListener("blur", hide);
    // a first tap shows the text, a second follows the link
    link.addEventListener("pointerdown", (event) => {
      touched = event.pointerType !== "mouse" && !(open && open.link === link);
    });
    link.addEventListener("click", (event) => {
      if (!touched) return;
      event.preventDefault();
      touched = false;
      show(link, tip);
    });
    tip.addEventListener("pointerenter", () => clearTimeout(timer));
    tip.addEventListener("pointerleave", () => later(hide, 250));
  };

  // What scrolls by itself must be reachable by keyboard too. The theme sees to that for code and tables when the
  // page has loaded and when the window changes, but not for formulas (those
  // with a list of their symbols are reached by that), nor for what is unfolded later.
  const reach = () => {
    const boxes = [...document.querySelectorAll("mjx-container[display]:not(:has(> .symbol-list)), .bd-article pre, .pst-scrollable-table-container, .ledger-map-box")];
    const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1);
    boxes.forEach((box, k) => {
      if (scrolls[k]) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    });
  };
  let waiting = 0;
  const reachSoon = () => {
    reach();
    clearTimeout(waiting);
    waiting = setTimeout(reach, 400); // the theme waits for 300
  };

  // The buttons that copy code are one stop of the Tab key, the one in view; the arrow keys lead to the others.
  const copying = () => {
    const buttons = [...document.querySelectorAll("button.copybtn")];
    if (!buttons.length) return;
    const stop = (wanted) => buttons.forEach((button) => { button.tabIndex = button === wanted ? 0 : -1; });
    const seen = (button) => button.checkVisibility() && button.getBoundingClientRect().bottom > 0;
    const nearest = () => {
      if (!buttons.includes(document.activeElement)) stop(buttons.find(seen) || buttons.find((b) => b.checkVisibility()));
    };
    buttons.forEach((button, i) => {
      button.setAttribute("aria-label", `Copy this code (${i + 1} of ${buttons.length}; arrow keys for the others)`);
      button.addEventListener("focus", () => stop(button));
      button.addEventListener("keydown", (event) => {
        const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!way) return;
        event.preventDefault();
        let to = i + way;
        while (buttons[to] && !buttons[to].checkVisibility()) to += way;
        if (buttons[to]) buttons[to].focus();
      });
    });
    let due = 0;
    window.addEventListener("scroll", () => {
      clearTimeout(due);
      due = setTimeout(nearest, 150);
    }, { passive: true });
    nearest();
  };
  window.addEventListener("load", () => setTimeout(copying)); // when they have been made

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll('a[aria-describedby^="tip-"]').forEach(watch);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (open && !open.link.contains(event.target) && !open.tip.contains(event.target)) hide();
    });
    window.addEventListener("scroll", place, { passive: true });
    window.addEventListener("resize", place);
  });
  document.addEventListener("toggle", reach, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest(".admonition-title")) reachSoon();
  });
  window.addEventListener("resize", reachSoon);
  window.addEventListener("load", reachSoon);
})();

// The switch for the code of the site's pages: shown, outlined, hidden. The head has set it before the first paint
// (tools/website/code_switch.py); the look is in code.css. The choice is kept for all pages.
(() => {
  const root = document.documentElement;
  const STATES = ["shown", "outlined", "hidden"];

  const keep = (state) => {
    try {
      localStorage.setItem("code", state);
    } catch {
      // a browser that keeps nothing: the choice holds for this page
    }
  };

  // What the reader looks at stays where it is while code above it comes and goes.
  const inView = () => {
    const parts = document.querySelectorAll(".bd-article :is(h1, h2, h3, p, div.math, figure, .cell_output)");
    return [...parts].find((node) => node.checkVisibility() && node.getBoundingClientRect().bottom > 90);
  };
  const still = (act) => {
    const mark = inView();
    const before = mark ? mark.getBoundingClientRect().top : 0;
    act();
    if (mark && mark.checkVisibility()) window.scrollBy({ top: mark.getBoundingClientRect().top - before, behavior: "instant" });
    window.dispatchEvent(new Event("resize")); // what scrolls sideways is looked at anew
  };

  const set = (state) => {
    root.dataset.code = STATES.includes(state) ? state : "shown";
    for (const radio of document.querySelectorAll(".code-switch input")) radio.checked = radio.value === root.dataset.code;
    for (const cell of document.querySelectorAll(".cell.code-open")) open(cell, false);
  };

  const open = (cell, wanted) => {
    cell.classList.toggle("code-open", wanted);
    const button = cell.querySelector(":scope > .cell_input .code-more");
    if (!button) return;
    button.setAttribute("aria-expanded", String(wanted));
    button.textContent = wanted ? "Fold this code" : button.dataset.words;
  };

  // A link into code that is not shown opens it, together with what is folded around it.
  const reveal = () => {
    const target = document.querySelector(":target");
    const input = target && target.closest(".cell_input");
    if (!input || root.dataset.code === "shown") return;
    open(input.closest(".cell"), true);
    const fold = input.closest("details");
    if (fold) fold.open = true;
    target.scrollIntoView();
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const rest of document.querySelectorAll(".cell > .cell_input .code-rest")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "code-more";
      button.dataset.words = rest.dataset.words;
      const input = rest.closest(".cell_input");
      const cell = input.closest(".cell");
      input.append(button);
      open(cell, false);
      button.addEventListener("click", () => open(cell, !cell.classList.contains("code-open")));
    }
    set(root.dataset.code);
    for (const radio of document.querySelectorAll(".code-switch input")) {
      radio.addEventListener("change", () => {
        still(() => set(radio.value));
        keep(radio.value);
      });
    }
    window.addEventListener("storage", (event) => {
      if (event.key === "code") set(event.newValue);
    });
    window.addEventListener("hashchange", reveal);
    // a second click on the same link changes no address
    document.addEventListener("click", (event) => {
      if (event.target.closest('a[href^="#"]')) setTimeout(reveal);
    });
    reveal();
  });
})();

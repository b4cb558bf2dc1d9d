// Turns a strip of equal frames (one picture) into a player: one frame at a time, with buttons and a slider.
// Without script, and on paper, the strip itself stays. Nothing moves until the reader asks for it.
(() => {
  "use strict";
  const MILLISECONDS = 900;

  function button(label, text) {
    const b = document.createElement("button");
    b.type = "button";
    b.setAttribute("aria-label", label);
    b.title = label;
    b.textContent = text;
    return b;
  }

  function number(image, name) {
    const found = [...image.classList].find((c) => c.startsWith(name + "-"));
    return found ? Number(found.slice(name.length + 1)) : NaN;
  }

  function build(image) {
    const columns = number(image, "columns");
    const frames = number(image, "frames");
    const rows = Math.ceil(frames / columns);
    const source = image.currentSrc || image.src;
    const player = document.createElement("div");
    player.className = "filmstrip-player";
    player.setAttribute("role", "group");
    player.setAttribute("aria-label", "Animation in steps: " + image.alt);

    const screen = document.createElement("div");
    screen.className = "filmstrip-screen";
    screen.style.aspectRatio = `${image.naturalWidth / columns} / ${image.naturalHeight / rows}`;
    screen.style.backgroundImage = `url("${source}")`;
    screen.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;

    const controls = document.createElement("div");
    controls.className = "filmstrip-controls";
    const back = button("Previous frame", "◀");
    const play = button("Play", "Play");
    const next = button("Next frame", "▶");
    const slider = document.createElement("input");
    slider.type = "range";
    slider.min = "1";
    slider.max = String(frames);
    slider.value = "1";
    slider.setAttribute("aria-label", "Frame");
    const status = document.createElement("output");
    status.className = "filmstrip-status";
    const all = button("Show all frames side by side", "All");
    controls.append(back, play, next, slider, status, all);
    player.append(screen, controls);

    let timer = null;
    function show(frame) {
      const k = Math.min(Math.max(frame, 1), frames) - 1;
      const x = columns > 1 ? (100 * (k % columns)) / (columns - 1) : 0;
      const y = rows > 1 ? (100 * Math.floor(k / columns)) / (rows - 1) : 0;
      screen.style.backgroundPosition = `${x}% ${y}%`;
      slider.value = String(k + 1);
      status.textContent = `${k + 1} of ${frames}`;
    }
    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
      play.setAttribute("aria-label", "Play");
      play.title = "Play";
    }
    function start() {
      if (Number(slider.value) === frames) show(1);
      play.textContent = "Pause";
      play.setAttribute("aria-label", "Pause");
      play.title = "Pause";
      timer = setInterval(() => {
        if (Number(slider.value) >= frames) stop();
        else show(Number(slider.value) + 1);
      }, MILLISECONDS);
    }
    play.addEventListener("click", () => (timer === null ? start() : stop()));
    back.addEventListener("click", () => { stop(); show(Number(slider.value) - 1); });
    next.addEventListener("click", () => { stop(); show(Number(slider.value) + 1); });
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    all.setAttribute("aria-pressed", "false");
    all.addEventListener("click", () => {
      stop();
      const open = player.classList.toggle("filmstrip-all");
      all.setAttribute("aria-pressed", String(open));
    });
    show(1);
    image.classList.add("filmstrip-still");
    image.after(player);
    player.prepend(image);
  }

  function ready(image) {
    if (image.complete && image.naturalWidth > 0) build(image);
    else image.addEventListener("load", () => build(image), { once: true });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("img.filmstrip:not(.touch)").forEach(ready);
  });
})();

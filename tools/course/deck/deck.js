// Makes everything fit on its slide, and lays the deck out for paper where the address ends in ?handout.

// A wide formula is scaled down; then the whole slide, step by step, until nothing sticks out.
function fit(slide) {
  for (const math of slide.querySelectorAll(".eq mjx-container")) squeeze(math);
  const box = slide.querySelector(".fitted");
  if (!box) return;
  let scale = 1;
  while (scale > 0.5 && (bottom(slide, box) > 700 || box.scrollWidth > box.clientWidth + 1)) {
    scale -= 0.04;
    box.style.zoom = scale;
  }
  slide.dataset.scale = scale.toFixed(2);
}

function squeeze(math) {
  const wide = math.scrollWidth, room = math.closest(".math").clientWidth;
  if (wide <= room) return;
  const size = parseFloat(getComputedStyle(math).fontSize);
  math.style.fontSize = `${Math.floor(size * (room / wide) * 98) / 100}px`;
}

// Where the content ends, in the slide's own units, whatever the window makes of them.
function bottom(slide, box) {
  const outer = slide.getBoundingClientRect(), inner = box.getBoundingClientRect();
  return ((inner.bottom - outer.top) / outer.width) * 1280;
}

const leaves = () => [...document.querySelectorAll(".slides section")].filter((one) => !one.querySelector("section"));

function handout() {
  const paper = document.createElement("main");
  leaves().forEach((slide, k) => {
    const pair = document.createElement("article"), sheet = document.createElement("div");
    const copy = document.createElement("div"), number = document.createElement("p");
    const notes = slide.querySelector(".notes");
    number.className = "handout-number";
    number.textContent = k + 1;
    notes?.remove();
    sheet.className = "sheet";
    copy.className = "slide";
    copy.append(...slide.childNodes);
    sheet.append(copy);
    pair.append(number, sheet);
    if (notes) pair.append(notes);
    paper.append(pair);
  });
  document.documentElement.classList.add("handout");
  document.body.replaceChildren(paper);
  return document.querySelectorAll(".sheet .slide");
}

const onPaper = location.search === "?handout";
const begin = Reveal.initialize.bind(Reveal);
Reveal.initialize = async (settings) => {
  if (!onPaper) await begin(settings);
  const slides = onPaper ? handout() : leaves();
  await document.fonts.ready;
  slides.forEach(fit);
  if (onPaper) document.querySelectorAll(".notes div.math mjx-container").forEach(squeeze);
  document.documentElement.dataset.ready = "";
};

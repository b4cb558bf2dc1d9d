// MathJax without a page (tools/website/typeset.py): LaTeX in, HTML out, in the browser's stead.
// The packages that MathJax would fetch when a formula first uses them stand in PACKAGES.
const { adaptors, handlers, input, output, mathjax, a11y } = MathJax._;
const PACKAGES = ["base", "ams", "boldsymbol", "letters"];

// \letter{7}{x} is x, and what is drawn of it has data-s="7": see symbol_marks.py. (The extension
// html of MathJax has the like, but would mark what is heard as well.)
const { Configuration, SymbolMap, NodeUtil } = MathJax._.input.tex;
new SymbolMap.CommandMap("letters", { letter: "Letter" }, {
  Letter(parser, name) {
    const key = parser.GetArgument(name);
    const node = parser.ParseArg(name);
    NodeUtil.default.setAttribute(node, "data-s", key);
    parser.Push(node);
  },
});
Configuration.Configuration.create("letters", { handler: { macro: ["letters"] } });
const unmarked = (html) => html.replace(/ data-s="\d+"/g, "");
const HEARD = /<mjx-assistive-mml.*?<\/mjx-assistive-mml>/s;
const LETTER = /\\letter\{\d+\}\{((?:[^{}]|\{[^{}]*\})*)\}/g;

const adaptor = adaptors.liteAdaptor.liteAdaptor({
  unknownCharWidth: 0.45, // of the text inside formulas, which is in the page's font: a guess
});
a11y["assistive-mml"].AssistiveMmlHandler(handlers.html_ts.RegisterHTMLHandler(adaptor));

const chtml = new output.chtml_ts.CHTML({
  font: new output.chtml.fonts.tex_ts.TeXFont({ fontURL: FONTS }),
  mtextInheritFont: true,
});
// The guess of a width must not be written down.
const { unknownText } = chtml;
chtml.unknownText = (text, variant) => unknownText.call(chtml, text, variant, null);

const page = mathjax.mathjax.document("", {
  InputJax: new input.tex_ts.TeX({
    packages: PACKAGES,
    formatError: (jax, error) => { throw error; },
  }),
  OutputJax: chtml,
});
const X_HEIGHT = chtml.font.params.x_height;

// A formula in the size of the text around it: mathematics.css scales it to that text's x-height.
function typeset(latex, display) {
  const metrics = { em: 16, ex: 16 * X_HEIGHT, containerWidth: 1280, family: "var(--mathematics-text)" };
  return adaptor.outerHTML(page.convert(latex, { display, ...metrics }));
}

// The marks may not move anything: where they would, the formula goes without.
function typesetMarked(latex, display) {
  if (!latex.match(LETTER)) return typeset(latex, display);
  const plain = typeset(latex.replace(LETTER, "$1"), display);
  const html = typeset(latex, display).replace(HEARD, unmarked);
  return unmarked(html) === plain ? html : plain;
}

const typesetAll = (formulas) => JSON.stringify(formulas.map(([latex, display]) => {
  try {
    return { html: typesetMarked(latex, display) };
  } catch (error) {
    return { error: String(error.message) };
  }
}));
const stylesheet = () => adaptor.textContent(chtml.styleSheet(page));

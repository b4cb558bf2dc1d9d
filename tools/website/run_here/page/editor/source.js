// The editor of a cell: CodeMirror with Python, in the colours of the page. Made into ../editor.js by npm run build.
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  bracketMatching, forceParsing, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree,
} from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { Decoration, EditorView, keymap, ViewPlugin } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

// The classes of Pygments, by which the page's stylesheet colours code that is not edited.
const COLOURS = HighlightStyle.define([
  { tag: t.comment, class: "c1" },
  { tag: [t.string, t.special(t.string), t.character], class: "s2" },
  { tag: t.docString, class: "sd" },
  { tag: t.escape, class: "se" },
  { tag: t.number, class: "mi" },
  { tag: [t.bool, t.null], class: "kc" },
  { tag: [t.keyword, t.controlKeyword, t.definitionKeyword], class: "k" },
  { tag: t.moduleKeyword, class: "kn" },
  { tag: t.operatorKeyword, class: "ow" },
  { tag: [t.operator, t.derefOperator, t.compareOperator, t.definitionOperator], class: "o" },
  { tag: t.self, class: "bp" },
  { tag: t.function(t.definition(t.variableName)), class: "nf" },
  { tag: t.definition(t.className), class: "nc" },
  { tag: t.meta, class: "nd" },
]);

const BUILTIN = new Set(
  ("abs all any ascii bin bool bytearray bytes callable chr classmethod complex delattr dict dir divmod enumerate eval exec "
  + "filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len list "
  + "locals map max memoryview min next object oct open ord pow print property range repr reversed round set setattr slice "
  + "sorted staticmethod str sum super tuple type vars zip").split(" "),
);
const AS_BUILTIN = Decoration.mark({ class: "nb" });

const builtins = (view) => {
  const marks = [];
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(view.state).iterate({
      from,
      to,
      enter: (node) => {
        if (node.name === "VariableName" && BUILTIN.has(view.state.sliceDoc(node.from, node.to))) {
          marks.push(AS_BUILTIN.range(node.from, node.to));
        }
      },
    });
  }
  return Decoration.set(marks);
};
const markBuiltins = ViewPlugin.fromClass(
  class {
    constructor(view) { this.decorations = builtins(view); }
    update(update) {
      const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || parsed) this.decorations = builtins(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

// The Tab key leaves the editor until something is typed, and after Escape: nobody is caught in it.
const LEAVES = ["Tab", "Shift", "Control", "Alt", "Meta", "Escape"];
const tabs = () => {
  let byPointer = false;
  return EditorView.domEventHandlers({
    pointerdown: (event, view) => {
      byPointer = true;
      view.setTabFocusMode(false);
    },
    focus: (event, view) => {
      view.setTabFocusMode(!byPointer);
      byPointer = false;
    },
    keydown: (event, view) => {
      if (!LEAVES.includes(event.key)) view.setTabFocusMode(false);
    },
  });
};

const indent = (view) => {
  const { from, empty } = view.state.selection.main;
  const line = view.state.doc.lineAt(from);
  if (!empty || !line.text.slice(0, from - line.from).trim()) return indentMore(view);
  const spaces = " ".repeat(4 - ((from - line.from) % 4));
  view.dispatch(view.state.replaceSelection(spaces), { scrollIntoView: true, userEvent: "input" });
  return true;
};

const act = (action) => () => {
  action();
  return true;
};

/**
 * An editor in `parent`. `label` and `describedBy` name it for those who listen; `changed(code)` is told of every
 * change, and `run` and `runAndMove` of the keys that ask for it.
 */
export function createEditor({ parent, code, label, describedBy, changed, run, runAndMove }) {
  const keys = [
    { key: "Shift-Enter", run: act(runAndMove) },
    { key: "Mod-Enter", run: act(run) },
    { key: "Ctrl-Enter", run: act(run) },
    { key: "Escape", run: (view) => { view.setTabFocusMode(true); return true; } },
    { key: "Tab", run: indent, shift: indentLess },
  ];
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: code,
      extensions: [
        keymap.of([...keys, ...historyKeymap, ...defaultKeymap]),
        history(),
        pythonLanguage,
        syntaxHighlighting(COLOURS),
        markBuiltins,
        bracketMatching(),
        indentOnInput(),
        indentUnit.of("    "),
        EditorState.tabSize.of(4),
        tabs(),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, "aria-describedby": describedBy }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  forceParsing(view, code.length, 100); // milliseconds: its colours are there when it is first seen
  return {
    focus: () => view.focus(),
    setCode: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    destroy: () => view.destroy(),
  };
}

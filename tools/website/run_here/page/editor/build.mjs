// Bundles source.js with CodeMirror into ../editor.js, and writes the licences of all that is in it beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const NOTICE = "editor.LICENSE.txt";

const { metafile } = await build({
  entryPoints: ["source.js"],
  outfile: "../editor.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  banner: { js: `/*! CodeMirror 6 (MIT), bundled from editor/source.js. Its licences: ${NOTICE} */` },
  metafile: true,
});

const [bundle] = Object.values(metafile.outputs);
const used = Object.keys(bundle.inputs).filter((path) => bundle.inputs[path].bytesInOutput > 0);
const packages = new Set(used.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
const byText = new Map();
for (const name of [...packages].sort()) {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
}
const parts = [...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`);
writeFileSync(`../${NOTICE}`, `What editor.js is made of.\n\n${parts.join("\n---\n\n")}`);

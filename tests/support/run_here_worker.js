// In place of the worker that runs Python: the same messages, and a few words of Python that are recognised.
// print("…"), draw(), latex(), html(), fail(), x = 1, use(x), wait() (for the test to say "go"), while True: pass
const PNG = "PNG_HERE";
const tests = new BroadcastChannel("run-here-test");
let interrupt = null;
let names = new Set();
let count = 0;
let queue = Promise.resolve();

const post = (message) => self.postMessage(message);

let gone = 0; // how often the test has said "go"
let waiting = () => {};
tests.onmessage = ({ data }) => {
  if (data !== "go") return;
  gone += 1;
  waiting();
};
const told = async () => {
  while (!gone) await new Promise((resolve) => { waiting = resolve; });
  gone -= 1;
};

async function start(data) {
  interrupt = data.interrupt && new Uint8Array(data.interrupt);
  const manifest = await (await fetch(`${data.runtime}runtime.json`)).json();
  let loaded = 0;
  const third = manifest.needed_bytes / 3; // as if so much had come before the file
  post({ type: "progress", loaded: third, total: manifest.needed_bytes, what: "Loading Python" });
  for (const name of manifest.needed) {
    const answer = await fetch(data.runtime + name);
    if (!answer.ok) return post({ type: "failed", message: `${name} is missing.` });
    loaded += (await answer.arrayBuffer()).byteLength;
    post({ type: "progress", loaded, total: manifest.needed_bytes, what: "Loading Python" });
  }
  if (new URL(self.location).searchParams.has("v") === false) return post({ type: "failed", message: "no version" });
  post({ type: "ready", versions: { python: "3.12.7", numpy: "2.0.2", gmmlib: "0.1.0" }, seconds: 1 });
}

const error = (ename, evalue) => ({
  output_type: "error", ename, evalue, traceback: ["\x1b[0;31mTraceback\x1b[0m (most recent call last)", `\x1b[0;31m${ename}\x1b[0m: ${evalue}`],
});
const display = (data) => ({ output_type: "display_data", data, metadata: {} });

async function run({ id, code }) {
  const out = (output) => post({ type: "output", id, output });
  const done = (ok) => post({ type: "done", id, ok, count: ++count });
  for (const line of code.split("\n")) {
    const printed = /^print\("(.*)"\)$/.exec(line);
    if (printed) {
      out({ output_type: "stream", name: "stdout", text: printed[1].replaceAll("\\r", "\r") });
      out({ output_type: "stream", name: "stdout", text: "\n" });
    } else if (line === "draw()") out(display({ "image/png": PNG, "text/plain": "<Figure>" }));
    else if (line === "latex()") out(display({ "text/latex": "$\\displaystyle \\frac{1}{2}$", "text/plain": "1/2" }));
    else if (line === "html()") out(display({ "text/html": '<p id="inside">of HTML</p><script>parent.foreign = 1</script><img src="https://foreign.invalid/x.png">' }));
    else if (line === "x = 1") names.add("x");
    else if (line === "use(x)" && !names.has("x")) {
      out(error("NameError", "name 'x' is not defined"));
      return done(false);
    } else if (line === "fail()") {
      out(error("ValueError", "no such thing: 7"));
      return done(false);
    } else if (line === "wait()") await told();
    else if (line === "while True: pass") {
      while (!interrupt || interrupt[0] !== 2);
      out(error("KeyboardInterrupt", ""));
      return done(false);
    }
  }
  done(true);
}

self.onmessage = ({ data }) => { queue = queue.then(() => (data.type === "start" ? start(data) : run(data))); };

// Python in a worker. The messages are those of worker.js: start, run; progress, ready, output, clear, done, failed.

const INTERRUPT = 2; // what Python looks for in the interrupt buffer: SIGINT

/** Python was ended while something waited for it. */
export class Ended extends Error {}

export class Kernel {
  #worker = null;
  #interrupt = null;
  #run = null; // {id, output, clear, resolve, reject}, the one that is under way
  #ids = 0;
  #reject = () => {}; // while it starts

  /** Resolves to the versions when Python is ready. `progress` is told {loaded, total, what}. */
  start({ script, runtime, page, progress }) {
    const shared = globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer;
    this.#interrupt = shared ? new SharedArrayBuffer(4) : null;
    this.#worker = new Worker(script, { type: "module" });
    return new Promise((resolve, reject) => {
      const failed = (message) => {
        this.end(message);
        reject(new Ended(message));
      };
      this.#reject = reject;
      this.#worker.onerror = (event) => {
        event.preventDefault();
        failed(event.message || "The worker that runs Python could not be loaded.");
      };
      this.#worker.onmessage = ({ data }) => {
        if (data.type === "progress") progress(data);
        else if (data.type === "ready") resolve(data.versions);
        else if (data.type === "failed") failed(data.message);
        else this.#answer(data);
      };
      this.#worker.postMessage({ type: "start", runtime, page, interrupt: this.#interrupt });
    });
  }

  #answer(data) {
    const run = this.#run;
    if (!run || data.id !== run.id) return;
    if (data.type === "output") run.output(data.output);
    else if (data.type === "clear") run.clear(data.wait);
    else if (data.type === "done") {
      this.#run = null;
      run.resolve({ ok: data.ok, count: data.count });
    }
  }

  /** Resolves to {ok, count}; `on.output` and `on.clear` are told of what comes in the meantime. One at a time. */
  run(code, tags, on) {
    if (!this.#worker) return Promise.reject(new Ended("Python has ended."));
    const id = ++this.#ids;
    if (this.#interrupt) new Uint8Array(this.#interrupt)[0] = 0;
    return new Promise((resolve, reject) => {
      this.#run = { id, resolve, reject, ...on };
      this.#worker.postMessage({ type: "run", id, code, tags });
    });
  }

  /** Whether Python can be asked to stop, and keep its variables. */
  get canInterrupt() {
    return this.#interrupt !== null;
  }

  interrupt() {
    new Uint8Array(this.#interrupt)[0] = INTERRUPT;
  }

  /** End Python. Its variables are gone. */
  end(message = "Python was ended.") {
    this.#worker?.terminate();
    this.#worker = null;
    const run = this.#run;
    this.#run = null;
    run?.reject(new Ended(message));
    this.#reject(new Ended(message));
  }
}

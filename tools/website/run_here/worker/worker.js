/* Python in a worker: it loads the runtime of this site, and runs cells one after the other.
 *
 * From the page:   {type: "start", runtime, page, interrupt}
 *                  {type: "run", id, code, tags}
 * To the page:     {type: "progress", loaded, total, what}
 *                  {type: "ready", versions, seconds, memory}
 *                  {type: "output", id, output}    an output as nbformat 4 has it
 *                  {type: "clear", id, wait}       IPython's clear_output
 *                  {type: "done", id, ok, count, memory}
 *                  {type: "failed", message, lacksMemory}   nothing can be run any more
 *
 * `runtime` is the address of the folder _static/runtime/; `page`, the chapter's name, makes no
 * difference yet; `interrupt` is a SharedArrayBuffer or null. Without one, who wants to stop a cell
 * ends the worker. `memory` is how many bytes Python's memory takes. It runs as a module:
 * new Worker(address, {type: "module"}).
 */

const fetchFromNetwork = self.fetch.bind(self);

let root = ""; // the address of the folder runtime/
let manifest = null;
let python = null; // Pyodide
let kernel = null; // kernel.py
let broken = "";
let queue = Promise.resolve();

self.onmessage = ({ data }) => {
    const task = { start, run }[data.type];
    if (task) queue = queue.then(() => task(data));
};

const post = (message) => self.postMessage(message);
const memory = () => python?._module.HEAP8?.length ?? 0;

// --- what is loaded -----------------------------------------------------------------------------

class Missing extends Error {}

/** Fetches files of the runtime, all at once, and tells how much has come. */
class Loading {
    constructor(names, what) {
        const sizes = new Map(manifest.files.map((file) => [file.name, file.bytes]));
        this.what = what;
        this.loaded = 0;
        this.total = names.reduce((sum, name) => sum + sizes.get(name), 0);
        this.told = -Infinity;
        this.failed = new Promise((resolve, reject) => { this.fail = reject; });
        this.failed.catch(() => {}); // whoever waits for it hears of it
        this.files = new Map(names.map((name) => {
            const content = this.content(root + name, sizes.get(name));
            content.catch(this.fail);
            return [root + name, content];
        }));
        this.tell();
    }

    async content(address, bytes) {
        const name = address.split("/").pop();
        let response;
        try {
            response = await fetchFromNetwork(address);
        } catch {
            throw new Missing(`${name} could not be loaded. Is this device offline?`);
        }
        if (!response.ok) throw new Missing(`This site has no ${name} (status ${response.status}).`);
        const parts = [];
        for (const reader = response.body.getReader(); ;) {
            const { done, value } = await reader.read().catch(() => {
                throw new Missing(`The connection was lost while ${name} was loaded.`);
            });
            if (done) break;
            parts.push(value);
            this.loaded += value.length;
            this.tell();
        }
        const blob = new Blob(parts, { type: response.headers.get("Content-Type") || "" });
        if (blob.size !== bytes) {
            throw new Missing(`${name} has ${blob.size} bytes and should have ${bytes}.`);
        }
        return blob;
    }

    tell(what = this.what) {
        const now = performance.now();
        if (what === this.what && this.loaded < this.total && now - this.told < 100) return;
        this.told = now;
        this.what = what;
        post({ type: "progress", loaded: this.loaded, total: this.total, what });
    }

    /** In place of fetch: the file is given once, and then forgotten. */
    async give(address) {
        const content = this.files.get(address);
        this.files.delete(address);
        const type = address.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
        return new Response(await content, { headers: { "Content-Type": type } });
    }
}

async function loadPackages(names, loading) {
    const failures = [];
    await served(loading, () => python.loadPackage(names, {
        messageCallback: () => {},
        errorCallback: (message) => failures.push(message),
    }));
    if (failures.length) throw new Missing(failures.join(" "));
}

/** While the task runs, its files come from `loading`. It ends where one of them cannot be had:
 *  Pyodide itself would wait for ever, or say it in its own words. */
async function served(loading, task) {
    const before = self.fetch;
    self.fetch = (resource, options) => {
        const address = String(resource.url || resource);
        if (loading.files.has(address)) return loading.give(address);
        return fetchFromNetwork(resource, options);
    };
    try {
        return await Promise.race([task(), loading.failed]);
    } finally {
        self.fetch = before;
    }
}

async function readManifest() {
    let response;
    try {
        response = await fetchFromNetwork(`${root}runtime.json`, { cache: "no-cache" });
    } catch {
        throw new Missing("Nothing could be loaded. Is this device offline?");
    }
    if (!response.ok) throw new Missing(`This site has no runtime.json (status ${response.status}).`);
    return response.json();
}

// --- start --------------------------------------------------------------------------------------

async function start({ runtime, interrupt }) {
    const began = performance.now();
    try {
        root = runtime;
        manifest = await readManifest();
        const base = root + manifest.folder;
        // a script comes by import, which asks the browser's own cache
        const script = /\.m?js$/;
        const files = manifest.needed.filter((name) => !script.test(name));
        const loading = new Loading(files, "Loading Python and its packages");
        tellOfFailure(loading.fail);
        await served(loading, async () => {
            const { loadPyodide } = await import(`${base}pyodide.mjs`).catch(() => {
                throw new Missing("This site has no pyodide.mjs.");
            });
            python = await loadPyodide({ indexURL: base, lockFileURL: root + manifest.lock });
            await loadPackages(manifest.packages, loading);
            const book = await (await self.fetch(root + manifest.book)).arrayBuffer();
            loading.tell("Starting Python");
            await startKernel(book);
        });
        if (interrupt) python.setInterruptBuffer(new Uint8Array(interrupt));
        const seconds = (performance.now() - began) / 1000;
        post({ type: "ready", versions: JSON.parse(kernel.versions()), seconds, memory: memory() });
    } catch (error) {
        fail(error);
    }
}

/** Pyodide waits for ever where the browser cannot make a program of its file. */
function tellOfFailure(fail) {
    const instantiate = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...given) => {
        WebAssembly.instantiateStreaming = instantiate;
        try {
            return await instantiate.call(WebAssembly, ...given);
        } catch (error) {
            fail(error);
            throw error;
        }
    };
}

async function startKernel(book) {
    const home = python.FS.cwd();
    python.unpackArchive(book, "zip", { extractDir: home });
    const address = new URL("kernel.py", self.location.href);
    const source = await (await fetchFromNetwork(address, { cache: "no-cache" })).text();
    python.FS.writeFile(`${home}/run_here_kernel.py`, source);
    kernel = python.pyimport("run_here_kernel");
    kernel.start((text) => post(JSON.parse(text)));
}

function fail(error) {
    const said = String((error && error.message) || error);
    const lacking = error instanceof RangeError || /memory/i.test(said);
    let message = `Python ${kernel ? "has stopped" : "could not be started"}: ${said}`;
    if (lacking) message = "This device has not enough free memory to run Python in a page.";
    if (error instanceof Missing) message = `Python could not be loaded. ${said}`;
    broken = message;
    post({ type: "failed", message, lacksMemory: lacking });
}

// --- run ----------------------------------------------------------------------------------------

async function run({ id, code }) {
    if (broken || !kernel) {
        post({ type: "done", id, ok: false, count: null, memory: memory() });
        return;
    }
    try {
        await loadImported(id, code);
        const { ok, count } = JSON.parse(await kernel.run(id, code));
        post({ type: "done", id, ok, count, memory: memory() });
    } catch (error) { // not the cell's own errors, which are outputs: Python itself has ended
        fail(error);
        post({ type: "done", id, ok: false, count: null, memory: memory() });
    }
}

/** Packages that only some chapters need. */
async function loadImported(id, code) {
    const { modules, packages } = manifest.later;
    if (!kernel.lacks(code, JSON.stringify(modules))) return;
    const files = manifest.files.map((file) => file.name)
        .filter((name) => !manifest.needed.includes(name));
    try {
        await loadPackages(packages, new Loading(files, `Loading ${packages[0]}`));
        kernel.settle();
    } catch (error) {
        if (!(error instanceof Missing)) throw error;
        const output = { output_type: "stream", name: "stderr", text: `${error.message}\n` };
        post({ type: "output", id, output }); // and the cell says what it misses
    }
}

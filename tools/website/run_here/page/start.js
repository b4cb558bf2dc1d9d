// The button *Run this page*, and the panel that says what will happen. What runs the page is loaded when the reader
// agrees (room.js). Sources: tools/website/run_here/page.
(() => {
  const button = document.querySelector("button.run-here");
  if (!button) return;
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const address = (path) => new URL(path, root).href;
  const { page, version } = button.dataset;
  const prefix = `run-here ${root.pathname}${page} `; // of what localStorage keeps for this page
  const LEAST_MEMORY = 2; // GB, as far as a browser tells

  const keptChanges = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).length;
    } catch {
      return 0;
    }
  };
  const cells = (count) => `${count} cell${count === 1 ? "" : "s"}`;
  const megabytes = (bytes) => `${Math.max(1, Math.round(bytes / 1e6))} MB`;

  const showKept = () => {
    const count = keptChanges();
    button.querySelector(".run-kept").textContent = count ? ` · ${count} changed` : "";
    button.setAttribute("aria-label", count ? `Run this page · ${count} changed` : "Run this page");
    button.title = count ? `Your changes to ${cells(count)} are kept` : "Run the code of this page in the browser";
  };

  // --- what there is to say before anything is loaded ---

  const obstacle = () => {
    if (location.protocol === "file:") {
      return "This page was opened as a file, and browsers let no program run from there. Open the book from a web server: in its folder, make serve starts one.";
    }
    if (!window.Worker || !window.WebAssembly || !window.HTMLDialogElement) {
      return "This browser cannot run Python. A current version of Firefox, Chrome, Edge or Safari can.";
    }
    if (navigator.deviceMemory < LEAST_MEMORY) {
      return `Python with its libraries needs more memory than this device has (it says ${navigator.deviceMemory} GB). You can read on as before, and run the page on a larger one.`;
    }
    return "";
  };

  const isHere = async (manifest) => {
    if (!window.caches) return false;
    const name = `run-here ${root.pathname} ${manifest.version}`; // as in run-cache.js
    if (!(await caches.has(name))) return false;
    const cache = await caches.open(name);
    const found = await Promise.all(manifest.needed.map((file) => cache.match(address(`_static/runtime/${file}`))));
    return found.every(Boolean);
  };

  const offer = async () => {
    const answer = await fetch(address("_static/runtime/runtime.json"), { cache: "no-cache" });
    if (!answer.ok) throw new Error(`runtime.json: status ${answer.status}`);
    const manifest = await answer.json();
    const here = await isHere(manifest);
    const loaded = here
      ? "All that it needs is here already: nothing is loaded."
      : `The first time, ${megabytes(manifest.needed_bytes)} are loaded from this site` +
        (navigator.serviceWorker ? ", once; they are kept in your browser, and work offline." : ".");
    const count = keptChanges();
    const said = ["Python runs in this page, and you can change its code.", loaded, "Nothing leaves your device."];
    if (count) said.push(`Your changes to ${cells(count)} come back.`);
    return { manifest, said };
  };

  // --- the panel ---

  const element = (name, attributes, ...children) => {
    const node = Object.assign(document.createElement(name), attributes);
    node.append(...children);
    return node;
  };

  const style = () =>
    new Promise((resolve) => {
      if (document.querySelector("link.run-style")) return resolve();
      const link = element("link", { rel: "stylesheet", className: "run-style", href: address(`_static/run/run.css?v=${version}`) });
      link.onload = link.onerror = resolve;
      document.head.append(link);
    });

  const panel = () => {
    const text = element("div", { className: "run-said" });
    const notNow = element("button", { type: "button", className: "run-button", textContent: "Not now" });
    const start = element("button", { type: "button", className: "run-button run-first", textContent: "Start", hidden: true });
    const heading = element("h2", { id: "run-panel-title", textContent: "Run this page" });
    const dialog = element("dialog", { className: "run-panel" }, heading, text, element("div", { className: "run-row" }, start, notNow));
    dialog.setAttribute("aria-labelledby", heading.id);
    notNow.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    const say = (...lines) => text.replaceChildren(...lines.map((line) => element("p", { textContent: line })));
    return { dialog, start, notNow, say };
  };

  let room = null; // while the page runs

  const begin = async (manifest) => {
    const { open } = await import(address(`_static/run/room.js?v=${version}`));
    button.hidden = true;
    const closed = () => {
      room = null;
      button.hidden = false;
      showKept();
      button.focus();
    };
    room = open({ root: root.href, page, prefix, version, manifest, closed });
  };

  const ask = async () => {
    await style();
    const { dialog, start, notNow, say } = panel();
    dialog.showModal();
    const why = obstacle();
    if (why) {
      notNow.textContent = "Close";
      return say(why);
    }
    say("Looking at what has to be loaded …");
    try {
      const { manifest, said } = await offer();
      say(...said);
      start.hidden = false;
      start.focus();
      start.addEventListener("click", () => {
        dialog.close();
        begin(manifest).catch((error) => failed(error));
      });
    } catch (error) {
      notNow.textContent = "Close";
      say("The files that run Python could not be loaded from this site. Are you online? Then try again later.", String(error.message));
    }
  };

  const failed = (error) => {
    const { dialog, notNow, say } = panel();
    notNow.textContent = "Close";
    say("The page could not be made to run. It stays as it is.", String(error.message));
    dialog.showModal();
  };

  button.addEventListener("click", () => {
    if (!room && !document.querySelector("dialog.run-panel")) ask();
  });
  showKept();
})();

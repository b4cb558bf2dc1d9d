// A page that was run once works offline: run-cache.js, a service worker for this site alone, keeps what it needs.

const PATIENCE = 4000; // milliseconds that it may take to be there; without it, the page runs as well

/** Ask the service worker to keep this page. Resolves when it watches what is loaded from now on, or cannot. */
export async function keepOffline(root, manifest) {
  if (!navigator.serviceWorker || !window.caches) return;
  try {
    const scope = new URL(root).pathname;
    const registered = await navigator.serviceWorker.register(new URL("run-cache.js", root), { scope });
    if (registered) await Promise.race([watched(manifest), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  } catch {
    // private windows, for one, have none
  }
}

async function watched(manifest) {
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage({ type: "keep", version: manifest.version, addresses: loaded() });
  if (navigator.serviceWorker.controller) return;
  await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
}

/** What this page has loaded from its own host. */
function loaded() {
  const names = performance.getEntriesByType("resource").map((entry) => entry.name);
  const all = [location.href, ...names].map((name) => name.split("#")[0]);
  return [...new Set(all)].filter((name) => name.startsWith(location.origin));
}

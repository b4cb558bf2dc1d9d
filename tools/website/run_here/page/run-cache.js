// The service worker of *Run this page*: what a page needs to run is kept, and the site is read offline from what was
// kept. It answers for its own site only (its scope), and everything else goes past it.

const SCOPE = new URL(self.registration.scope);
const PREFIX = `run-here ${SCOPE.pathname} `; // and the version of the runtime; start.js looks there
const RUNTIME = new URL("_static/runtime/", SCOPE).pathname;
const MANIFEST = `${RUNTIME}runtime.json`;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const names = async () => (await caches.keys()).filter((name) => name.startsWith(PREFIX));

/** The cache in use: one for a version of the runtime, with the pages that were read beside it. */
const current = async () => {
  const [name] = await names();
  return name ? caches.open(name) : null;
};

/** A new version has a new cache, and the old ones go. */
const use = async (version) => {
  const name = PREFIX + version;
  const cache = await caches.open(name);
  for (const other of await names()) if (other !== name) await caches.delete(other);
  return cache;
};

const keep = async (cache, request, answer) => {
  if (cache && answer.status === 200) await cache.put(request, answer.clone()).catch(() => {}); // no room: so be it
  return answer;
};

/** The files of the runtime do not change within a version. */
const fromCache = async (request) => {
  const cache = await current();
  const found = await cache?.match(request);
  return found ?? keep(cache, request, await fetch(request, { cache: "no-cache" }));
};

const fromNetwork = async (request) => {
  try {
    const answer = await fetch(request);
    const { pathname } = new URL(request.url);
    if (pathname === MANIFEST && answer.ok) return keep(await use((await answer.clone().json()).version), request, answer);
    return await keep(await current(), request, answer);
  } catch (error) {
    const cache = await current();
    const found = (await cache?.match(request)) ?? (await cache?.match(request, { ignoreSearch: true }));
    if (found) return found;
    throw error;
  }
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== SCOPE.origin || !pathname.startsWith(SCOPE.pathname)) return;
  const isRuntime = pathname.startsWith(RUNTIME) && pathname !== MANIFEST;
  event.respondWith(isRuntime ? fromCache(request) : fromNetwork(request));
});

/** What a page had loaded before this watched it. */
self.addEventListener("message", (event) => {
  const { type, version, addresses } = event.data;
  if (type !== "keep") return;
  const all = async () => {
    const cache = await use(version);
    const manifest = await fetch(MANIFEST).catch(() => null);
    if (manifest?.ok) await cache.put(MANIFEST, manifest);
    const inside = addresses.filter((address) => address.startsWith(SCOPE.href) && !address.startsWith(SCOPE.origin + RUNTIME));
    for (const address of inside) {
      if (!(await cache.match(address))) await cache.add(address).catch(() => {}); // one that is missing
    }
  };
  event.waitUntil(all());
});

/// <reference lib="webworker" />

/*
 * The service worker: serves the page without a network. A version of the page stays as it is until the user loads the
 * next one. Images and the flasher are kept once they have been fetched.
 */

declare const self: ServiceWorkerGlobalScope;

const CURRENT = `page-${PAGE.version}`;
/** What is kept once it is fetched; its files have names of their own for each version. */
const FETCHED = "fetched";
/** Fetched anew whenever there is a network. */
const IMAGE_INDEX = "images/index.json";

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", ({ data }) => {
  if (data === "activate") void self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(self.registration.scope)) event.respondWith(answer(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(CURRENT);
  // Past the browser's own cache, which may have files of the version before.
  await cache.addAll(PAGE.files.map((file) => new Request(file, { cache: "reload" })));
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name !== CURRENT && name !== FETCHED);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CURRENT);
  // An address of the page carries its settings.
  const kept = await cache.match(request.mode === "navigate" ? pathOf(request) : request, { ignoreSearch: true });
  if (kept) return kept;
  const fetched = await caches.open(FETCHED);
  const path = request.url.slice(self.registration.scope.length);
  if (path === IMAGE_INDEX) return fetchFirst(request, fetched);
  return (await fetched.match(request)) ?? fetchAndKeep(request, fetched);
}

/** "./" and "index.html" are the same file. */
function pathOf({ url }: Request): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/index\.html$/, "/");
}

async function fetchFirst(request: Request, cache: Cache): Promise<Response> {
  try {
    return await fetchAndKeep(request, cache);
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}

async function fetchAndKeep(request: Request, cache: Cache): Promise<Response> {
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

export {};

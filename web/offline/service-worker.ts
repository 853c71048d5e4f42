import { signal } from "@preact/signals";

/**
 * unsupported: the browser has no service workers here. off: nothing is kept. kept: the page
 * works offline. update: it does, and another version is ready.
 */
export type OfflineState = "unsupported" | "off" | "kept" | "update";

export const offline = signal<OfflineState>("unsupported");

const FILE = "./service-worker.js";
let registration: ServiceWorkerRegistration | undefined;
let isUpdating = false;

/**
 * Keeps the page for offline use, unless it comes from this computer: what a developer has built must not be hidden by a
 * version of before. There the user is asked.
 */
export async function startOffline(): Promise<void> {
  // Some browsers have no service workers in private windows, and none has them without https.
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (isUpdating) location.reload();
  });
  try {
    const before = await navigator.serviceWorker.getRegistration("./");
    if (before) follow(before);
    else if (isLocal()) offline.value = "off";
    else await keepOffline();
  } catch {
    offline.value = "unsupported";
  }
}

/** Downloads what the page needs offline. */
export async function keepOffline(): Promise<void> {
  follow(await navigator.serviceWorker.register(FILE));
}

/** Deletes what was kept. */
export async function forgetOffline(): Promise<void> {
  await registration?.unregister();
  for (const name of await caches.keys()) await caches.delete(name);
  offline.value = "off";
}

/** Loads the next version; the training is saved as with every reload. */
export function update(): void {
  isUpdating = true;
  registration?.waiting?.postMessage("activate");
}

function isLocal(): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
}

function follow(present: ServiceWorkerRegistration): void {
  registration = present;
  const show = (): void => {
    if (present.waiting && present.active) offline.value = "update";
    else if (present.active) offline.value = "kept";
    else offline.value = "off";
  };
  const watch = (): void => present.installing?.addEventListener("statechange", show);
  present.addEventListener("updatefound", watch);
  watch();
  present.waiting?.addEventListener("statechange", show);
  show();
}

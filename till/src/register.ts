/** The service worker: the till opens without the network. A new version waits until somebody reloads. */

import { signal } from "@preact/signals";

const WORKER = "/caja/sw.js";
const EVERY_MS = 3_600_000;

export const updateReady = signal(false);
let waitingWorker: ServiceWorker | null = null;

function offer(worker: ServiceWorker | null): void {
  if (worker !== null && navigator.serviceWorker.controller !== null) {
    waitingWorker = worker;
    updateReady.value = true;
  }
}

export async function registerWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    return;
  }
  const registration = await navigator.serviceWorker.register(WORKER, { scope: "/caja/" });
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => {
      if (coming.state === "installed") {
        offer(coming);
      }
    });
  });
  window.setInterval(() => {
    if (navigator.onLine) {
      void registration.update();
    }
  }, EVERY_MS);
}

/** Take the new version: nothing is lost by the reload, everything is on the device. */
export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => window.location.reload(), { once: true });
  waitingWorker?.postMessage({ type: "SKIP_WAITING" });
}

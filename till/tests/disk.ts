/** A disk that outlives the tabs, and can be full; and a browser that can die between any two steps. */

import { IDBObjectStore } from "fake-indexeddb";
import "fake-indexeddb/auto";

let budget = Number.POSITIVE_INFINITY;
/** How many steps the tab still takes before it dies. */
export function dieAfter(steps: number): void {
  budget = steps;
}
export function isDead(): boolean {
  return budget < 0;
}
/** One step of the tab. A dead tab goes no further: nothing it waits for ever comes. */
export function lives(): boolean {
  budget -= 1;
  return budget >= 0;
}
export const NEVER = new Promise<never>(() => {});

interface Inside {
  _requests: { request: EventTarget }[];
}

/** A browser that dies in a transaction: nothing of it is on the disk, and nobody hears of it. */
function cutOff(store: IDBObjectStore): void {
  const { transaction } = store;
  if (Object.hasOwn(transaction, "dispatchEvent")) {
    return;
  }
  const mute = { value: () => true };
  for (const { request } of (transaction as unknown as Inside)._requests) {
    Object.defineProperty(request, "dispatchEvent", mute);
  }
  Object.defineProperty(transaction, "dispatchEvent", mute);
  Object.defineProperty(transaction, "objectStore", { configurable: true, value: () => store });
  transaction.abort();
}

type Write = "add" | "put" | "delete" | "get" | "getAll";
let full: Write | null = null;
/** The next write of this kind finds the disk full; `always`: each one. */
let fullTimes = 0;
export function fillDisk(write: Write, times: number): void {
  full = write;
  fullTimes = times;
}

for (const name of ["add", "put", "delete", "get", "getAll"] as const) {
  const plain = IDBObjectStore.prototype[name] as (...args: unknown[]) => IDBRequest;
  Object.defineProperty(IDBObjectStore.prototype, name, {
    configurable: true,
    value(this: IDBObjectStore, ...args: unknown[]): unknown {
      if (!lives()) {
        cutOff(this);
        return NEVER;
      }
      if (full === name && fullTimes > 0 && this.name === "ventas") {
        fullTimes -= 1;
        queueMicrotask(() => this.transaction.abort());
        return Promise.reject(new DOMException("full", "QuotaExceededError"));
      }
      return plain.apply(this, args);
    },
  });
}

/** The next tab lives, and there is room again. */
export function mendDisk(): void {
  budget = Number.POSITIVE_INFINITY;
  full = null;
  fullTimes = 0;
}

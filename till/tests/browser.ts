/** What a browser has and Node has not: enough of it for these tests. */

import "fake-indexeddb/auto";
import { vi } from "vitest";

type Release = () => void;

/** Web Locks of one page: exclusive, granted in turn. */
class Locks {
  private readonly queues = new Map<string, Release[]>();

  async request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as (lock: { name: string } | null) => unknown;
    const options = (rest.length > 1 ? rest[0] : {}) as { ifAvailable?: boolean; signal?: AbortSignal };
    const queue = this.queues.get(name);
    if (queue === undefined) {
      this.queues.set(name, []);
    } else if (options.ifAvailable) {
      return await work(null);
    } else {
      await new Promise<void>((grant, refuse) => {
        queue.push(grant);
        options.signal?.addEventListener("abort", () => {
          if (queue.includes(grant)) {
            queue.splice(queue.indexOf(grant), 1);
            refuse(options.signal?.reason);
          }
        });
      });
    }
    try {
      return await work({ name });
    } finally {
      this.release(name);
    }
  }

  private release(name: string): void {
    const next = this.queues.get(name)?.shift();
    if (next === undefined) {
      this.queues.delete(name);
    } else {
      next();
    }
  }

  async query(): Promise<{ held: { name: string }[] }> {
    return { held: [...this.queues.keys()].map((name) => ({ name })) };
  }

  /** A page goes: its lock is the next one's after a while. */
  handOver(name: string, afterMs: number): void {
    setTimeout(() => this.release(name), afterMs);
  }

  /** A tab ends: whatever it held is free. */
  forget(name: string): void {
    this.queues.delete(name);
  }
}

class Kept {
  private readonly items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

export const locks = new Locks();
vi.stubGlobal("navigator", { locks, language: "es-MX" });
vi.stubGlobal("localStorage", new Kept());
vi.stubGlobal("sessionStorage", new Kept());
vi.stubGlobal("document", Object.assign(new EventTarget(), { cookie: "csrftoken=abc", visibilityState: "visible" }));
vi.stubGlobal("HTMLInputElement", class extends EventTarget {});
vi.stubGlobal("window", globalThis);

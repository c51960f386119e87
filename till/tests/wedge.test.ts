import { beforeEach, expect, it } from "vitest";
import "./browser";
import { listenForScans } from "../src/wedge";

let page: EventTarget;
let now: number;
let stop: () => void;
let scans: string[];

/** Type keys, so many milliseconds apart. Returns the last event. */
function press(keys: readonly string[], apart: number, some: object = {}): Event {
  let event = new Event("keydown");
  for (const key of keys) {
    now += apart;
    event = new Event("keydown", { cancelable: true });
    Object.defineProperties(event, { timeStamp: { value: now } });
    page.dispatchEvent(Object.assign(event, { key, ctrlKey: false, altKey: false, metaKey: false, ...some }));
  }
  return event;
}
const scan = (code: string) => press([...code, "Enter"], 8);

beforeEach(() => {
  stop?.();
  page = new EventTarget();
  now = 1_000;
  scans = [];
  Object.assign(globalThis, {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  });
  stop = listenForScans((code) => scans.push(code) > 0 && code !== "REF123");
});

it("hears a scanner, and keeps its Enter to itself", () => {
  expect(scan("7501055300075").defaultPrevented).toBe(true);
  scan("LECHE-1");
  expect(scans).toEqual(["7501055300075", "LECHE-1"]);
});

it("leaves the Enter of a code that is not taken to the field", () => {
  expect(scan("REF123").defaultPrevented).toBe(false);
  expect(scans).toEqual(["REF123"]);
});

it("takes no hand for a scanner", () => {
  expect(press([..."7501055300075", "Enter"], 60).defaultPrevented).toBe(false);
  expect(scans).toEqual([]);
});

it("leaves out what a hand typed before, and waits for no late Enter", () => {
  press(["3", "*"], 120);
  now += 200;
  scan("7501055300075");
  press([..."7501055300075"], 8);
  press(["Enter"], 300);
  expect(scans).toEqual(["7501055300075"]);
});

it("hears capitals, and no shortcut or short word", () => {
  press(["Shift", "A", "Shift", "B", "1", "2", "Enter"], 5);
  press([..."abcd", "Enter"], 5, { ctrlKey: true });
  scan("12");
  expect(scans).toEqual(["AB12"]);
});

it("is silent when it is stopped", () => {
  stop();
  scan("7501055300075");
  expect(scans).toEqual([]);
});

/** A scanner is a keyboard that types fast: its codes are told from a person's typing, wherever the focus is. Some end a
 * code with Enter, some with Tab. */

const FASTEST_HAND_MS = 35;
const SHORTEST = 4;
const LONGEST = 64;

function isTyping(event: KeyboardEvent): boolean {
  return event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
}

/**
 * Call `onScan` with each code that a scanner typed; true where it took it: the Enter then goes nowhere else.
 * Returns how to stop.
 */
export function listenForScans(onScan: (code: string) => boolean): () => void {
  let code = "";
  let last = 0;
  const end = (event: KeyboardEvent, quick: boolean) => {
    const scanned = quick && code.length >= SHORTEST ? code : null;
    code = "";
    if (scanned !== null && onScan(scanned)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const hear = (event: KeyboardEvent) => {
    const quick = event.timeStamp - last < FASTEST_HAND_MS;
    last = event.timeStamp;
    if (event.key === "Enter" || event.key === "Tab") {
      end(event, quick);
    } else if (isTyping(event)) {
      code = quick ? (code + event.key).slice(-LONGEST) : event.key;
    } else if (event.key !== "Shift") {
      code = "";
    }
  };
  window.addEventListener("keydown", hear, { capture: true });
  return () => window.removeEventListener("keydown", hear, { capture: true });
}

/** The box always has the focus: what is typed anywhere lands in it. */

const BOX = "caja-box";
const TAKES_TEXT = "input, textarea, select, [contenteditable]";

export const BOX_ID = BOX;

const isCovered = () => document.querySelector("dialog[open]") !== null;
const field = () => document.querySelector<HTMLElement>("input[data-takes-focus]");
const box = () => document.getElementById(BOX);

/** Give the focus to what Enter is for: a payment's own field, else what asks for an answer, else the box. */
export function giveBack(): void {
  if (!isCovered()) {
    (field() ?? document.querySelector<HTMLElement>("[data-takes-focus]") ?? box())?.focus();
  }
}

/** Send typing that has no field of its own to the box. */
export function keepFocus(): void {
  window.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const types = event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
    const onControl = event.key === " " && target.closest("button, a, summary") !== null;
    if (types && !onControl && !target.matches(TAKES_TEXT) && !isCovered()) {
      (field() ?? box())?.focus(); // the key's character then lands there
    }
  });
  document.addEventListener("pointerup", (event) => {
    const target = event.target as HTMLElement;
    if (event.pointerType === "mouse" && target.closest(`${TAKES_TEXT}, dialog`) === null) {
      giveBack(); // also from a button: Enter is never pressed on the one that the mouse was on last
    }
  });
}

/** Every key that does something: one table, which the help shows too. */

import { tinykeys } from "tinykeys";
import { removeLinea, undoRemove } from "./cart";
import { giveBack } from "./focus";
import type { TextKey } from "./i18n";
import { parkCart } from "./parked";
import { cancelPayment, choosePart, type Manner, manner, openPayment } from "./payment";
import { reprintLast } from "./printing";
import { cart, dialog, lastSale, paying, selected, session } from "./state";
import { canScanByCamera } from "./views/camera";

export interface Shortcut {
  /** As tinykeys has them; none where the box sees to it itself. */
  readonly keys: readonly string[];
  /** As a person reads it on a Spanish keyboard. */
  readonly shown: string;
  readonly text: TextKey;
  readonly run?: () => void;
}

/** Choose how it is paid; within a mixed payment, how its next part is. */
function pay(kind: Manner): void {
  if (paying.value && manner.value === "MIXTO" && kind !== "MIXTO") {
    choosePart(kind);
    giveBack();
  } else {
    openPayment(kind);
  }
}

function back(): void {
  if (paying.value) {
    cancelPayment();
  } else {
    lastSale.value = null;
  }
  giveBack();
}

async function park(): Promise<void> {
  if (!paying.value && !(await parkCart())) {
    dialog.value = { kind: "parked" };
  }
}

function showParked(): void {
  if (!paying.value) {
    dialog.value = { kind: "parked" };
  }
}

/** Into the list beside the cart; where there is no room for it, over the screen. */
function lastSales(): void {
  const first = document.querySelector<HTMLElement>(".sales button");
  if (first?.checkVisibility()) {
    first.focus();
  } else {
    dialog.value = { kind: "sales" };
  }
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: [], shown: "3*", text: "helpMultiply" },
  { keys: [], shown: "Enter", text: "helpEnter" },
  { keys: [], shown: "↑ ↓", text: "helpArrows" },
  { keys: [], shown: "+ −", text: "helpOneMore" },
  { keys: ["F2"], shown: "F2", text: "cash", run: () => pay("EFECTIVO") },
  { keys: ["F3"], shown: "F3", text: "card", run: () => pay("TARJETA") },
  { keys: ["F4"], shown: "F4", text: "transfer", run: () => pay("TRANSFERENCIA") },
  { keys: ["F6"], shown: "F6", text: "mixed", run: () => pay("MIXTO") },
  { keys: ["F7"], shown: "F7", text: "park", run: () => void park() },
  { keys: ["F8"], shown: "F8", text: "parkedCarts", run: showParked },
  {
    keys: ["F9"],
    shown: "F9",
    text: "helpSales",
    run: lastSales,
  },
  {
    keys: ["F10"],
    shown: "F10",
    text: "camera",
    run: () => {
      if (canScanByCamera.value) {
        dialog.value = { kind: "camera" };
      }
    },
  },
  {
    keys: ["Delete"],
    shown: "Supr",
    text: "removeLine",
    run: () => {
      if (!paying.value && selected.value !== null) {
        removeLinea(selected.value);
      }
    },
  },
  { keys: ["Control+z"], shown: "Ctrl Z", text: "helpUndo", run: () => undoRemove() },
  { keys: ["Control+p"], shown: "Ctrl P", text: "helpReprint", run: () => void reprintLast() },
  { keys: ["Escape"], shown: "Esc", text: "helpEsc", run: back },
  { keys: ["?", "Shift+?"], shown: "?", text: "helpHelp", run: () => (dialog.value = { kind: "help" }) },
];

/** With a dialog open its own keys count alone; in a field that holds text, Supr and Ctrl Z are the field's. */
function isFree(event: KeyboardEvent): boolean {
  const field = event.target instanceof HTMLInputElement && event.target.value !== "";
  const fields = field && (event.key === "Delete" || event.key === "z" || event.key === "?");
  return (
    !fields &&
    dialog.value === null &&
    cart.value !== null &&
    (session.value === "open" || session.value === "ended") &&
    document.querySelector("dialog[open]") === null
  );
}

export function bindShortcuts(): void {
  const bindings: Record<string, (event: KeyboardEvent) => void> = {};
  for (const { keys, run } of SHORTCUTS) {
    for (const key of keys) {
      bindings[key] = (event) => {
        if (isFree(event)) {
          event.preventDefault();
          run?.();
        }
      };
    }
  }
  tinykeys(window, bindings);
}

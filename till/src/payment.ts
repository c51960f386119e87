/** The payment under way: what is due, what was given, and when it adds up. */

import { batch, computed, signal } from "@preact/signals";
import { t } from "./i18n";
import { cartTotal, formatMoney, parseDecimal } from "./money";
import { DeviceFull, takeSale } from "./outbox";
import { cart, dialog, notice, paying } from "./state";
import type { Cents, Metodo, Pago } from "./types";

export type Manner = Metodo | "MIXTO";
const NOTES: readonly Cents[] = [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
const MOST_NOTES = 5;
const MOST_PIECES = 20; // of one note that anybody counts out
const MOST_REFERENCE = 64;
/** As the API takes. */
const MOST_PARTS = 10;
/** More than anybody gives back: then a code has landed in the field. */
const MOST_CHANGE: Cents = 100_000_000;
const UNPRINTABLE = /[\p{C}\p{Z}]+/gu;

export const manner = signal<Manner>("EFECTIVO");
/** MIXTO: which kind the next part is. */
export const partMetodo = signal<Metodo>("EFECTIVO");
/** The amount as it is typed; empty: exactly what is due. */
export const typed = signal("");
export const reference = signal("");
export const parts = signal<readonly Pago[]>([]);
/** What is wrong with what was typed, in words. */
export const problem = signal("");

export const due = computed<Cents>(() => cartTotal(cart.value?.lineas ?? []));
export const missing = computed<Cents>(() => due.value - parts.value.reduce((sum, part) => sum + part.importe, 0));
/** What was given in cash; null where that is no amount. */
const given = computed<Cents | null>(() => (typed.value.trim() === "" ? missing.value : parseDecimal(typed.value, 2)));
/** What goes back to the customer; negative where too little was given. */
export const change = computed<Cents>(() => (given.value ?? 0) - missing.value);

/** How the cart was paid before the server refused it. */
export const paidBefore = computed<readonly Pago[]>(() => cart.value?.pagos ?? []);
/** The parts that were typed before Esc: a card that was charged is not forgotten. */
let mixed: { cartId: string; parts: readonly Pago[] } = { cartId: "", parts: [] };
/** The cart that is being paid: another one that comes on the screen is not. */
let paidCart = "";

/** What was written on a slip before is on it still. */
function knownReference(metodo: Metodo): string {
  const used = new Set(parts.value.map((part) => part.referencia));
  const known = paidBefore.value.find((part) => part.metodo === metodo && !used.has(part.referencia));
  return known?.referencia ?? "";
}

/** MIXTO: the kind of the next part. */
export function choosePart(metodo: Metodo): void {
  batch(() => {
    partMetodo.value = metodo;
    reference.value = knownReference(metodo);
  });
}

/** Begin to pay. Nothing to sell, nothing to pay. */
export function openPayment(kind: Manner): void {
  if ((cart.value?.lineas.length ?? 0) === 0) {
    notice.value = { text: t("nothingToPay") };
    return;
  }
  batch(() => {
    manner.value = kind;
    partMetodo.value = "EFECTIVO";
    parts.value = kind === "MIXTO" && mixed.cartId === cart.value?.id ? mixed.parts : [];
    clearTyped();
    reference.value = kind === "MIXTO" ? "" : knownReference(kind);
    paidCart = cart.value?.id ?? "";
    dialog.value = null;
    notice.value = null;
    paying.value = true;
  });
}

/** Back to the cart. Not while the sale is being kept: what is half done cannot be undone. */
export function cancelPayment(): void {
  if (!confirming.value) {
    mixed = { cartId: paidCart, parts: manner.value === "MIXTO" ? parts.value : mixed.parts };
    paying.value = false;
  }
}

function clearTyped(): void {
  typed.value = "";
  reference.value = "";
  problem.value = "";
}

/** MIXTO: whether what is typed is all that is still missing, so that Enter sells. */
export const completes = computed(() => parts.value.length > 0 && (given.value ?? 0) >= missing.value);

/** Round amounts that a customer is likely to give: each note's next multiple, but for notes too small for so much. */
export function quickAmounts(amount: Cents): Cents[] {
  const handed = NOTES.filter((note, place) => note * MOST_PIECES >= amount || place === NOTES.length - 1);
  const rounded = handed.map((note) => Math.ceil(amount / note) * note).filter((sum) => sum > amount);
  return [...new Set(rounded)].sort((one, other) => one - other).slice(0, MOST_NOTES);
}

/** The part that is typed now, or why it is none yet. */
function readPart(metodo: Metodo): Pago | string {
  const referencia = reference.value.replace(UNPRINTABLE, " ").trim();
  const amount = given.value;
  const scanned = /^0\d/.test(typed.value.trim()) || (amount ?? 0) - missing.value > MOST_CHANGE;
  if (amount === null || amount <= 0 || scanned) {
    return t("amountUnreadable", { ejemplo: formatMoney(15_050) });
  }
  if (missing.value <= 0) {
    return t("amountTooMuch"); // all of it is there
  }
  if (parts.value.length >= MOST_PARTS) {
    return t("partsTooMany", { n: MOST_PARTS });
  }
  if (metodo === "EFECTIVO") {
    return { metodo, importe: Math.min(amount, missing.value), recibido: amount, referencia: "" };
  }
  if (amount > missing.value) {
    return t("amountTooMuch");
  }
  if (referencia === "" || referencia.length > MOST_REFERENCE) {
    return t("referenceNeeded");
  }
  return { metodo, importe: amount, recibido: null, referencia };
}

/** MIXTO: add what is typed as one part. Returns whether it was one. */
export function addPart(): boolean {
  const part = readPart(partMetodo.value);
  if (typeof part === "string") {
    problem.value = part;
    return false;
  }
  batch(() => {
    parts.value = [...parts.value, part];
    clearTyped();
    choosePart(part.metodo === "EFECTIVO" ? "TARJETA" : "EFECTIVO"); // what is left is paid otherwise
  });
  return true;
}

export function removePart(place: number): void {
  parts.value = parts.value.filter((_part, index) => index !== place);
  problem.value = "";
}

/** The payments, where they add up; else why they do not. */
function readPayments(): readonly Pago[] | string {
  if (due.value === 0) {
    return [];
  }
  if (manner.value === "MIXTO") {
    return missing.value === 0 ? parts.value : t("stillMissing");
  }
  const part = readPart(manner.value);
  if (typeof part === "string") {
    return part;
  }
  return part.importe === due.value ? [part] : t("givenTooLittle");
}

/** Whether the sale is being kept on the device. */
export const confirming = signal(false);

/** Sell. Pressed twice, it sells once. */
export async function confirmPayment(): Promise<void> {
  const sold = cart.value;
  const pagos = readPayments();
  if (typeof pagos === "string") {
    problem.value = pagos;
    return;
  }
  if (sold === null || confirming.value || !paying.value) {
    return;
  }
  if (sold.lineas.length === 0 || sold.id !== paidCart) {
    problem.value = t("nothingToPay");
    return;
  }
  confirming.value = true;
  try {
    await takeSale({ cart: sold, pagos });
    paying.value = false;
  } catch (error) {
    if (!(error instanceof DeviceFull)) {
      throw error;
    }
    problem.value = t("deviceFull");
  } finally {
    confirming.value = false;
  }
}

/** Enter: MIXTO adds a part until all is there; then it sells. */
export async function enterPayment(): Promise<void> {
  const adding = manner.value === "MIXTO" && missing.value > 0;
  if (!adding || (addPart() && missing.value === 0 && parts.value.length > 1)) {
    await confirmPayment();
  }
}

/** The cash that a sale's customer gave. */
export function givenOf(pagos: readonly Pago[]): Cents {
  return pagos.reduce((sum, { recibido }) => sum + (recibido ?? 0), 0);
}

/** What the customer gets back of a sale. */
export function changeOf(pagos: readonly Pago[]): Cents {
  return pagos.reduce((sum, { recibido, importe }) => sum + (recibido === null ? 0 : recibido - importe), 0);
}

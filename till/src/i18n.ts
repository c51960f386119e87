/** Spanish first, English beside it. */

import { computed, signal } from "@preact/signals";
import { en } from "./en";
import { es } from "./es";

export type Language = "es" | "en";
export type TextKey = keyof typeof es;
export type Texts = Record<TextKey, string>;
type Params = Readonly<Record<string, string | number>>;

const KEPT = "caja.idioma";
const TEXTS: Record<Language, Texts> = { es, en };

function firstLanguage(): Language {
  const kept = globalThis.localStorage?.getItem(KEPT);
  if (kept === "es" || kept === "en") {
    return kept;
  }
  return globalThis.navigator?.language.toLowerCase().startsWith("en") ? "en" : "es";
}

export const language = signal<Language>(firstLanguage());
const texts = computed(() => TEXTS[language.value]);

export function setLanguage(chosen: Language): void {
  language.value = chosen;
  localStorage.setItem(KEPT, chosen);
}

/** A text in the person's language, with its {params} filled in. "one|other" is chosen by the param `n`. */
export function t(key: TextKey, params: Params = {}): string {
  const [one, other] = texts.value[key].split("|") as [string, string | undefined];
  const text = other !== undefined && params.n !== 1 ? other : one;
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String(params[name] ?? ""));
}

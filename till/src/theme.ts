/** Dark or light: as the system has it, until somebody chooses. */

import { computed, effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEPT = "caja.aspecto";
const system = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function keptTheme(): Theme {
  const kept = globalThis.localStorage?.getItem(KEPT);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export const theme = signal<Theme>(keptTheme());
const systemDark = signal(system?.matches ?? false);
export const dark = computed(() => (theme.value === "auto" ? systemDark.value : theme.value === "dark"));

export function setTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEPT, chosen);
}

export function toggleTheme(): void {
  setTheme(dark.value ? "light" : "dark");
}

export function watchTheme(): void {
  system?.addEventListener("change", (event) => {
    systemDark.value = event.matches;
  });
  effect(() => {
    document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  });
}

import { beforeEach, expect, it } from "vitest";
import "./browser";
import { en } from "../src/en";
import { es } from "../src/es";
import { language, setLanguage, t } from "../src/i18n";

const params = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].sort();

beforeEach(() => {
  setLanguage("es");
});

it("speaks the language that was chosen, and remembers it", () => {
  const spanish = t("wholePieces");
  setLanguage("en");
  expect(language.value).toBe("en");
  expect(localStorage.getItem("caja.idioma")).toBe("en");
  expect(t("wholePieces")).not.toBe(spanish);
});

it("chooses between one and several, and fills in what it is given", () => {
  expect(t("items", { n: 1 })).toBe(es.items.split("|")[0]?.replace("{n}", "1"));
  expect(t("items", { n: 3 })).toBe(es.items.split("|")[1]?.replace("{n}", "3"));
});

it.each(Object.keys(es) as (keyof typeof es)[])("says %s in both languages with the same things filled in", (key) => {
  expect(en[key].trim()).not.toBe("");
  expect(params(en[key])).toEqual(params(es[key]));
  expect(en[key].split("|").length).toBe(es[key].split("|").length);
});

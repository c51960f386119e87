import { type Language, language, setLanguage, t } from "../i18n";
import { autoPrint, setAutoPrint } from "../printing";
import { changeSeat } from "../session";
import { notice, person, session } from "../state";
import { setTheme, type Theme, theme } from "../theme";
import { closeDialog, Dialog } from "./Dialog";
import { leave } from "./session/leave";

const LANGUAGES: readonly [Language, string][] = [
  ["es", "Español"],
  ["en", "English"],
];

function goHome(): void {
  closeDialog();
  void leave((text) => {
    notice.value = { text };
  });
}

function choose(code: Language): void {
  setLanguage(code);
  notice.value = null; // said in the other one
}

export function LanguageChoice() {
  return (
    <fieldset class="choice">
      <legend>{t("language")}</legend>
      {LANGUAGES.map(([code, name]) => (
        <label key={code} class="choice__option">
          <input type="radio" name="language" checked={language.value === code} onChange={() => choose(code)} />
          <span lang={code}>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function ThemeChoice() {
  const themes: readonly [Theme, string][] = [
    ["auto", t("themeAuto")],
    ["light", t("themeLight")],
    ["dark", t("themeDark")],
  ];
  return (
    <fieldset class="choice">
      <legend>{t("theme")}</legend>
      {themes.map(([code, name]) => (
        <label key={code} class="choice__option">
          <input type="radio" name="theme" checked={theme.value === code} onChange={() => setTheme(code)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

/** What this device remembers, and the way out. */
export function SettingsDialog() {
  return (
    <Dialog title={t("settings")} wide>
      <LanguageChoice />
      <ThemeChoice />
      <label class="choice__option">
        <input
          type="checkbox"
          checked={autoPrint.value}
          onChange={(event) => setAutoPrint(event.currentTarget.checked)}
        />
        {t("autoPrint")}
      </label>
      <h3>{t("kioskTitle")}</h3>
      <p>{t("kioskHelp")}</p>
      <p>
        <code>
          chromium <span>--kiosk-printing</span> <span>--app={location.origin}/caja/</span>
        </code>
      </p>
      <div class="row">
        {person.value !== null && session.value === "open" && (
          <button
            type="button"
            class="button"
            onClick={() => {
              closeDialog();
              changeSeat();
            }}
          >
            {t("changeSeat")}
          </button>
        )}
        <button type="button" class="button" onClick={goHome}>
          {t("signOut")}
        </button>
      </div>
    </Dialog>
  );
}

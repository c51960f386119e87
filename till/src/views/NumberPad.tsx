import { t } from "../i18n";
import { decimalMark } from "../money";

const FIGURES = ["7", "8", "9", "4", "5", "6", "1", "2", "3"];

/** Whether fingers are what this screen is touched with. */
export const isTouch = globalThis.matchMedia?.("(pointer: coarse)").matches ?? false;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Where the pad has an Enter of its own. */
  readonly onEnter?: () => void;
  /** Also a key that multiplies. */
  readonly star?: boolean;
}

/** Digits for a finger. It types into whatever signal its owner gives it, and never takes the focus. */
export function NumberPad({ value, onChange, onEnter, star = false }: Props) {
  const hold = (event: Event) => event.preventDefault();
  return (
    <fieldset class={star ? "pad pad--star" : "pad"} aria-label={t("keypad")} onPointerDown={hold}>
      {[...FIGURES, decimalMark(), "0"].map((key) => (
        <button key={key} type="button" class="button pad__key" tabIndex={-1} onClick={() => onChange(value + key)}>
          {key}
        </button>
      ))}
      <button
        type="button"
        class="button pad__key pad__key--word"
        tabIndex={-1}
        onClick={() => onChange(value.slice(0, -1))}
      >
        {t("digitBack")}
      </button>
      {star && (
        <button type="button" class="button pad__key" tabIndex={-1} onClick={() => onChange(`${value}*`)}>
          ×
        </button>
      )}
      {onEnter !== undefined && (
        <button type="button" class="button button--accent pad__enter" tabIndex={-1} onClick={onEnter}>
          {t("accept")}
        </button>
      )}
    </fieldset>
  );
}

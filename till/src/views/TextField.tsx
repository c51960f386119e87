import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly value: Signal<string>;
  readonly type?: "text" | "password";
  readonly autocomplete?: "off" | "username" | "current-password";
  /** What is wrong with it, said beside it. */
  readonly problem?: string;
  readonly focused?: boolean;
}

/** A labelled field, with what is wrong with it. */
export function TextField({ label, value, type = "text", autocomplete = "off", problem = "", focused = false }: Props) {
  const id = useId();
  const said = `${id}-problem`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="field__input"
        {...(type === "password" ? { type } : { type: "text" as const })}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        maxLength={200}
        autofocus={focused}
        ref={focused ? focus : null}
        aria-invalid={problem !== ""}
        aria-describedby={said}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      <span id={said} class="problem" role="alert">
        {problem}
      </span>
    </div>
  );
}

/** What a dialog opens with has the focus by itself; on a page it has to be given. */
function focus(field: HTMLInputElement | null): void {
  if (field !== null && document.activeElement === document.body) {
    field.focus();
  }
}

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { giveBack } from "../focus";
import { t } from "../i18n";
import { dialog } from "../state";

interface Props {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly onClose?: () => void;
  readonly wide?: boolean;
}

export function closeDialog(): void {
  dialog.value = null;
}

/** What stands over the screen. Esc closes it, and the box has the focus again. */
export function Dialog({ title, children, onClose = closeDialog, wide = false }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
    return () => window.setTimeout(giveBack, 0);
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog dialog--wide" : "dialog"}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header class="dialog__head">
        <h2 id={heading}>{title}</h2>
        <button type="button" class="button" onClick={onClose}>
          {t("close")} <kbd>Esc</kbd>
        </button>
      </header>
      {children}
    </dialog>
  );
}

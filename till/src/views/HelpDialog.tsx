import { t } from "../i18n";
import { SHORTCUTS } from "../shortcuts";
import { canScanByCamera } from "./camera";
import { Dialog } from "./Dialog";

/** Every shortcut there is. */
export function HelpDialog() {
  return (
    <Dialog title={t("helpTitle")} wide>
      <dl class="keys">
        {SHORTCUTS.filter(({ text }) => text !== "camera" || canScanByCamera.value).map(({ shown, text }) => (
          <div key={shown} class="keys__row">
            <dt>
              <kbd>{shown === "Supr" ? t("keyDelete") : shown}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

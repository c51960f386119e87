import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import { seat } from "../../state";
import { Dialog } from "../Dialog";
import { SignInForm } from "./SignIn";

/** Whether they chose to go on selling; what ended is then said in the top bar. */
export const aside = signal(false);

/** Over the cart, which stays: sign in again, or go on selling and let the sales wait. */
export function SessionEnded() {
  useEffect(() => {
    aside.value = false;
  }, []);
  const later = () => {
    aside.value = true;
  };
  return aside.value ? null : (
    <Dialog title={t("endedTitle")} onClose={later}>
      <p>{t("endedLead")}</p>
      <SignInForm usuario={seat.value?.usuario.nombre ?? ""} />
      <button type="button" class="button" onClick={later}>
        {t("endedLater")}
      </button>
    </Dialog>
  );
}

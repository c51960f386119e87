import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import { seat } from "../../state";
import { Dialog } from "../Dialog";
import { SignInForm } from "./SignIn";

/** Over the cart, which stays: sign in again, or go on selling and let the sales wait. */
export function SessionEnded() {
  const aside = useSignal(false);
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

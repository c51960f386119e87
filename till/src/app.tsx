import { signal } from "@preact/signals";
import { t } from "./i18n";
import { cart, session } from "./state";
import { ChooseSeat } from "./views/session/ChooseSeat";
import { SignIn } from "./views/session/SignIn";
import { Till } from "./views/Till";

/** The device keeps nothing: selling into nothing would lose sales. */
export const broken = signal(false);

/** The screen that there is to show. */
export function App() {
  if (broken.value) {
    return (
      <main class="gate">
        <h1>Blend POS</h1>
        <p role="alert">{t("deviceBroken")}</p>
      </main>
    );
  }
  switch (session.value) {
    case "signed-out":
      return <SignIn />;
    case "choosing":
      return <ChooseSeat />;
    case "open":
    case "ended":
      return cart.value === null ? null : <Till />;
    default:
      return null;
  }
}

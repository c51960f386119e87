import { t } from "../../i18n";
import { NoConnection } from "../../net";
import { SignInRefused, signOut } from "../../session";

/** Sign out; where the server does not let go, `say` why. */
export async function leave(say: (text: string) => void): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (error instanceof SignInRefused) {
      say(error.message);
    } else if (error instanceof NoConnection) {
      say(t("signOutOffline"));
    } else {
      throw error;
    }
  }
}

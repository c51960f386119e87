import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import { NoConnection } from "../../net";
import { SignInRefused, signIn } from "../../session";
import { LanguageChoice } from "../SettingsDialog";
import { TextField } from "../TextField";

interface FormProps {
  /** Whose session ended, where it did. */
  readonly usuario?: string;
}

function useSignIn(usuario: string) {
  const name = useSignal(usuario);
  const clave = useSignal("");
  const problem = useSignal("");
  const busy = useSignal(false);
  const submit = async () => {
    if (name.value.trim() === "" || clave.value === "") {
      problem.value = t("signInEmpty");
      return;
    }
    busy.value = true;
    try {
      await signIn(name.value.trim(), clave.value);
    } catch (error) {
      if (!(error instanceof SignInRefused || error instanceof NoConnection)) {
        throw error;
      }
      problem.value = error instanceof SignInRefused ? error.message : t("signInOffline");
      clave.value = "";
    } finally {
      busy.value = false;
    }
  };
  return { name, clave, problem, busy, submit };
}

/** Name and password. */
export function SignInForm({ usuario = "" }: FormProps) {
  const { name, clave, problem, busy, submit } = useSignIn(usuario);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextField label={t("username")} value={name} autocomplete="username" focused={usuario === ""} />
      <TextField
        label={t("password")}
        value={clave}
        type="password"
        autocomplete="current-password"
        focused={usuario !== ""}
        problem={problem.value}
      />
      <button type="submit" class="button button--accent" disabled={busy.value}>
        {t("signIn")}
      </button>
    </form>
  );
}

/** The way in. */
export function SignIn() {
  return (
    <main class="gate">
      <h1>Blend POS</h1>
      <p>{t("signInLead")}</p>
      <SignInForm />
      <LanguageChoice />
    </main>
  );
}

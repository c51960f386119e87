import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import { chooseSeat, signOut } from "../../session";
import { person } from "../../state";
import type { Tienda } from "../../types";

function Terminals({ tienda }: { tienda: Tienda }) {
  return (
    <>
      <h2>{tienda.nombre}</h2>
      <p>{t(tienda.terminales.length === 0 ? "noTerminal" : "chooseTerminal")}</p>
      <div class="choices">
        {tienda.terminales.map((terminal, place) => (
          <button
            key={terminal.id}
            type="button"
            class="button choices__one"
            autofocus={place === 0}
            onClick={() => chooseSeat(tienda.id, terminal.id)}
          >
            {terminal.nombre}
          </button>
        ))}
      </div>
    </>
  );
}

/** Where to work today: the tienda where there are several, then the till. */
export function ChooseSeat() {
  const tiendas = person.value?.tiendas ?? [];
  const chosen = useSignal<string | null>(null);
  const tienda = tiendas.find((each) => each.id === chosen.value) ?? (tiendas.length === 1 ? tiendas[0] : undefined);
  return (
    <main class="gate">
      <h1>{person.value?.usuario.nombre}</h1>
      {tiendas.length === 0 && <p role="alert">{t("noTienda")}</p>}
      {tienda !== undefined ? (
        <Terminals tienda={tienda} />
      ) : (
        <>
          {tiendas.length > 0 && <p>{t("chooseTienda")}</p>}
          <div class="choices">
            {tiendas.map((each, place) => (
              <button
                key={each.id}
                type="button"
                class="button choices__one"
                autofocus={place === 0}
                onClick={() => {
                  chosen.value = each.id;
                }}
              >
                {each.nombre}
              </button>
            ))}
          </div>
        </>
      )}
      <button type="button" class="button" onClick={() => void signOut()}>
        {t("signOut")}
      </button>
    </main>
  );
}

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { chooseSeat } from "../../session";
import { person } from "../../state";
import { leave } from "./leave";

interface ChoicesProps {
  readonly of: readonly { readonly id: string; readonly nombre: string }[];
  readonly onChoose: (id: string) => void;
}

/** One under the other; the first has the focus, arrows walk. */
function Choices({ of, onChoose }: ChoicesProps) {
  const list = useRef<HTMLDivElement>(null);
  const buttons = () => [...(list.current?.querySelectorAll("button") ?? [])];
  useEffect(() => buttons()[0]?.focus(), []);
  const walk = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      buttons()[buttons().indexOf(event.target as HTMLButtonElement) + step]?.focus();
      event.preventDefault();
    }
  };
  return (
    <div class="choices" ref={list}>
      {of.map(({ id, nombre }) => (
        <button key={id} type="button" class="button choices__one" onKeyDown={walk} onClick={() => onChoose(id)}>
          {nombre}
        </button>
      ))}
    </div>
  );
}

/** Where to work today: the tienda where there are several, then the till. */
export function ChooseSeat() {
  const tiendas = person.value?.tiendas ?? [];
  const chosen = useSignal<string | null>(null);
  const problem = useSignal("");
  const say = (text: string) => {
    problem.value = text;
  };
  const tienda = tiendas.find((each) => each.id === chosen.value) ?? (tiendas.length === 1 ? tiendas[0] : undefined);
  return (
    <main class="gate">
      <h1>{person.value?.usuario.nombre}</h1>
      {tiendas.length === 0 && <p role="alert">{t("noTienda")}</p>}
      {tienda !== undefined ? (
        <>
          <h2>{tienda.nombre}</h2>
          <p>{t(tienda.terminales.length === 0 ? "noTerminal" : "chooseTerminal")}</p>
          <Choices key={tienda.id} of={tienda.terminales} onChoose={(id) => chooseSeat(tienda.id, id)} />
          {tiendas.length > 1 && (
            <button
              type="button"
              class="button"
              onClick={() => {
                chosen.value = null;
              }}
            >
              {t("back")}
            </button>
          )}
        </>
      ) : (
        <>
          {tiendas.length > 0 && <p>{t("chooseTienda")}</p>}
          <Choices
            key="tiendas"
            of={tiendas}
            onChoose={(id) => {
              const [only, ...others] = tiendas.find((each) => each.id === id)?.terminales ?? [];
              if (only !== undefined && others.length === 0) {
                chooseSeat(id, only.id);
              } else {
                chosen.value = id;
              }
            }}
          />
        </>
      )}
      <button type="button" class="button" onClick={() => void leave(say)}>
        {t("signOut")}
      </button>
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </main>
  );
}

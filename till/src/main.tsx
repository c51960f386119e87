import { render } from "preact";
import { online } from "./state";

function App() {
  return <h1>Caja {String(online.value)}</h1>;
}
render(<App />, document.getElementById("app") as HTMLElement);

import { seat } from "../state";
import type { Moment } from "../types";

function inTienda(moment: Moment, options: Intl.DateTimeFormatOptions): string {
  const tienda = seat.value?.tienda;
  return new Intl.DateTimeFormat(tienda?.configuracion_regional ?? "es-MX", {
    ...options,
    ...(tienda === undefined ? {} : { timeZone: tienda.zona_horaria }),
  }).format(moment);
}

/** "10:42", by the tienda's clock. */
export function formatTime(moment: Moment): string {
  return inTienda(moment, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** Day and time, by the tienda's clock and in its way. */
export function formatMoment(moment: Moment): string {
  return inTienda(moment, { dateStyle: "short", timeStyle: "short", hourCycle: "h23" });
}

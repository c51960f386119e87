/** Sale ids: the key under which a cart can be sold once. */

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SHORT_BITS = 40n;
const SHORT_LENGTH = 8;

let lastMs = 0;
let counter = 0;

/** A UUIDv7: 48 bits of milliseconds, then a counter within the millisecond, then 62 random bits. */
export function newVentaId(nowMs: number): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = (((random[6] ?? 0) << 8) | (random[7] ?? 0)) & 0x7ff; // room to count up in 12 bits
  } else {
    counter += 1;
    if (counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
  }
  const time = lastMs.toString(16).padStart(12, "0");
  const variant = ((random[8] ?? 0) & 0x3f) | 0x80;
  const rest = [variant, ...random.slice(9)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const count = counter.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}

/** Eight Crockford letters of an id's last 40 bits: "K7Q2M9TD". */
export function shortCode(ventaId: string): string {
  let bits = BigInt(`0x${ventaId.replaceAll("-", "")}`) & ((1n << SHORT_BITS) - 1n);
  let code = "";
  for (let place = 0; place < SHORT_LENGTH; place += 1) {
    code = CROCKFORD.charAt(Number(bits & 31n)) + code;
    bits >>= 5n;
  }
  return code;
}

/** As people write it: "K7Q2-M9TD". */
export function readableCode(ventaId: string): string {
  const code = shortCode(ventaId);
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** What was typed or scanned, as shortCode() writes it; null where it is no such code. */
export function readShortCode(text: string): string | null {
  const code = text.trim().toUpperCase().replace("-", "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  return code.length === SHORT_LENGTH && [...code].every((letter) => CROCKFORD.includes(letter)) ? code : null;
}

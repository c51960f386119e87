/** Code 128, set B: what a ticket's code looks like to a scanner. After ISO/IEC 15417. */

// Bar and space widths of the 107 symbols, 0 to 106, six digits each; the stop has seven.
const WIDTHS =
  "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222" +
  "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321" +
  "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121" +
  "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224" +
  "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111" +
  "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113" +
  "114311411113411311113141114131311141411131211412211214211232";
const STOP = "2331112";
const SYMBOL = 6;
const START_B = 104;
const FIRST = 32;
const LAST = 126;
const MODULO = 103;

/** The values of a text's symbols: start B, its letters, the check symbol. Throws RangeError on what set B lacks. */
export function symbols(text: string): number[] {
  const values = [...text].map((letter) => {
    const point = letter.codePointAt(0) ?? 0;
    if (point < FIRST || point > LAST) {
      throw new RangeError(`Code 128 B has no ${JSON.stringify(letter)}`);
    }
    return point - FIRST;
  });
  const sum = values.reduce((total, value, place) => total + value * (place + 1), START_B);
  return [START_B, ...values, sum % MODULO];
}

/** Widths in modules: a bar, a space, a bar … without the quiet zones. */
export function bars(text: string): number[] {
  const pattern = symbols(text)
    .map((value) => WIDTHS.slice(value * SYMBOL, (value + 1) * SYMBOL))
    .join("");
  return [...(pattern + STOP)].map(Number);
}

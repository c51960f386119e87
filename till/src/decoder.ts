/** Barcodes in a picture: the browser's own reader, or the one that comes along. Loaded only when the camera is used. */

import { BarcodeDetector, setZXingModuleOverrides } from "barcode-detector/ponyfill";
import wasm from "zxing-wasm/reader/zxing_reader.wasm?url";

const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf"] as const;

setZXingModuleOverrides({
  locateFile: (path: string, prefix: string) => (path.endsWith(".wasm") ? wasm : prefix + path),
});

export interface Decoder {
  detect(picture: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

export function openDecoder(): Decoder {
  return new BarcodeDetector({ formats: [...FORMATS] });
}

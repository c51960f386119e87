import { signal } from "@preact/signals";

/** Whether this device has a camera to scan with. */
export const canScanByCamera = signal(false);

export async function lookForCamera(): Promise<void> {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  canScanByCamera.value = devices.some((device) => device.kind === "videoinput");
}

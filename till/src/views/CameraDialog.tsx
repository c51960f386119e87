import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { takeScan } from "../box";
import { t } from "../i18n";
import { dialog } from "../state";
import { Dialog } from "./Dialog";

const LOOK_MS = 150;

/** Look at the picture until a code is in it; then it is taken as a scan. */
async function watch(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  signal.addEventListener("abort", () => {
    for (const track of stream.getTracks()) {
      track.stop();
    }
  });
  video.srcObject = stream;
  await video.play();
  const { openDecoder } = await import("../decoder");
  const decoder = openDecoder();
  while (!signal.aborted) {
    const [code] = await decoder.detect(video);
    if (code !== undefined && !signal.aborted) {
      dialog.value = null;
      takeScan(code.rawValue);
      return;
    }
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS));
  }
}

/** Scan with the camera. */
export function CameraDialog() {
  const video = useRef<HTMLVideoElement>(null);
  const problem = useSignal("");
  useEffect(() => {
    const stop = new AbortController();
    if (video.current !== null) {
      watch(video.current, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) {
          problem.value = t("cameraNone", { motivo: error instanceof Error ? error.message : String(error) });
        }
      });
    }
    return () => stop.abort();
  }, []);
  return (
    <Dialog title={t("cameraTitle")} wide>
      <video ref={video} class="camera" playsInline muted />
      <p role="status">{problem.value === "" ? t("cameraHelp") : problem.value}</p>
    </Dialog>
  );
}

// Reading a QR code with the camera, in browsers that can.
// @ts-check

import { el } from "./dom.js";

const LOOK_EVERY_MS = 200;

/** @typedef {{ detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]> }} Detector */
/** @typedef {new (options: { formats: string[] }) => Detector} DetectorClass */

/** @returns {DetectorClass | null} */
function detectorClass() {
  const found = /** @type {{ BarcodeDetector?: DetectorClass }} */ (/** @type {unknown} */ (window)).BarcodeDetector;
  return found && "mediaDevices" in navigator ? found : null;
}

/**
 * Show what the camera sees until a code is read or `signal` ends it; raises DOMException when there is no camera.
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>} what the code says
 */
export async function scan(place, signal) {
  const Detector = detectorClass();
  if (!Detector) return null;
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = el("video", { muted: true, playsinline: true, class: "camera" });
  try {
    video.srcObject = stream;
    place.replaceChildren(video);
    await video.play();
    const detector = new Detector({ formats: ["qr_code"] });
    while (!signal.aborted) {
      const [code] = await detector.detect(video);
      if (code) return code.rawValue;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    place.replaceChildren();
  }
}

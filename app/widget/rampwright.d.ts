// The types of the embed script: what `rampwright.js` is checked against, and what a TypeScript project may copy.

interface RampwrightOrder {
  id: string;
  status: string;
  stage: string | null;
}

type RampwrightEvent =
  | { type: "ready"; session: string }
  | { type: "step"; step: string }
  | { type: "order" | "completed" | "failed"; order: RampwrightOrder }
  | { type: "closed" }
  | { type: "error"; code: "client_secret_invalid" | "not_shown" | "popup_blocked" };

interface RampwrightHandle {
  /** Ask the checkout to end, and take it away. An order that was placed goes on. */
  close(): void;
  /** How many messages were not from the checkout, or not well formed. */
  readonly ignored: number;
}

interface RampwrightOptions {
  /** `client_secret` of the answer to POST /v1/sessions. */
  clientSecret: string;
  onEvent?: (event: RampwrightEvent) => void;
  /** "frame" unless told otherwise; a popup must be opened by a click. */
  mode?: "frame" | "popup";
  /** Where the frame goes; without one it is a dialog over the page. */
  container?: Element;
}

interface RampwrightApi {
  open(options: RampwrightOptions): RampwrightHandle;
}

interface RampwrightElement extends HTMLElement, RampwrightHandle {
  clientSecret: string;
}

interface HTMLElementTagNameMap {
  "rampwright-widget": RampwrightElement;
}

interface Window {
  readonly Rampwright: RampwrightApi;
}

declare const Rampwright: RampwrightApi;

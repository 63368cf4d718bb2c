// The public API, called as any partner's server would call it; the key is a test key, and stays in this tab.
// @ts-check

/** @typedef {Record<string, any>} Json what the API answers; its shapes are in /openapi.json */

const KEPT = "rampwright.playground.key";
const AGAIN_MS = 1000;

/** A refusal, in the API's own words. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Json} problem
   */
  constructor(status, problem) {
    const places = (problem.errors ?? []).map((/** @type {Json} */ error) => `${error.pointer} ${error.code}`).join(", ");
    super([problem.detail ?? problem.title ?? `answered ${status}`, places].filter(Boolean).join(" — "));
    this.status = status;
    this.problem = problem;
  }
}

/** The key that came in the address, or that this tab knows already. */
export function keptKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname); // a screenshot or a shared address does not show it
  }
  return sessionStorage.getItem(KEPT) ?? "";
}

/** @param {string} key */
export const keepKey = (key) => sessionStorage.setItem(KEPT, key);
export const forgetKey = () => sessionStorage.removeItem(KEPT);

/** @returns {string} 128 random bits; not randomUUID, which plain http: to another machine does not have */
const random = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${keptKey()}`, ...options.headers };
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

/** @param {string} path @returns {Promise<Json>} */
export const get = async (path) => (await call(path)).json();

/** @param {string} path @param {Json} [body] @returns {Promise<Json>} */
export async function post(path, body) {
  /** @type {Record<string, string>} */
  const headers = { "Idempotency-Key": random() };
  if (body) headers["Content-Type"] = "application/json";
  return (await call(path, { method: "POST", headers, body: body && JSON.stringify(body) })).json();
}

/**
 * Every event that is published from now on, in order, for ever: the stream ends now and then and is taken up again.
 * @param {(event: Json) => void} heard
 */
export async function follow(heard) {
  let last = "";
  for (;;) {
    try {
      /** @type {Record<string, string>} */
      const headers = last ? { "Last-Event-ID": last } : {};
      const { body } = await call("/v1/events/stream", { headers });
      if (body) {
        for await (const event of events(body)) {
          last = event.id;
          heard(event);
        }
      }
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Json>}
 */
async function* events(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}

// The page's calls to the gateway, and what can go wrong with them. Each goes to this origin, carries the session's
// credential, and is safe to repeat.
// @ts-check

/** @import { AddressCheck, Bank, Call, Order, Quote, TestPayment, View } from "./types.js" */

const PATIENCE_MS = 20_000;
const WAITS_MS = [400, 1_200, 3_000];

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * One request, once.
 * @param {string} path
 * @param {Call} call
 * @returns {Promise<Response>}
 */
async function once(path, call) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (call.credential) headers.Authorization = `Bearer ${call.credential}`;
  if (call.key) headers["Idempotency-Key"] = call.key;
  if (call.body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(path, {
      method: call.body === undefined ? "GET" : "POST",
      headers,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: call.signal ? anyOf(call.signal, limit) : limit,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new Problem("offline", { retryable: true, unknown: call.body !== undefined });
  }
}

/**
 * A signal that ends with the first of two.
 * @param {AbortSignal} first @param {AbortSignal} second
 */
function anyOf(first, second) {
  const both = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
  }
  return both.signal;
}

/**
 * A request that is repeated with the same key while it may still succeed; raises Problem.
 * @param {string} path
 * @param {Call} call
 * @returns {Promise<unknown>}
 */
async function send(path, call) {
  const tries = call.tries ?? WAITS_MS.length;
  for (let tried = 0; ; tried += 1) {
    /** @type {Problem} */
    let problem;
    try {
      const response = await once(path, call);
      if (response.ok) return await response.json();
      problem = await problemIn(response);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem = error;
    }
    if (!problem.retryable || tried >= tries || problem.retryAfterMs > PATIENCE_MS) throw problem;
    await pause(Math.max(problem.retryAfterMs, WAITS_MS[Math.min(tried, WAITS_MS.length - 1)]));
  }
}

/**
 * Trade the session's secret for the credential that this browser made; answers the view.
 * @param {string} secret
 * @param {string} credential
 */
export async function exchange(secret, credential) {
  const body = { client_secret: secret, credential };
  return /** @type {View} */ (await send("/v1/session/exchange", { body, tries: 5 }));
}

/** What the credential may do. */
export class Api {
  /** @param {string} credential */
  constructor(credential) {
    this.credential = credential;
  }

  /** @param {string} path @param {Call} call */
  #call(path, call) {
    return send(path, { ...call, credential: this.credential });
  }

  async read() {
    return /** @type {View} */ (await this.#call("/v1/session", {}));
  }

  /**
   * Ask for a price. It is soon said when there is none: whoever asks does so again, see Quoter.
   * @param {{ amount?: string, side?: string, payment_method?: string }} body
   * @param {AbortSignal} signal
   */
  async quote(body, signal) {
    const call = { body, signal, key: `quote-${crypto.randomUUID()}`, tries: 1 };
    return /** @type {Quote} */ (await this.#call("/v1/session/quotes", call));
  }

  /** @param {string} address @param {AbortSignal} [signal] */
  async checkAddress(address, signal) {
    return /** @type {AddressCheck} */ (await this.#call("/v1/session/addresses", { body: { address }, signal }));
  }

  /**
   * Accept a quote. The key is the quote's own: however often, and in however many tabs, it is one order.
   * @param {{ quote_id: string, address?: string, refund_address?: string, bank?: Bank }} body
   */
  async placeOrder(body) {
    const call = { body, key: `order-${body.quote_id}` };
    return /** @type {Order} */ (await this.#call("/v1/session/orders", call));
  }

  /** @param {Order} order */
  async cancel(order) {
    const call = { body: {}, key: `cancel-${order.id}-${order.sequence}` };
    return /** @type {Order} */ (await this.#call("/v1/session/cancel", call));
  }

  /**
   * Pay with one of the provider's test tokens: the sandbox only.
   * @param {Order} order @param {string} token
   */
  async pay(order, token) {
    const call = { body: { payment_method: token }, key: `pay-${order.id}-${order.sequence}-${token}` };
    return /** @type {TestPayment} */ (await this.#call("/v1/session/pay", call));
  }

  /**
   * Answer the sandbox's authentication.
   * @param {Order} order @param {"succeeded" | "failed"} outcome
   */
  async authenticate(order, outcome) {
    const call = { body: { outcome }, key: `authenticate-${order.id}-${order.sequence}-${outcome}` };
    return /** @type {TestPayment} */ (await this.#call("/v1/session/authenticate", call));
  }
}

export class Problem extends Error {
  /**
   * @param {string} code the server's stable code; `offline` when no answer came
   * @param {{ status?: number, retryable?: boolean, retryAfter?: number | null, unknown?: boolean, declined?: boolean, pointers?: string[] }} [more]
   */
  constructor(code, more = {}) {
    super(code);
    this.code = code;
    this.status = more.status ?? 0;
    /** The same request may succeed later. */
    this.retryable = more.retryable ?? false;
    this.retryAfterMs = (more.retryAfter ?? 0) * 1000;
    /** Nobody here knows whether the server did what it was asked. */
    this.unknown = more.unknown ?? false;
    /** A bank said no: the code may be any word of the provider's. */
    this.declined = more.declined ?? false;
    this.pointers = more.pointers ?? [];
  }
}

/** @param {string | null | undefined} code why a payment was declined */
export function decline(code) {
  return new Problem(code ?? "card_declined", { declined: true });
}

/**
 * The problem in an answer that is not a success.
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
export async function problemIn(response) {
  /** @type {{ code?: unknown, retryable?: unknown, retry_after?: unknown, errors?: { pointer?: unknown }[] }} */
  const body = await response.json().catch(() => ({}));
  const code = typeof body.code === "string" ? body.code : "unavailable";
  return new Problem(code, {
    status: response.status,
    retryable: body.retryable === true || response.status >= 500 || typeof body.retry_after === "number",
    retryAfter: typeof body.retry_after === "number" ? body.retry_after : null,
    unknown: response.status >= 500,
    pointers: (body.errors ?? []).map((error) => String(error.pointer ?? "")),
  });
}

/**
 * Whatever was thrown, as a problem.
 * @param {unknown} error
 * @returns {Problem}
 */
export function asProblem(error) {
  return error instanceof Problem ? error : new Problem("internal_error");
}

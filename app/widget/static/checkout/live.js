// What changes while one looks: the view, the price, and the time as the server has it. Server-sent events are read with
// fetch: an EventSource cannot carry an Authorization header.
// @ts-check

/** @import { Checkout } from "./checkout.js" */
/** @import { Asker, Listener, View, Wanted } from "./types.js" */
import { Problem, asProblem, problemIn } from "./api.js";
import { quiet } from "./dom.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 45_000;
// At the least, before a price that could not be had is asked for again: each time it is asked for twice, and the server
// takes twenty such questions of a session in a minute. Sooner, an outage would look like the customer's own haste.
const AGAIN_MS = 10_000;
const SHORT_MS = 5_000; // a stream that ends sooner was cut, by a proxy perhaps, which may well cut the next one too

/**
 * Follow the session until `stop` is called, however often the connection is lost.
 * @param {string} credential
 * @param {Listener} listener
 * @returns {{ stop(): void, wake(): void }} `wake` tries again at once
 */
export function follow(credential, listener) {
  const whole = new AbortController();
  /** @type {() => void} */
  let wake = () => {};

  const run = async () => {
    let wait = FIRST_WAIT_MS;
    while (!whole.signal.aborted) {
      const began = performance.now();
      try {
        await readOnce(credential, whole.signal, (view) => {
          wait = FIRST_WAIT_MS;
          listener.onLine(true);
          listener.onView(view);
        });
        if (performance.now() - began > SHORT_MS) continue; // the server ends every stream after a while
      } catch (error) {
        if (whole.signal.aborted) return;
        if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
          listener.onRefused(error);
          return;
        }
        listener.onLine(false);
      }
      await new Promise((resolve) => {
        wake = () => resolve(null);
        setTimeout(wake, wait * (0.75 + Math.random() / 2));
      });
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  };
  void run();
  return { stop: () => whole.abort(), wake: () => wake() };
}

/**
 * @param {string} credential
 * @param {AbortSignal} signal
 * @param {(view: View) => void} onView
 */
async function readOnce(credential, signal, onView) {
  const once = new AbortController();
  const stop = () => once.abort();
  signal.addEventListener("abort", stop);
  // The server is never silent for long; a connection that is was cut without our being told.
  let silence = setTimeout(stop, SILENCE_MS);
  try {
    const response = await fetch("/v1/session/stream", {
      headers: { Accept: "text/event-stream", Authorization: `Bearer ${credential}` },
      signal: once.signal,
      cache: "no-store",
      credentials: "omit",
    });
    if (!response.ok || !response.body) throw await problemIn(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(stop, SILENCE_MS);
      text += value.replaceAll("\r\n", "\n");
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) deliver(message, onView);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", stop);
  }
}

/** @param {string} message @param {(view: View) => void} onView */
function deliver(message, onView) {
  const lines = message.split("\n");
  const named = lines
    .find((line) => line.startsWith("event:"))
    ?.slice(6)
    .trim();
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
  if (named === "session" && data.length > 0) onView(JSON.parse(data.join("\n")));
}

export class Clock {
  #server = Date.now();
  #seen = performance.now();

  /** @param {string} now what the server's clock said just now */
  set(now) {
    const server = Date.parse(now);
    if (Number.isNaN(server)) return;
    this.#server = server;
    this.#seen = performance.now();
  }

  /** Milliseconds since 1970, as the server would say. */
  now() {
    return this.#server + performance.now() - this.#seen;
  }

  /** @param {string} moment milliseconds until then; never below zero */
  until(moment) {
    return Math.max(0, Date.parse(moment) - this.now());
  }
}

/** Asks for a price, and again by itself while what stands in the way may pass: there may be nothing left to press. */
export class Quoter {
  #checkout;
  #asker;
  /** @type {Wanted} */
  #wanted = {};
  #wait = quiet(() => void this.#ask());
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {string | null} the code of the problem that was told last */
  #told = null;

  /** @param {Checkout} checkout @param {Asker} asker */
  constructor(checkout, asker) {
    this.#checkout = checkout;
    this.#asker = asker;
  }

  /** @param {Wanted} wanted what is bound is not in it @param {number} [ms] of quiet before it is asked for */
  want(wanted, ms = 0) {
    this.#wanted = wanted;
    this.#told = null;
    this.#asking?.abort();
    this.#asker.onBusy(true);
    this.#wait.after(ms);
  }

  /** @param {Wanted} wanted what `again` will ask for */
  remember(wanted) {
    this.#wanted = wanted;
  }

  /** Ask for the same again. */
  again() {
    this.want(this.#wanted);
  }

  stop() {
    this.#wait.stop();
    this.#asking?.abort();
    this.#asker.onBusy(false);
  }

  async #ask() {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const quote = await this.#checkout.api.quote(this.#wanted, asking.signal);
      if (asking.signal.aborted) return;
      this.#told = null;
      this.#checkout.quote = quote;
      this.#asker.onQuote(quote);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#fail(asProblem(error));
    }
    this.#asker.onBusy(false);
  }

  /** @param {Problem} problem told once, however often it comes: it is read out */
  #fail(problem) {
    if (problem.code !== this.#told) this.#asker.onProblem(problem);
    this.#told = problem.code;
    if (problem.retryable) this.#wait.after(Math.max(AGAIN_MS, problem.retryAfterMs));
  }
}

// The page around this one, if any: what is believed of it, what it is told, and the guard against what it may lay over
// our buttons.
// @ts-check

/** @import { Frame, Guard, Opening, Order } from "./types.js" */

/**
 * Read the data block of the page. A page without one was not served for a session.
 * @returns {Frame | null}
 */
export function readFrame() {
  const text = document.getElementById("frame")?.textContent ?? "";
  try {
    /** @type {Partial<Frame>} */
    const found = JSON.parse(text);
    if (typeof found.session !== "string" || !found.session.startsWith("ss_")) return null;
    return {
      session: found.session,
      allowed_origins: (found.allowed_origins ?? []).filter((origin) => typeof origin === "string"),
      locale: typeof found.locale === "string" ? found.locale : "en",
      livemode: found.livemode === true,
    };
  } catch {
    return null;
  }
}

/** Whether another page shows this one in a frame. */
export const EMBEDDED = window.parent !== window;

const VERSION = 1;
const MOST_TEXT = 4096;

export class Outer {
  /** @type {{ window: Window, origin: string } | null} */
  #partner = null;
  #allowed;
  #lastOrder = "";
  /** @type {Map<string, { type: string } & Record<string, unknown>>} */
  #latest = new Map();

  /**
   * @param {readonly string[]} allowed the origins that may embed this session
   * @param {(opening: Opening) => void} onOpen the embedding page hands over the session's secret
   * @param {() => void} onClose
   */
  constructor(allowed, onOpen, onClose) {
    this.#allowed = allowed;
    window.addEventListener("message", (event) => {
      const message = shapeOf(event.data);
      const from = event.source;
      if (!message || !from || (from !== window.parent && from !== window.opener) || from === window) return;
      if (!this.#allowed.some((origin) => origin === event.origin)) return;
      if (message.type === "close" && this.#is(from, event.origin)) onClose();
      if (message.type !== "open" || !message.secret) return;
      if (this.#partner && !this.#is(from, event.origin)) return;
      const first = !this.#partner;
      this.#partner = { window: /** @type {Window} */ (from), origin: event.origin };
      this.#post({ type: "ready", re: message.id });
      if (!first) return;
      for (const said of this.#latest.values()) this.#post(said);
      onOpen({ secret: message.secret });
    });
  }

  /** @param {MessageEventSource} source @param {string} origin */
  #is(source, origin) {
    return this.#partner !== null && this.#partner.window === source && this.#partner.origin === origin;
  }

  /** @param {Record<string, unknown>} message */
  #post(message) {
    this.#partner?.window.postMessage({ rampwright: VERSION, ...message }, this.#partner.origin);
  }

  /** @param {{ type: string } & Record<string, unknown>} message said now, and again to who connects later */
  #tell(message) {
    this.#latest.delete(message.type);
    this.#latest.set(message.type, message);
    this.#post(message);
  }

  /** @param {HTMLElement} page whose height a frame should have */
  watchHeight(page) {
    const report = () => {
      const height = Math.ceil(page.getBoundingClientRect().height);
      if (this.#latest.get("resize")?.height !== height) this.#tell({ type: "resize", height });
    };
    new ResizeObserver(report).observe(page);
  }

  /** @param {string} step */
  step(step) {
    this.#tell({ type: "step", step });
  }

  /** @param {Order} order told once for every change */
  order(order) {
    const news = { id: order.id, status: order.status, stage: order.stage };
    const written = JSON.stringify(news);
    if (written === this.#lastOrder) return;
    this.#lastOrder = written;
    this.#tell({ type: "order", order: news });
    if (news.status === "completed") this.#tell({ type: "completed", order: news });
    if (news.status === "failed" || news.status === "refunded") this.#tell({ type: "failed", order: news });
  }

  closed() {
    this.#post({ type: "closed" });
  }
}

/**
 * A message of the agreed shape, or null. Only own fields of plain text are read.
 * @param {unknown} data
 * @returns {{ type: string, id: string, secret: string } | null}
 */
function shapeOf(data) {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, "rampwright")) return null;
  const fields = /** @type {Record<string, unknown>} */ (data);
  /** @param {string} name */
  const text = (name) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : "";
    return typeof value === "string" && value.length <= MOST_TEXT ? value : "";
  };
  return fields.rampwright === VERSION ? { type: text("type"), id: text("id"), secret: text("client_secret") } : null;
}

const ARM_MS = 500;
const COVERED_AFTER_MS = 4_000;
const WHOLE = 0.99;

/**
 * Watch a button and say whether a press of it may be believed.
 * @param {HTMLElement} button
 * @param {(armed: boolean, covered: boolean) => void} onChange `covered`: something has been in the way for a while
 * @returns {Guard}
 */
export function armWhenSeen(button, onChange) {
  let armed = false;
  let timer = 0;
  /** @param {boolean} now @param {boolean} covered */
  const set = (now, covered) => {
    armed = now;
    onChange(now, covered);
  };
  /** @param {boolean} seen */
  const judge = (seen) => {
    window.clearTimeout(timer);
    if (!seen && armed) set(false, false);
    const [change, wait] = seen ? [() => set(true, false), ARM_MS] : [() => set(false, true), COVERED_AFTER_MS];
    timer = window.setTimeout(change, wait);
  };
  const observer = new IntersectionObserver(
    (entries) => judge(entries.slice(-1).some(inSight)),
    // `trackVisibility` needs a delay of 100 ms at least; browsers without it ignore both.
    /** @type {IntersectionObserverInit} */ ({ threshold: [0, WHOLE], trackVisibility: EMBEDDED, delay: 100 }),
  );
  const watch = () => {
    observer.unobserve(button);
    if (document.visibilityState === "visible") observer.observe(button);
    else judge(false);
  };
  document.addEventListener("visibilitychange", watch);
  watch();
  return {
    get armed() {
      return armed;
    },
    stop: () => {
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", watch);
      observer.disconnect();
    },
  };
}

/** @param {IntersectionObserverEntry} entry */
function inSight(entry) {
  const { isVisible } = /** @type {{ isVisible?: boolean }} */ (entry);
  // Browsers without version 2 leave it undefined; at top level nobody else can draw over the page.
  const covered = EMBEDDED && isVisible === false;
  return entry.intersectionRatio >= WHOLE && !covered;
}

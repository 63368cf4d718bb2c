// How this browser comes to hold the session, and how it keeps it: a credential of its own, the secret in the URL's
// fragment, the embedding page, or the window that opened this one.
// @ts-check

/** @import { Frame, Luggage, Store, View } from "./types.js" */
import { Api, Problem, exchange } from "./api.js";
import { EMBEDDED } from "./outer.js";

const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const OUTER_PATIENCE_MS = 15_000;

/** @param {string} session the secret until its exchange was answered, so that a reload in between loses nothing */
const pending = (session) => `rampwright:${session}:secret`;

/**
 * Take the secret out of the address bar, at once: it must not be seen, shared or bookmarked.
 * @returns {{ secret: string | null, ownWindow: boolean }}
 */
export function takeFragment() {
  const text = location.hash.slice(1);
  // A query is none of ours: a provider adds one when it sends the customer back, and what it says is not believed.
  if (location.hash || location.search) history.replaceState(history.state, "", location.pathname);
  return { secret: SHAPE.test(text) ? text : null, ownWindow: text === OWN_WINDOW };
}

/**
 * Enter the session; raises Problem with what to say when there is no way in.
 * @param {Frame} frame
 * @param {{ secret: string | null, ownWindow: boolean }} fragment
 * @param {Promise<string>} opening the secret that the embedding page will send, if there is one
 * @returns {Promise<{ api: Api, view: View, luggage: Luggage | null }>}
 */
export async function enter(frame, fragment, opening) {
  const { session } = frame;
  const luggage = fragment.ownWindow ? await askOpener() : null;
  if (luggage) keepCredential(session, luggage.credential);
  if (fragment.secret) own.set(pending(session), fragment.secret);
  const secret = own.get(pending(session));
  const kept = keptCredential(session);
  if (kept) {
    const api = new Api(kept);
    try {
      const view = await api.read();
      own.remove(pending(session));
      return { api, view, luggage };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      // It was made, but the server never heard of it; with the secret it can be told now.
      if (!secret && !EMBEDDED && !window.opener) {
        forgetCredential(session);
        throw error;
      }
    }
  }
  const used = secret ?? (await secretFromOutside(opening));
  if (subjectOf(used) !== session) {
    own.remove(pending(session));
    throw new Problem("session_origin_mismatch");
  }
  const credential = credentialFor(session, frame.livemode);
  try {
    const view = await exchange(used, credential);
    own.remove(pending(session));
    return { api: new Api(credential), view, luggage };
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
      own.remove(pending(session));
      forgetCredential(session);
    }
    throw error;
  }
}

/**
 * Whose secret it is, by its own word; whether that is true, the server looks.
 * @param {string} secret
 * @returns {unknown}
 */
function subjectOf(secret) {
  try {
    const claims = secret.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).sub;
  } catch {
    return null;
  }
}

/** @param {Promise<string>} opening @returns {Promise<string>} */
async function secretFromOutside(opening) {
  if (!EMBEDDED && !window.opener) throw new Problem("session_secret_missing");
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Problem("session_secret_missing")), OUTER_PATIENCE_MS);
  });
  return /** @type {Promise<string>} */ (Promise.race([opening, late]));
}

const ASKED = "rampwright:luggage?";
const GIVEN = "rampwright:luggage";
const PATIENCE_MS = 2_000;
const FEATURES = "popup,width=480,height=820";

/** The URL's fragment that says: ask the window that opened you. */
export const OWN_WINDOW = "own-window";

/**
 * Open the session in its own window; null when the browser refuses.
 * @param {Luggage} luggage
 * @returns {Window | null}
 */
export function openOwnWindow(luggage) {
  const opened = window.open(`${location.pathname}#${OWN_WINDOW}`, "_blank", FEATURES);
  if (!opened) return null;
  /** @param {MessageEvent<unknown>} event */
  const answer = (event) => {
    if (event.source !== opened || event.origin !== location.origin || event.data !== ASKED) return;
    opened.postMessage({ type: GIVEN, luggage }, location.origin);
    window.removeEventListener("message", answer);
  };
  window.addEventListener("message", answer);
  return opened;
}

/**
 * Ask the opener; null when it has nothing to give.
 * @returns {Promise<Luggage | null>}
 */
export function askOpener() {
  const opener = /** @type {Window | null} */ (window.opener);
  if (!opener) return Promise.resolve(null);
  return new Promise((resolve) => {
    /** @param {Luggage | null} luggage */
    const end = (luggage) => {
      window.clearTimeout(timer);
      window.removeEventListener("message", hear);
      resolve(luggage);
    };
    /** @param {MessageEvent<unknown>} event */
    const hear = (event) => {
      if (event.source !== opener || event.origin !== location.origin) return;
      const data = /** @type {{ type?: unknown, luggage?: Luggage } | null} */ (event.data);
      if (data?.type === GIVEN && data.luggage) end(data.luggage);
    };
    const timer = window.setTimeout(() => end(null), PATIENCE_MS);
    window.addEventListener("message", hear);
    opener.postMessage(ASKED, location.origin);
  });
}

const BYTES = 32;

/** @param {string} session */
const place = (session) => `rampwright:${session}`;

/**
 * The credential that this browser keeps for the session, if any.
 * @param {string} session
 */
export function keptCredential(session) {
  return shared.get(place(session));
}

/** @param {string} session @param {string} credential */
export function keepCredential(session, credential) {
  shared.set(place(session), credential);
}

/** @param {string} session */
export function forgetCredential(session) {
  shared.remove(place(session));
}

/**
 * The kept credential, or a new one of 256 random bits. It is kept before the server hears of it, so that an answer
 * that gets lost on the way costs nothing: the same exchange can be asked for again.
 * @param {string} session
 * @param {boolean} livemode
 */
export function credentialFor(session, livemode) {
  const kept = keptCredential(session);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  const text = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  const credential = `rmp_ws_${livemode ? "live" : "test"}_${text}`;
  keepCredential(session, credential);
  return credential;
}

/**
 * Storage can be missing, refused when it is merely named, full, or emptied at any time: none of it may stop a payment.
 * @param {() => Storage} open
 * @returns {Store}
 */
function careful(open) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @template T @param {(storage: Storage) => T} act @returns {T | null} */
  const attempt = (act) => {
    try {
      return act(open());
    } catch {
      return null;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key)) ?? memory.get(key) ?? null,
    set: (key, value) => {
      memory.set(key, value);
      attempt((storage) => storage.setItem(key, value));
    },
    remove: (key) => {
      memory.delete(key);
      attempt((storage) => storage.removeItem(key));
    },
  };
}

/** Shared by every tab of this origin. */
export const shared = careful(() => window.localStorage);

/** This tab's alone; survives a reload. */
export const own = careful(() => window.sessionStorage);

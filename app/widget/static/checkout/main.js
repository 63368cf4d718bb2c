// Where the page begins: take the secret out of the address bar, find the way in, and start the checkout.
// @ts-check

/** @import { Texts } from "./texts.js" */
import { Problem, asProblem, pause } from "./api.js";
import { Checkout } from "./checkout.js";
import { fill } from "./dom.js";
import { enter, takeFragment } from "./entry.js";
import { EMBEDDED, Outer, readFrame } from "./outer.js";
import { deadEnd } from "./shell.js";
import { loadTexts } from "./texts.js";
import { applyTheme } from "./theme.js";

const AGAIN_MS = 3_000;

/** @param {Texts} texts */
function speak(texts) {
  const root = document.documentElement;
  root.lang = texts.locale;
  root.dir = texts.rightToLeft ? "rtl" : "ltr";
}

/** @param {Texts} texts @param {unknown} error */
function giveUp(texts, error) {
  document.getElementById("page")?.removeAttribute("aria-busy");
  const main = document.getElementById("main");
  if (main) fill(main, deadEnd(texts, asProblem(error), null));
}

/** The texts, however long it takes: without them nothing can be said. @param {string} locale @returns {Promise<Texts>} */
async function textsAtLast(locale) {
  for (;;) {
    try {
      return await loadTexts(locale);
    } catch {
      await pause(AGAIN_MS);
    }
  }
}

async function start() {
  const fragment = takeFragment();
  const frame = readFrame();
  document.documentElement.dataset.place = EMBEDDED ? "frame" : "top";
  /** @type {Checkout | null} */
  let checkout = null;
  /** @type {(secret: string) => void} */
  let opened = () => {};
  const opening = new Promise((/** @type {(secret: string) => void} */ resolve) => (opened = resolve));
  const onClose = () => checkout?.close();
  const outer = new Outer(frame?.allowed_origins ?? [], ({ secret }) => opened(secret), onClose);
  const texts = await textsAtLast(frame?.locale ?? "en");
  speak(texts);
  if (EMBEDDED) outer.watchHeight(/** @type {HTMLElement} */ (document.getElementById("page")));
  try {
    if (!frame) throw new Problem("not_found");
    const { api, view, luggage } = await enter(frame, fragment, opening);
    applyTheme(view.theme);
    const { STEPS } = await (view.direction === "buy" ? import("./steps/buy.js") : import("./steps/sell.js"));
    checkout = new Checkout(view, api, texts, outer, STEPS, luggage);
  } catch (error) {
    giveUp(texts, error);
  }
}

// Another link to the same session, opened in this very tab, only changes the fragment.
window.addEventListener("hashchange", () => location.hash && location.reload());
void start();

// What stays around the steps: the partner's name, the way that is left, what the purchase comes to, the banner for a
// lost network, the voice for screen readers; and the page when there is no way on.
// @ts-check

/** @import { Problem } from "./api.js" */
/** @import { Checkout } from "./checkout.js" */
/** @import { Texts } from "./texts.js" */
/** @import { Money, Side, Step, StepName, View } from "./types.js" */
import { describe, el, fill, icon } from "./dom.js";
import { EMBEDDED } from "./outer.js";
import { notice, section } from "./parts/controls.js";
import { returnLink } from "./parts/facts.js";
import { planOf } from "./plan.js";

const TICK_MS = 1_000;
const SAY_AGAIN_MS = 60;

/** @param {string} id @returns {HTMLElement} a part of the page's own HTML */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Shell {
  #checkout;
  #main = part("main");
  #live = part("live");
  #offline = part("offline");
  #foot = part("foot-time");
  /** @type {StepName} */
  #step = "amount";

  /** @param {Checkout} checkout */
  constructor(checkout) {
    this.#checkout = checkout;
    const { texts, view } = checkout;
    fill(part("partner"), el("bdi", {}, view.partner.name));
    const mode = view.livemode
      ? null
      : el("span", { class: "pill", title: texts.say("test.explained") }, texts.say("test"));
    const closable = EMBEDDED || window.opener;
    const close =
      closable &&
      el(
        "button",
        { type: "button", class: "quiet icon-button", "data-testid": "close", "aria-label": texts.say("close") },
        icon("close"),
      );
    if (close) close.addEventListener("click", () => checkout.close());
    fill(part("top-end"), mode, close);
    part("page").removeAttribute("aria-busy");
    window.setInterval(() => this.#tick(), TICK_MS);
  }

  /** @param {StepName} step the step to be shown, or already there */
  update(step) {
    this.#step = step;
    const checkout = this.#checkout;
    fill(part("ramp"), ...progress(checkout.texts, planOf(checkout.view), step));
    this.redrawSummary();
    this.#tick();
  }

  redrawSummary() {
    fill(part("summary"), ...summary(this.#checkout));
  }

  /**
   * @param {Step} step
   * @param {boolean} first the page has only just opened: the focus stays where the customer has it
   */
  show(step, first) {
    fill(this.#main, step.root);
    const heading = step.root.querySelector("h1");
    document.title = `${heading?.textContent ?? ""} · ${this.#checkout.view.partner.name}`;
    if (first) return;
    if (!EMBEDDED) window.scrollTo(0, 0);
    heading?.focus({ preventScroll: !EMBEDDED });
  }

  /** @param {Problem} problem after which this page can do nothing more */
  end(problem) {
    fill(this.#main, deadEnd(this.#checkout.texts, problem, this.#checkout.view));
  }

  /** @param {boolean} up whether the server can be reached */
  line(up) {
    // A stream can outlive the network that it came over, for a while.
    if (up && navigator.onLine) {
      if (!this.#offline.hidden) this.announce(this.#checkout.texts.say("online"));
      this.#offline.hidden = true;
    }
    if (up) return;
    const { texts, order, view } = this.#checkout;
    const values = { time: texts.time(view.now) };
    const unknown = texts.say(order ? "offline.order" : "offline.none", values);
    fill(this.#offline, icon("offline"), el("span", {}, el("strong", {}, texts.say("offline")), " ", unknown));
    this.#offline.hidden = false;
  }

  /** @param {string} text */
  announce(text) {
    // The same words twice are only heard again when they were gone in between.
    this.#live.textContent = "";
    window.setTimeout(() => (this.#live.textContent = text), SAY_AGAIN_MS);
  }

  #tick() {
    const { texts, clock, view, order } = this.#checkout;
    const left = clock.until(view.expires_at);
    const shown = !order && left > 0 && this.#step !== "status";
    describe(this.#foot, { hidden: !shown });
    if (shown) this.#foot.textContent = texts.say("session.left", { time: texts.clock(left) });
    if (!order && left === 0 && view.status !== "expired") this.#expired();
  }

  #expired() {
    const checkout = this.#checkout;
    if (checkout.view.status !== "revoked") checkout.accept({ ...checkout.view, status: "expired" });
  }
}

/**
 * @param {Texts} texts
 * @param {StepName[]} plan
 * @param {StepName} step
 * @returns {HTMLElement[]} list items
 */
export function progress(texts, plan, step) {
  const at = plan.indexOf(step === "authentication" ? "payment" : step);
  return plan.map((name, index) => {
    const state = index < at ? "done" : index === at ? "now" : "later";
    const words = texts.say(`step.${name}`);
    return el(
      "li",
      { "data-state": state, "aria-current": state === "now" ? "step" : null },
      el("span", { class: "ramp-bar", "aria-hidden": "true" }),
      el("span", { class: "ramp-name" }, words),
      state === "done" && el("span", { class: "visually-hidden" }, ` (${texts.say("done")})`),
    );
  });
}

/** @param {Checkout} checkout @returns {HTMLElement[]} */
export function summary(checkout) {
  const { texts, view, order, quote } = checkout;
  const buy = view.direction === "buy";
  const coins = texts.asset(buy ? view.destination : view.source).name;
  const title = el("p", { class: "summary-title" }, texts.say(buy ? "summary.buy" : "summary.sell", { asset: coins }));
  const agreed = order ?? quote;
  const amounts = [
    line(checkout, buy ? "pay" : "give", agreed?.source ?? view.source),
    line(checkout, "receive", agreed?.destination ?? view.destination),
  ];
  return [title, el("dl", { class: "summary-amounts" }, ...amounts)];
}

/** @param {Checkout} checkout @param {string} label @param {Money | Side} money */
function line({ texts }, label, money) {
  const known = money.amount ? texts.money({ ...money, amount: money.amount }) : "–";
  return el("div", {}, el("dt", {}, texts.say(label)), el("dd", {}, el("bdi", {}, known)));
}

/**
 * @param {Texts} texts
 * @param {Problem} problem
 * @param {View | null} view
 * @returns {HTMLElement}
 */
export function deadEnd(texts, problem, view) {
  const said = notice(texts);
  const link = view && returnLink(texts, view);
  const retry =
    problem.retryable && el("button", { type: "button", class: "primary", "data-testid": "retry" }, texts.say("retry"));
  if (retry) retry.addEventListener("click", () => location.reload());
  const title = texts.say(problem.retryable ? "retry.title" : "ended.title");
  const { root } = section("status", title, said.root, el("div", { class: "actions" }, retry, link));
  root.querySelector("h1")?.setAttribute("data-testid", "status-title");
  said.show(problem, view);
  return root;
}

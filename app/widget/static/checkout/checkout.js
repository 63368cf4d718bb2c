// The checkout at work: one view from the server, one draft of the customer's, and the step that follows from both.
// @ts-check

/** @import { Api } from "./api.js" */
/** @import { Outer } from "./outer.js" */
/** @import { Texts } from "./texts.js" */
/** @import { Bank, Draft, Luggage, Order, Quote, Step, StepName, Steps, View } from "./types.js" */
import { Problem, asProblem } from "./api.js";
import { own } from "./entry.js";
import { Clock, follow } from "./live.js";
import { orderAtHand, planOf, stepOf } from "./plan.js";
import { Shell } from "./shell.js";

/** @type {Draft} */
const NOTHING = {
  step: "amount",
  amount: "",
  side: "source",
  method: null,
  address: "",
  compared: false,
  refundAddress: "",
  after: null,
};

export class Checkout {
  clock = new Clock();
  /** @type {Bank | null} in memory only */
  bank = null;
  /** @type {Quote | null} the newest price that this tab has seen */
  quote = null;
  /** @type {Problem | null} shown by the step that comes next */
  carried = null;
  /** @type {{ name: StepName, step: Step } | null} */
  #shown = null;
  /** whether the stream is up, and tells of every change by itself */
  #told = false;
  #steps;
  #stream;
  #shell;

  /**
   * @param {View} view @param {Api} api @param {Texts} texts @param {Outer} outer
   * @param {Steps} steps those of this direction
   * @param {Luggage | null} luggage from the frame that opened this window for the confirmation
   */
  constructor(view, api, texts, outer, steps, luggage) {
    this.view = view;
    this.api = api;
    this.texts = texts;
    this.outer = outer;
    this.#steps = steps;
    this.ownWindow = luggage !== null;
    this.bank = luggage?.bank ?? null;
    this.draft = this.#keptDraft();
    if (luggage) this.note(luggage.draft);
    this.clock.set(view.now);
    this.texts.assets = view.assets;
    this.quote = view.quote;
    this.#shell = new Shell(this);
    this.#stream = follow(api.credential, {
      onView: (next) => this.accept(next),
      onLine: (up) => {
        this.#told = up;
        this.#shell.line(up);
      },
      onRefused: () => void this.refresh(),
    });
    window.addEventListener("popstate", (event) => this.#back(event.state));
    window.addEventListener("online", () => this.#awake());
    window.addEventListener("offline", () => this.#shell.line(false));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#awake());
    window.addEventListener("pageshow", (event) => event.persisted && this.#awake());
    this.#follow();
  }

  /** The order that this page is about, or null while there is none. */
  get order() {
    return orderAtHand(this.view, this.draft);
  }

  /** @returns {string} where the draft of this tab is kept */
  get #draftPlace() {
    return `rampwright:${this.view.id}:draft`;
  }

  /** @returns {Draft} */
  #keptDraft() {
    try {
      return { ...NOTHING, ...JSON.parse(own.get(this.#draftPlace) ?? "{}") };
    } catch {
      return { ...NOTHING };
    }
  }

  /** @param {Partial<Draft>} change remember what the customer has entered */
  note(change) {
    this.draft = { ...this.draft, ...change };
    own.set(this.#draftPlace, JSON.stringify(this.draft));
  }

  /** @param {View} view what the server says now; an older answer that was overtaken is left aside */
  accept(view) {
    if (Date.parse(view.now) < Date.parse(this.view.now)) return;
    this.view = view;
    this.clock.set(view.now);
    this.texts.assets = view.assets;
    this.#follow();
  }

  /** @param {Order} order an answer that came before the stream told of it */
  acceptOrder(order) {
    const known = this.view.order;
    if (known?.id === order.id && known.sequence > order.sequence) return;
    const ends = known?.id === order.id ? known.payment?.client_secret : null;
    const payment = order.payment && { ...order.payment, client_secret: order.payment.client_secret ?? ends };
    this.view = { ...this.view, order: { ...order, payment } };
    this.#follow();
    this.catchUp();
  }

  /** Something has changed on the server: ask for it, unless we shall be told. */
  catchUp() {
    if (!this.#told) void this.refresh();
  }

  /** Ask the server where things stand. */
  async refresh() {
    try {
      this.accept(await this.api.read());
      this.#shell.line(true);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 401 || problem.status === 403) this.#shell.end(problem);
      else this.#shell.line(false);
    }
  }

  /** @param {StepName} step the customer moves on, or back */
  go(step) {
    this.note({ step });
    const before = this.#shown?.name;
    this.#follow();
    if (this.#shown && this.#shown.name !== before) history.pushState({ step: this.#shown.name }, "");
  }

  /** The step before the one on the screen. */
  back() {
    const plan = planOf(this.view);
    const at = this.#shown ? plan.indexOf(this.#shown.name) : 0;
    if (at > 0) this.go(plan[at - 1]);
  }

  /** The step after the one on the screen. */
  next() {
    const plan = planOf(this.view);
    const at = this.#shown ? plan.indexOf(this.#shown.name) : 0;
    this.go(plan[Math.min(at + 1, plan.length - 1)]);
  }

  /** @param {StepName} step where the problem can be mended @param {Problem} problem said there */
  goBackWith(step, problem) {
    this.carried = problem;
    this.go(step);
  }

  redrawSummary() {
    this.#shell.redrawSummary();
  }

  /** Begin again after an order that ended without money. */
  again() {
    this.quote = null;
    this.note({ step: "amount", after: this.view.order?.id ?? null });
    this.#follow();
  }

  /** @param {string} text said by a screen reader */
  announce(text) {
    this.#shell.announce(text);
  }

  /** The embedding page, or the customer, wants the checkout gone. What was paid goes on without it. */
  close() {
    this.outer.closed();
    if (window.opener) window.close();
  }

  /** @param {unknown} state of the history entry that the customer went back or forward to */
  #back(state) {
    const step = /** @type {{ step?: StepName } | null} */ (state)?.step;
    if (step && !this.order) this.note({ step });
    this.#follow();
  }

  #awake() {
    this.#stream.wake();
    void this.refresh();
  }

  /** Show the step that follows from the view and the draft, or bring the shown one up to date. */
  #follow() {
    const name = stepOf(this.view, this.draft, this.bank !== null);
    this.#shell.update(name);
    if (this.view.order) this.outer.order(this.view.order);
    if (this.#shown?.name === name) {
      this.#shown.step.update(this.view);
      return;
    }
    this.#shown?.step.leave();
    const first = this.#shown === null;
    if (first || this.order) history.replaceState({ step: name }, "");
    const make = this.#steps[name];
    if (!make) throw new Error(`there is no step ${name} here`);
    const step = make(this);
    this.#shown = { name, step };
    this.#shell.show(step, first);
    step.update(this.view);
    this.outer.step(name);
  }

  /** @returns {Problem | null} what the step before could not say any more */
  takeCarried() {
    const { carried } = this;
    this.carried = null;
    return carried;
  }
}

// Paying for an order: with Stripe's own form, with the sandbox's test cards, or by a transfer that the customer sends;
// and the question of the customer's bank (3-D Secure).
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { PayForm, Step, View } from "../types.js" */
import { Problem, asProblem, decline } from "../api.js";
import { el, icon, quiet, webAddress } from "../dom.js";
import { actionButton, actions, cancelButton, countdown, notice, section } from "../parts/controls.js";
import { sandboxForm, transferForm } from "../pay/forms.js";

// After so long without the provider's word the customer may press again: the order takes one payment at most.
const LATE_MS = 20_000;

/** @param {Checkout} checkout @returns {Step} */
export function paymentStep(checkout) {
  const { texts, clock } = checkout;
  const said = notice(texts);
  const waiting = el(
    "p",
    { class: "waiting", role: "status", hidden: true },
    el("span", { class: "spinner", "aria-hidden": "true" }),
    el("span", {}, texts.say("payment.sent")),
  );
  const timer = countdown(texts, clock, { words: "payment.window", onEnd: () => void checkout.refresh() });
  const form = formFor(checkout, said.show);
  const order = checkout.order;
  const total = order ? texts.money(order.source) : "";
  const pay = actionButton({ testid: "pay", label: texts.say("payment.pay", { total }) }, () => press());
  const cancel = cancelButton(checkout, (problem) => said.show(problem, checkout.view));
  const { root } = section(
    "payment",
    texts.say("payment.title"),
    el("p", { class: "sum" }, el("bdi", {}, total)),
    el("div", { class: "price" }, timer.root),
    form.root,
    waiting,
    said.root,
    form.pay && actions(pay.root),
    cancel.root,
  );

  let sentAt = -1; // the order's sequence when the payment was sent: until it grows, the answer is on its way
  const late = quiet(() => {
    sentAt = -1;
    draw();
  });
  const press = async () => {
    if (!form.pay || !checkout.order) return;
    said.clear();
    const { sequence } = checkout.order;
    try {
      const problem = await form.pay();
      if (problem) said.show(problem, checkout.view);
      else {
        sentAt = sequence;
        late.after(LATE_MS);
      }
    } catch (error) {
      const problem = asProblem(error);
      said.show(problem, checkout.view);
    }
    draw();
    checkout.catchUp();
  };
  const draw = () => {
    const now = checkout.order;
    const sent = now !== null && now.sequence === sentAt;
    waiting.hidden = !sent;
    pay.allow(!sent);
    cancel.root.hidden = sent || !now?.allowed_actions.includes("cancel");
  };
  if (order) timer.start(order.created_at, order.expires_at);
  const failure = order?.payment?.failure;
  const carried = checkout.takeCarried();
  if (carried) said.show(carried, checkout.view);
  else if (failure?.code) said.show(decline(failure.code), checkout.view);
  return {
    root,
    update: (view) => {
      const failed = view.order?.payment?.failure?.code;
      if (failed && view.order && sentAt >= 0 && view.order.sequence !== sentAt) {
        said.show(decline(failed), view);
        sentAt = -1;
      }
      form.update?.(view);
      draw();
    },
    leave: () => {
      late.stop();
      timer.stop();
    },
  };
}

/** @param {Checkout} checkout @param {(problem: Problem, view: View) => void} say @returns {PayForm} */
function formFor(checkout, say) {
  const { texts, view, order } = checkout;
  const action = order?.next_action;
  if (action?.type === "bank_transfer") return transferForm(checkout);
  const redirect = action?.type === "redirect" ? webAddress(action.url) : null;
  if (redirect) {
    const link = el(
      "a",
      { class: "primary", href: redirect, target: "_top", rel: "noopener" },
      texts.say("payment.redirect"),
      icon("external"),
    );
    return { root: el("div", {}, link), pay: null };
  }
  if (view.checkout.kind === "sandbox") return sandboxForm(checkout);
  return stripeWhenLoaded(checkout, (problem) => say(problem, checkout.view));
}

/** @param {Checkout} checkout @param {(problem: Problem) => void} refuse @returns {PayForm} */
function stripeWhenLoaded(checkout, refuse) {
  const root = el("div", {});
  /** @type {PayForm | null} */
  let form = null;
  const load = async () => {
    const { stripeForm } = await import("../pay/stripe.js");
    form = stripeForm(checkout, refuse);
    root.append(form.root);
  };
  load().catch(() => refuse(new Problem("stripe_unavailable")));
  return { root, pay: async () => (form?.pay ? form.pay() : new Problem("stripe_unavailable", { retryable: true })) };
}

/** @param {Checkout} checkout */
async function askStripe(checkout) {
  const { authenticateWithStripe } = await import("../pay/stripe.js");
  return authenticateWithStripe(checkout);
}

/** @param {Checkout} checkout @returns {Step} */
export function authenticationStep(checkout) {
  const { texts, view, clock } = checkout;
  const sandbox = view.checkout.kind === "sandbox";
  const said = notice(texts);
  const waiting = el(
    "p",
    { class: "waiting", role: "status", hidden: true },
    el("span", { class: "spinner", "aria-hidden": "true" }),
    el("span", {}, texts.say("authentication.sent")),
  );
  const timer = countdown(texts, clock, { words: "payment.window", onEnd: () => void checkout.refresh() });
  let sentAt = -1;
  // Should the provider's word not come, the customer can ask again: it is the same attempt.
  const late = quiet(() => {
    sentAt = -1;
    draw();
  });

  /** @param {() => Promise<Problem | null>} ask */
  const press = async (ask) => {
    const sequence = checkout.order?.sequence ?? -1;
    said.clear();
    try {
      const problem = await ask();
      if (problem) checkout.carried = problem; // the payment step comes next, and says it
      sentAt = sequence;
      late.after(LATE_MS);
    } catch (error) {
      said.show(asProblem(error), checkout.view);
    }
    draw();
    checkout.catchUp();
  };
  /** @param {"succeeded" | "failed"} outcome */
  const answer = (outcome) => async () => {
    const { order } = checkout;
    if (!order) return null;
    const said = await checkout.api.authenticate(order, outcome);
    return said.status === "declined" ? decline(said.code ?? "authentication_failed") : null;
  };
  const agree = actionButton({ testid: "authenticate-succeed", label: texts.say("authentication.succeed") }, () =>
    press(answer("succeeded")),
  );
  const refuse = actionButton(
    { testid: "authenticate-fail", kind: "secondary", label: texts.say("authentication.fail") },
    () => press(answer("failed")),
  );
  const go = actionButton({ testid: "authenticate", label: texts.say("authentication.go") }, () =>
    press(() => askStripe(checkout)),
  );
  const cancel = cancelButton(checkout, (problem) => said.show(problem, checkout.view));
  const buttons = sandbox ? [refuse, agree] : [go];
  const { root } = section(
    "authentication",
    texts.say("authentication.title"),
    el("p", { class: "lead" }, texts.say("authentication.lead")),
    sandbox &&
      el(
        "div",
        { class: "sandbox" },
        el("strong", {}, texts.say("sandbox.title")),
        el("span", {}, texts.say("authentication.sandbox")),
      ),
    el("div", { class: "price" }, timer.root),
    waiting,
    said.root,
    actions(...buttons.map((button) => button.root)),
    cancel.root,
  );
  const draw = () => {
    const sent = checkout.order !== null && checkout.order.sequence === sentAt;
    waiting.hidden = !sent;
    for (const button of buttons) button.allow(!sent);
    cancel.root.hidden = sent || !checkout.order?.allowed_actions.includes("cancel");
  };
  const leave = () => {
    late.stop();
    timer.stop();
  };
  if (checkout.order) timer.start(checkout.order.created_at, checkout.order.expires_at);
  return { root, update: draw, leave };
}

// Which steps a session has, and which one it is at. What the server says comes first; the draft only decides how far
// a customer has come before there is an order.
// @ts-check

/** @import { Draft, Order, StepName, View } from "./types.js" */

/** Orders that have ended with nothing of the customer's money kept: another one may follow. */
const ENDED_WITHOUT_MONEY = ["expired", "canceled", "failed"];

/** @param {View} view @returns {StepName[]} in the customer's order; authentication belongs to the payment */
export function planOf(view) {
  /** @type {StepName[]} */
  const details = view.direction === "buy" ? ["address"] : view.external_account ? [] : ["bank"];
  // The identity step of the partner platform comes here, after the details and before the review.
  return ["amount", ...details, "review", view.direction === "buy" ? "payment" : "deposit", "status"];
}

/** @param {View} view @param {Draft} draft @returns {Order | null} the order that counts, unless the customer begins anew */
export function orderAtHand(view, draft) {
  return view.order && view.order.id !== draft.after ? view.order : null;
}

/** @param {View} view whether a new order may still be placed in this session */
export function mayOrder(view) {
  const open = view.status === "created" || view.status === "opened" || view.status === "ordered";
  const ended = !view.order || ENDED_WITHOUT_MONEY.includes(view.order.status);
  return open && ended && Date.parse(view.expires_at) > Date.parse(view.now);
}

/**
 * The step to show.
 * @param {View} view
 * @param {Draft} draft
 * @param {boolean} bankKnown whether the bank details were entered; they are never stored
 * @returns {StepName}
 */
export function stepOf(view, draft, bankKnown) {
  const order = orderAtHand(view, draft);
  if (order) return stepOfOrder(order);
  if (!mayOrder(view)) return "status";
  const plan = planOf(view);
  const wanted = Math.max(0, plan.indexOf(draft.step));
  const missing = plan.findIndex((step) => isMissing(step, view, draft, bankKnown));
  return plan[Math.min(wanted, missing)];
}

/** @param {StepName} step @param {View} view @param {Draft} draft @param {boolean} bankKnown */
function isMissing(step, view, draft, bankKnown) {
  if (step === "amount") return !draft.amount && !view.quote && !view.source.amount && !view.destination.amount;
  if (step === "address") return !draft.address && !view.destination.address;
  if (step === "bank") return !bankKnown;
  return true; // from the review on only an order leads further
}

/** @param {Order} order @returns {StepName} */
function stepOfOrder(order) {
  if (order.status === "awaiting_action") return "authentication";
  if (order.status !== "awaiting_funds" && order.status !== "created") return "status";
  return order.direction === "buy" ? "payment" : "deposit";
}

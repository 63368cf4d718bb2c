// What the customer, the bank and the chain can do with an order in its present state: the test world's levers.
// @ts-check

/** @typedef {import("./api.js").Json} Json */
/** @typedef {{ title: string, path: string, body?: Json, bad?: boolean }} Scenario */

const CARDS = [
  { title: "Good card", card: "4242424242424242" },
  { title: "Declined card", card: "4000000000000002", bad: true },
  { title: "Card without funds", card: "4000000000009995", bad: true },
  { title: "3-D Secure card", card: "4000002760003184" },
];
/** @type {Record<string, [good: string, failing: string]>} */
const DEBITS = {
  ach_debit: ["000123456789", "000222222227"],
  sepa_debit: ["DE89370400440532013000", "DE62370400440532013001"],
};

/**
 * A share of a decimal amount, cut to the amount's own digits: no float ever holds money.
 * @param {string} amount
 * @param {bigint} percent
 */
export function share(amount, percent) {
  const [whole, part = ""] = amount.split(".");
  const units = String((BigInt(whole + part) * percent) / 100n).padStart(part.length + 1, "0");
  const point = units.length - part.length;
  return part ? `${units.slice(0, point)}.${units.slice(point)}` : units;
}

/**
 * @param {Json} order
 * @param {string | null} method how it is paid
 * @returns {Scenario[]}
 */
export function scenariosOf(order, method) {
  const found = order.direction === "buy" ? ofBuy(order, method) : ofSell(order);
  for (const [action, title] of [["cancel", "Cancel it"], ["refund", "Refund it"]]) {
    if (order.allowed_actions?.includes(action)) found.push({ title, path: `/v1/orders/${order.id}/${action}`, bad: true });
  }
  return found;
}

/** @param {string} network @returns {Scenario[]} */
const mining = (network) =>
  [1, 6].map((blocks) => ({
    title: blocks === 1 ? "Mine a block" : `Mine ${blocks} blocks`,
    path: "/v1/simulate/chain/mine",
    body: { network, blocks },
  }));

/** @param {Json} order @param {string | null} method @returns {Scenario[]} */
function ofBuy(order, method) {
  const order_id = order.id;
  const [asked, paid] = [order.status === "awaiting_funds", Number(order.source.received) > 0];
  /** @type {Scenario[]} */
  const found = [];
  if (asked && method === "bank_transfer") {
    for (const [title, percent] of /** @type {[string, bigint][]} */ ([["Transfer it all", 100n], ["Half of it", 50n], ["A fifth too much", 120n]])) {
      const amount = share(order.source.amount, percent);
      found.push({ title, path: "/v1/simulate/transfer/credit", body: { order_id, amount }, bad: percent !== 100n });
    }
  } else if (asked && method && DEBITS[method]) {
    const [good, failing] = DEBITS[method];
    found.push({ title: "Give a mandate", path: "/v1/simulate/debit/authorize", body: { order_id, account: good } });
    found.push({ title: "Mandate that fails", path: "/v1/simulate/debit/authorize", body: { order_id, account: failing }, bad: true });
  } else if (asked) {
    for (const { title, card, bad } of CARDS) found.push({ title, path: "/v1/simulate/card/pay", body: { order_id, card }, bad });
  }
  if (order.status === "awaiting_action") {
    found.push({ title: "Pass 3-D Secure", path: "/v1/simulate/card/authenticate", body: { order_id, outcome: "succeeded" } });
    found.push({ title: "Fail 3-D Secure", path: "/v1/simulate/card/authenticate", body: { order_id, outcome: "failed" }, bad: true });
  }
  if (order.status === "processing" && method && DEBITS[method]) {
    found.push({ title: "Settle the debit", path: "/v1/simulate/debit/settle", body: { order_id } });
  }
  if (order.status === "processing") found.push(...mining(order.destination.network));
  if (paid && method === "card") {
    const disputed = order.dispute && !["won", "lost"].includes(order.dispute.status);
    if (!disputed) found.push({ title: "Charge it back", path: "/v1/simulate/card/chargeback", body: { order_id }, bad: true });
    else for (const outcome of ["won", "lost"]) found.push({ title: `Dispute: ${outcome}`, path: "/v1/simulate/card/chargeback", body: { order_id, outcome }, bad: outcome === "lost" });
  }
  if (paid && method && DEBITS[method]) {
    found.push({ title: "Return the debit", path: "/v1/simulate/debit/return", body: { order_id }, bad: true });
  }
  return found;
}

/** @param {Json} order @returns {Scenario[]} */
function ofSell(order) {
  /** @type {Scenario[]} */
  const found = [];
  if (order.status === "awaiting_funds") {
    for (const [title, percent] of /** @type {[string, bigint][]} */ ([["Deposit exactly", 100n], ["Half of it", 50n], ["A fifth too much", 120n]])) {
      const amount = share(order.deposit?.amount ?? order.source.amount, percent);
      found.push({ title, path: "/v1/simulate/chain/deposit", body: { order_id: order.id, amount }, bad: percent !== 100n });
    }
  }
  if (["awaiting_funds", "processing"].includes(order.status)) found.push(...mining(order.source.network));
  return found;
}

// What becomes of the order, live: its stages with their times, the chain's confirmations, how it ended, and a receipt.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { Texts } from "../texts.js" */
/** @import { Order, Stage, Step, View } from "../types.js" */
import { Problem, decline } from "../api.js";
import { el, fill, icon, svg } from "../dom.js";
import { actionButton, actions, notice, section } from "../parts/controls.js";
import { details, explorerLink, groupedAddress, moneyMoved, returnLink } from "../parts/facts.js";
import { mayOrder } from "../plan.js";
import { isSome } from "../texts.js";

const DEEPENS = ["confirmation", "deposit_detected"];
const TELLS_PROBLEM = ["failed", "expired", "canceled"];
const PICTURES = { completed: "check", failed: "cross", canceled: "cross", expired: "wait", refunded: "return" };

/** @param {Checkout} checkout @returns {Step} */
export function statusStep(checkout) {
  const { texts } = checkout;
  const said = notice(texts);
  const emblem = el("div", { class: "emblem" });
  const money = el("p", { class: "lead", "data-testid": "money-moved" });
  const body = el("div", { class: "status-body" });
  const paper = el("div", { class: "receipt-place" });
  const print = actionButton({ testid: "receipt", kind: "secondary", label: texts.say("receipt") }, () =>
    window.print(),
  );
  print.root.prepend(icon("print"));
  const again = actionButton({ testid: "requote", label: texts.say("again") }, () => checkout.again());
  const buttons = actions();
  const { root, heading } = section("status", "", money, said.root, body, buttons, paper);
  heading.dataset.testid = "status-title";
  root.prepend(emblem);

  let heard = "";
  /** @param {View} view */
  const update = (view) => {
    const { order } = checkout;
    const title = titleOf(checkout, order);
    if (heading.textContent !== title) heading.textContent = title;
    if (heard && heard !== title) checkout.announce(title);
    heard = title;
    root.dataset.status = order?.status ?? view.status;
    const fresh = mayOrder(view);
    fill(buttons, fresh && again.root, returnLink(texts, view, !fresh), order && print.root);
    if (!order) {
      said.show(new Problem(view.status === "revoked" ? "session_ended" : "session_expired"), view);
      return;
    }
    money.textContent = leadOf(checkout, order);
    if (order.status !== "completed" && TELLS_PROBLEM.includes(order.status)) tell(order, view);
    else said.clear();
    fill(emblem, emblemOf(checkout, view, order));
    fill(body, ...bodyOf(checkout, view, order));
    fill(paper, receipt(checkout, view, order));
  };
  let told = "";
  /** @param {Order} order @param {View} view */
  const tell = (order, view) => {
    const code = order.failure?.code ?? order.payment?.failure?.code ?? `order_${order.status}`;
    if (told !== order.id + code)
      said.show(order.status === "failed" ? decline(code) : new Problem(`order_${order.status}`), view);
    told = order.id + code;
  };
  return { root, update, leave: () => {} };
}

/** @param {Checkout} checkout @param {Order | null} order */
function titleOf({ texts }, order) {
  if (!order) return texts.say("ended.title");
  if (order.hold) return texts.say("status.hold");
  const named = `status.${order.status}.${order.stage}`;
  const directed = `status.${order.status}.${order.direction}`;
  return texts.say(
    [`${named}.${order.direction}`, named, directed].find((key) => texts.has(key)) ?? `status.${order.status}`,
  );
}

/** @param {Checkout} checkout @param {Order} order */
function leadOf({ texts }, order) {
  if (order.hold) return `${texts.say("status.hold.note")} ${moneyMoved(texts, order)}`;
  if (order.status === "completed") {
    const amount = texts.money(order.destination);
    return texts.say(order.direction === "buy" ? "status.completed.buy.note" : "status.completed.sell.note", {
      amount,
    });
  }
  const note =
    order.status === "processing" && order.deliver_after
      ? texts.say("status.later", { time: texts.time(order.deliver_after) })
      : "";
  return TELLS_PROBLEM.includes(order.status) ? "" : `${moneyMoved(texts, order)} ${note}`.trim();
}

/** @param {Checkout} checkout @param {View} view @param {Order} order */
function emblemOf({ texts }, view, order) {
  const picture = PICTURES[/** @type {keyof PICTURES} */ (order.status)];
  if (picture) return el("span", { class: `seal seal-${order.status}` }, icon(picture));
  const depth = order.stage === "deposit_detected" ? view.deposit?.confirmations : order.destination.confirmations;
  if (DEEPENS.includes(order.stage)) return confirmationsRing(texts, depth ?? 0, view.confirmations_needed);
  return el("span", { class: "seal seal-working" }, el("span", { class: "spinner", "aria-hidden": "true" }));
}

/** @param {Checkout} checkout @param {View} view @param {Order} order */
function bodyOf({ texts }, view, order) {
  const buy = order.direction === "buy";
  const { address } = order.destination;
  const rows = [
    { name: texts.say(buy ? "pay" : "give"), value: texts.money(order.source), half: true },
    { name: texts.say("receive"), value: texts.money(order.destination), half: true },
    ...(buy && address ? [{ name: texts.say("review.to"), value: groupedAddress(address, "address-groups") }] : []),
  ];
  return [stageList(texts, view, order), details(rows), explorerLink(texts, view)];
}

const BUY = ["authorization", "capture", "conversion", "broadcast", "confirmation", "completed"];
const SELL = ["deposit", "deposit_detected", "conversion", "payout_submitted", "completed"];
const FIRST = ["authorization", "deposit"];
const WITHOUT_SUCCESS = ["failed", "canceled", "expired"];
const ENDS = [...WITHOUT_SUCCESS, "completed", "refunded"];

/** @param {View} view @param {Order} order @returns {Stage[]} */
export function stagesOf(view, order) {
  /** @type {Map<string, Stage>} */
  const reached = new Map();
  for (const { stage, status, at } of view.timeline) {
    const name = stage ?? status ?? "";
    // A payment may be tried more than once: the order was placed the first time, and is where it was last.
    if (FIRST.includes(name) && reached.has(name)) continue;
    reached.delete(name);
    reached.set(name, { name, at, state: "done" });
  }
  const stages = [...reached.values()];
  const ended = ENDS.includes(order.status);
  const last = stages.at(-1);
  if (last && !ended) last.state = "now";
  if (ended || order.status === "refunding") return stages;
  const path = order.direction === "buy" ? BUY : SELL;
  const at = Math.max(...stages.map(({ name }) => path.indexOf(name)), -1);
  return [...stages, ...path.slice(at + 1).map((name) => /** @type {const} */ ({ name, at: null, state: "later" }))];
}

/** @param {Texts} texts @param {View} view @param {Order} order */
export function stageList(texts, view, order) {
  const items = stagesOf(view, order).map(({ name, at, state }) => {
    const key = [`stage.${name}.${order.direction}`, `stage.${name}`].find((one) => texts.has(one));
    const words = key ? texts.say(key) : name;
    const mark = el(
      "span",
      { class: "stage-mark", "aria-hidden": "true" },
      state === "done" && icon(WITHOUT_SUCCESS.includes(name) ? "cross" : "check"),
    );
    const time = at && el("time", { datetime: at }, texts.time(at));
    return el(
      "li",
      { "data-state": state, "aria-current": state === "now" ? "step" : null },
      mark,
      el("span", { class: "stage-name" }, words),
      time,
    );
  });
  return el("ol", { class: "stages", "data-testid": "status-stages" }, ...items);
}

const ROUND = 100;

/** @param {Texts} texts @param {number} seen @param {number} needed */
export function confirmationsRing(texts, seen, needed) {
  const share = needed > 0 ? Math.min(1, seen / needed) : 1;
  const circle = { cx: 40, cy: 40, r: 34, pathLength: ROUND };
  const drawing = svg(
    "svg",
    { viewBox: "0 0 80 80", class: "ring", "aria-hidden": "true" },
    svg("circle", { ...circle, class: "ring-track" }),
    svg("circle", { ...circle, class: "ring-arc", "stroke-dasharray": `${(share * ROUND).toFixed(1)} ${ROUND}` }),
  );
  const count = texts.say("confirmations", { seen: Math.min(seen, needed), needed });
  const short = el(
    "span",
    { class: "ring-count", "aria-hidden": "true", dir: "ltr" },
    `${Math.min(seen, needed)}/${needed}`,
  );
  return el(
    "div",
    { class: "ring-place", "data-testid": "confirmations" },
    drawing,
    short,
    el("span", { class: "visually-hidden" }, count),
  );
}

/** @param {Checkout} checkout @param {View} view @param {Order} order */
export function receipt({ texts }, view, order) {
  const buy = order.direction === "buy";
  const { source, destination } = order;
  const state = texts.say(`stage.${order.status}`);
  const rows = [
    { name: texts.say("receipt.order"), value: order.id },
    { name: texts.say("receipt.partner"), value: view.partner.name },
    { name: texts.say("receipt.date"), value: texts.fullTime(order.created_at) },
    { name: texts.say("receipt.status"), value: state === `stage.${order.status}` ? order.status : state },
    { name: texts.say(buy ? "pay" : "give"), value: texts.money(source) },
    ...order.fees
      .filter((fee) => isSome(fee.amount))
      .map((fee) => ({ name: texts.say(`fee.${fee.type}`, { partner: view.partner.name }), value: texts.money(fee) })),
    { name: texts.say("receive"), value: texts.money(destination) },
    ...(isSome(source.refunded)
      ? [{ name: texts.say("receipt.refunded"), value: texts.money({ ...source, amount: source.refunded }) }]
      : []),
    ...(destination.address ? [{ name: texts.say("review.to"), value: destination.address }] : []),
    ...(destination.tx_hash ? [{ name: texts.say("receipt.transaction"), value: destination.tx_hash }] : []),
    { name: texts.say("receipt.printed"), value: texts.fullTime(view.now) },
  ];
  const mode = view.livemode ? null : el("p", { class: "receipt-test" }, texts.say("test.explained"));
  return el("div", { class: "receipt" }, el("h2", {}, texts.say("receipt.title")), mode, details(rows));
}

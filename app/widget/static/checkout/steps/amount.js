// How much, and at which price: the live quote, every fee of it, and how it is paid.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { AmountField, Quote, Step } from "../types.js" */
import { Problem } from "../api.js";
import { describe, el, fill, icon } from "../dom.js";
import { Quoter } from "../live.js";
import { actionButton, actions, countdown, notice, section } from "../parts/controls.js";
import { feeTable } from "../parts/facts.js";
import { compareAmounts, decimalSeparator, readAmount } from "../texts.js";

const TYPING_MS = 350;
// What stands in the field when the customer comes, in whole units of the money; within the limits.
const FIRST_AMOUNT = "100";

/** @param {Checkout} checkout @returns {Step} */
export function amountStep(checkout) {
  const { texts, view, clock } = checkout;
  const buy = view.direction === "buy";
  const fiatSide = buy ? "source" : "destination";
  const bound = view.source.amount ? "source" : view.destination.amount ? "destination" : null;
  if (!checkout.draft.amount && !bound) checkout.note(firstDraft(checkout, fiatSide));

  const said = notice(texts);
  const fees = el("div", { class: "fees", "data-testid": "fees" });
  const timer = countdown(texts, clock, { words: "quote.held", testid: "quote-countdown", onEnd: () => renew() });
  const quoter = new Quoter(checkout, {
    onQuote: (quote) => show(quote),
    onProblem: (problem) => refuse(problem),
    onBusy: (busy) => root.classList.toggle("asking", busy),
  });
  /** @param {"source" | "destination"} side @param {string | null} amount */
  const typed = (side, amount) => {
    checkout.note({ amount: amount ?? "", side });
    if (amount) return ask(TYPING_MS);
    quoter.stop();
    blank();
  };
  const source = amountField(checkout, { side: "source", bound, label: buy ? "pay" : "give", onInput: typed });
  const destination = amountField(checkout, { side: "destination", bound, label: "receive", onInput: typed });
  const method = methodChoice(checkout, () => ask());
  const next = actionButton({ testid: "continue", label: texts.say("continue") }, () => checkout.next());
  const amounts = el(
    "div",
    { class: "amounts" },
    source.root,
    el("div", { class: "amounts-arrow" }, icon("down")),
    destination.root,
  );
  const price = el("div", { class: "price" }, timer.root);
  const { root } = section(
    "amount",
    texts.say(buy ? "amount.title.buy" : "amount.title.sell", {
      asset: texts.asset(buy ? view.destination : view.source).name,
    }),
    amounts,
    bound
      ? el("p", { class: "hint" }, icon("lock"), texts.say("bound", { partner: view.partner.name }))
      : limitsLine(checkout),
    method.root,
    price,
    fees,
    said.root,
    actions(next.root),
  );

  const blank = () => {
    checkout.quote = null;
    timer.stop();
    fill(fees);
    next.allow(false);
    said.clear();
    for (const field of [source, destination]) if (field.side !== checkout.draft.side) field.show("");
  };
  /** @param {number} [ms] */
  const ask = (ms = 0) => {
    const { amount, side } = checkout.draft;
    next.allow(false);
    const chosen = method.chosen();
    const outside = bound ? null : beyondLimits(checkout, amount, side, fiatSide);
    if (outside) {
      quoter.stop();
      refuse(outside);
      return;
    }
    quoter.want({ ...(bound ? {} : { amount, side }), ...(chosen ? { payment_method: chosen } : {}) }, ms);
  };
  const renew = () => {
    if (document.visibilityState === "visible") ask();
    else next.allow(false);
  };
  /** @param {Quote} quote */
  const show = (quote) => {
    said.clear();
    for (const field of [source, destination]) field.shown(quote);
    fill(fees, feeTable(texts, quote, view.partner.name));
    timer.start(quote.created_at, quote.expires_at);
    next.allow(true);
    checkout.redrawSummary();
  };
  /** @param {Problem} problem */
  const refuse = (problem) => {
    blank();
    said.show(problem, checkout.view);
  };
  const seen = () => document.visibilityState === "visible" && timer.root.hidden && checkout.quote && renew();
  document.addEventListener("visibilitychange", seen);

  const carried = checkout.takeCarried();
  const held = checkout.quote;
  if (held && clock.until(held.expires_at) > 0 && held.payment_method === (method.chosen() ?? held.payment_method))
    show(held);
  else if (bound || checkout.draft.amount) ask();
  else blank();
  if (carried) said.show(carried, view);
  return {
    root,
    update: () => {},
    leave: () => {
      document.removeEventListener("visibilitychange", seen);
      quoter.stop();
      timer.stop();
    },
  };
}

/** @param {Checkout} checkout @param {"source" | "destination"} side the side of the money */
function firstDraft({ view, quote }, side) {
  if (quote) {
    const amount = quote.amount_side === "source" ? quote.source.amount : quote.destination.amount;
    return { amount, side: quote.amount_side };
  }
  if (!view.limits) return { amount: "", side };
  const { min, max } = view.limits;
  const amount = [min, FIRST_AMOUNT].reduce((a, b) => (compareAmounts(a, b) > 0 ? a : b));
  return { amount: compareAmounts(amount, max) > 0 ? max : amount, side };
}

/** @param {Checkout} checkout */
function limitsLine({ texts, view }) {
  if (!view.limits) return null;
  const { asset } = view.limits;
  const [min, max] = [view.limits.min, view.limits.max].map((amount) => texts.money({ asset, amount }));
  return el("p", { class: "hint" }, texts.say("limits", { min, max }));
}

/**
 * Said at once, without asking the server.
 * @param {Checkout} checkout @param {string} amount @param {string} side @param {string} fiatSide
 * @returns {Problem | null}
 */
function beyondLimits({ view }, amount, side, fiatSide) {
  if (side !== fiatSide || !view.limits) return null;
  if (compareAmounts(amount, view.limits.min) < 0) return new Problem("amount_below_min");
  return compareAmounts(amount, view.limits.max) > 0 ? new Problem("amount_above_max") : null;
}

// The quickest first.
const ORDER = ["card", "sepa_debit", "ach_debit", "bank_transfer"];

/**
 * @param {Checkout} checkout
 * @param {() => void} onChange
 * @returns {{ root: HTMLElement | null, chosen: () => string | null }} `chosen`: null when the partner has chosen, or there is nothing to pay
 */
export function methodChoice(checkout, onChange) {
  const { texts, view } = checkout;
  const methods = view.payment_method ? [view.payment_method] : [...view.payment_methods].sort(byOrder);
  if (view.direction === "sell" || methods.length === 0) return { root: null, chosen: () => null };
  const fixed = view.payment_method !== null;
  const wanted = checkout.draft.method ?? checkout.quote?.payment_method ?? null;
  let chosen = wanted && methods.includes(wanted) ? wanted : methods[0];

  const options = methods.map((name) => {
    const input = el("input", { type: "radio", name: "method", value: name, checked: name === chosen });
    input.addEventListener("change", () => {
      chosen = name;
      checkout.note({ method: name });
      onChange();
    });
    const words = [
      el("span", { class: "option-name" }, texts.say(`method.${name}`)),
      el("span", { class: "option-note" }, texts.say(`method.${name}.note`)),
    ];
    const picture = icon(name === "card" ? "card" : "bank");
    if (methods.length === 1)
      return el("div", { class: "option fixed" }, picture, el("span", { class: "option-words" }, ...words));
    return el("label", { class: "option" }, input, picture, el("span", { class: "option-words" }, ...words));
  });
  const legend = el("legend", {}, texts.say("method"));
  return {
    root: el("fieldset", { class: "options", "data-testid": "method" }, legend, ...options),
    chosen: () => (fixed ? null : chosen),
  };
}

/** @param {string} first @param {string} second */
function byOrder(first, second) {
  const [one, other] = [first, second].map((name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length));
  return one - other;
}

const LONG = 11;

/**
 * @param {Checkout} checkout
 * @param {{ side: "source" | "destination", bound: string | null, label: string, onInput: (side: "source" | "destination", amount: string | null) => void }} form
 * @returns {AmountField}
 */
export function amountField(checkout, form) {
  const { texts, view } = checkout;
  const { side } = form;
  const of = view[side];
  const info = texts.asset(of);
  const separator = decimalSeparator(texts.numbers);
  const id = `amount-${side}`;
  const network = info.network_name && el("span", { class: "asset-network" }, info.network_name);
  const asset = el(
    "span",
    { class: "asset", id: `${id}-asset` },
    el("span", { class: "asset-code" }, of.asset),
    network,
  );
  const input = form.bound
    ? el("output", { class: "amount-value", id, "data-testid": id })
    : el("input", {
        class: "amount-value",
        id,
        "data-testid": id,
        inputmode: "decimal",
        autocomplete: "off",
        placeholder: "0",
        maxlength: 40,
        dir: "ltr",
        "aria-describedby": `${id}-asset`,
      });
  const label = el("label", { for: id }, texts.say(form.label));
  const root = el(
    "div",
    { class: form.bound ? "amount bound" : "amount" },
    label,
    el("div", { class: "amount-row" }, input, asset),
  );

  /** @param {string} amount */
  const show = (amount) => {
    const plain = amount && trimmed(amount, of.network ? 0 : info.decimals).replace(".", separator);
    if (input instanceof HTMLInputElement) input.value = plain;
    else input.textContent = plain || "–";
    describe(input, { "data-long": plain.length > LONG ? "true" : null });
  };
  if (input instanceof HTMLInputElement) {
    input.addEventListener("input", () => {
      describe(input, { "data-long": input.value.length > LONG ? "true" : null });
      form.onInput(side, readAmount(input.value, info.decimals, separator));
    });
  }
  show(of.amount ?? (checkout.draft.side === side ? checkout.draft.amount : ""));
  return {
    root,
    side,
    show,
    shown: (quote) => {
      // What the customer writes is left as it is written; the other side follows from it.
      if (!form.bound && checkout.draft.side === side && input instanceof HTMLInputElement && input.value) return;
      show(quote[side].amount);
    },
  };
}

/** @param {string} amount @param {number} places so many decimals are left in any case */
function trimmed(amount, places) {
  const [whole, fraction = ""] = amount.split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(places, "0");
  return kept ? `${whole}.${kept}` : whole;
}

// What steps show: names and values, fees, addresses in groups, and links that leave the page.
// @ts-check

/** @import { Problem } from "../api.js" */
/** @import { Checkout } from "../checkout.js" */
/** @import { Texts } from "../texts.js" */
/** @import { Detail, Explanation, Fee, Order, Quote, View } from "../types.js" */
import { el, fill, icon, webAddress } from "../dom.js";
import { isSome, minus, plus } from "../texts.js";

/** @param {Detail[]} rows @returns {HTMLElement} */
export function details(rows) {
  return el(
    "dl",
    { class: "details" },
    ...rows.map(({ name, value, strong, half, testid }) => {
      const shown = typeof value === "string" ? el("bdi", {}, value) : value;
      const kind = ["detail", strong && "strong", half && "half"].filter(Boolean).join(" ");
      return el("div", { class: kind }, el("dt", {}, name), el("dd", { "data-testid": testid }, shown));
    }),
  );
}

const GROUP = 4;

/**
 * @param {string} address
 * @param {string} testid
 * @returns {HTMLElement}
 */
export function groupedAddress(address, testid) {
  const hex = address.startsWith("0x");
  const body = hex ? address.slice(2) : address;
  const groups = body.match(new RegExp(`.{1,${GROUP}}`, "gu")) ?? [];
  const parts = hex ? ["0x", ...groups] : groups;
  const spans = parts.map((part) => el("span", {}, part));
  // Read out as one text; the gaps are made by the style sheet, so that a copy has none.
  return el("p", { class: "address", dir: "ltr", translate: "no", "data-testid": testid }, ...spans);
}

const SAY_SO_MS = 2_000;

/** @param {Checkout} checkout @param {string} text @param {string} what read out: what is copied */
export function copyButton(checkout, text, what) {
  const { texts } = checkout;
  const words = el("span", {}, texts.say("copy"));
  const button = el(
    "button",
    { type: "button", class: "quiet copy", "aria-label": `${texts.say("copy")}: ${what}` },
    icon("copy"),
    words,
  );
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    const said = texts.say(done ? "copied" : "copy.failed");
    fill(words, said);
    checkout.announce(said);
    window.setTimeout(() => fill(words, texts.say("copy")), SAY_SO_MS);
  });
  return button;
}

/**
 * @param {Texts} texts
 * @param {Quote} quote
 * @param {string} partner
 * @returns {HTMLElement}
 */
export function feeTable(texts, quote, partner) {
  const buy = quote.direction === "buy";
  const fiat = buy ? quote.source : quote.destination;
  const coins = buy ? quote.destination : quote.source;
  const fees = quote.fees.map((fee) => fee.amount);
  const value = { asset: fiat.asset, amount: buy ? minus(fiat.amount, fees) : plus(fiat.amount, fees) };
  const rate = texts.money({ asset: fiat.asset, amount: quote.rate });
  const priceNote = texts.say(buy ? "fee.price.note.buy" : "fee.price.note.sell", {
    rate,
    asset: coins.asset,
    margin: texts.percent(quote.spread_bps),
  });
  return el(
    "dl",
    { class: "ledger" },
    row(texts.say("fee.price", { coins: texts.money(coins) }), texts.money(value), priceNote),
    ...quote.fees.filter((fee) => isSome(fee.amount)).map((fee) => feeRow(texts, fee, partner, buy)),
    row(
      texts.say(buy ? "fee.total.buy" : "fee.total.sell"),
      texts.money(fiat),
      comparison(texts, quote, fiat.asset),
      "total",
    ),
  );
}

/** @param {Texts} texts @param {Fee} fee @param {string} partner @param {boolean} buy */
function feeRow(texts, fee, partner, buy) {
  const sign = buy ? "+\u2009" : "\u2212\u2009";
  const known = texts.has(`fee.${fee.type}`) ? fee.type : "other";
  const amount = sign + texts.money({ asset: fee.asset, amount: fee.amount });
  return row(texts.say(`fee.${known}`, { partner }), amount, texts.say(`fee.${known}.note`, { partner }));
}

/** @param {string} name @param {string} amount @param {string} note @param {string} [kind] */
function row(name, amount, note, kind) {
  const label = el("dt", {}, el("span", { class: "ledger-name" }, name), el("span", { class: "ledger-note" }, note));
  return el("div", { class: kind ? `ledger-row ${kind}` : "ledger-row" }, label, el("dd", {}, el("bdi", {}, amount)));
}

/** @param {Texts} texts @param {Quote} quote @param {string} fiat the whole cost against the middle of the market */
function comparison(texts, quote, fiat) {
  const middle = texts.money({ asset: fiat, amount: quote.mid_rate.value });
  return texts.say("fee.total.note", {
    cost: texts.percent(quote.total_cost_bps),
    middle,
    time: texts.time(quote.mid_rate.as_of),
  });
}

/** @param {Texts} texts @param {View} view @param {boolean} [main] whether it is the way on */
export function returnLink(texts, view, main = true) {
  const href = webAddress(view.return_url);
  if (!href) return null;
  // A frame must not be left with the partner's own page in it.
  const words = texts.say("return", { partner: view.partner.name });
  return el(
    "a",
    { class: main ? "primary" : "secondary", href, target: "_top", rel: "noopener", "data-testid": "return" },
    words,
  );
}

/** @param {Texts} texts @param {View} view */
export function explorerLink(texts, view) {
  const hash = view.direction === "buy" ? view.order?.destination.tx_hash : view.deposit?.tx_hash;
  if (!hash || !view.explorer) return null;
  const href = webAddress(view.explorer.replace("{tx_hash}", encodeURIComponent(hash)));
  if (!href) return null;
  const attributes = {
    class: "link",
    href,
    target: "_blank",
    rel: "noopener noreferrer",
    "data-testid": "explorer-link",
  };
  return el(
    "a",
    attributes,
    texts.say("explorer"),
    icon("external"),
    el("span", { class: "visually-hidden" }, texts.say("new.window")),
  );
}

// Several codes mean the same to the customer. The texts are in the locales, under `problem.<name>`.
/** @type {Record<string, string>} */
const SAME_AS = {
  internal_error: "unavailable",
  provider_rejected: "unavailable",
  provider_unavailable: "unavailable",
  key_expired: "session_expired",
  unauthenticated: "session_expired",
  not_found: "session_expired",
  session_revoked: "session_ended",
  scope_missing: "session_ended",
  idempotency_mismatch: "already_placed",
  quote_used: "already_placed",
  conflict_state: "already_placed",
  idempotency_in_progress: "in_progress",
  tag_invalid: "tag_required",
  address_unverified: "address_invalid",
  authorization_declined: "card_declined",
  bank_rejected: "bank_declined",
  authentication_required: "authentication_failed",
  payment_intent_authentication_failure: "authentication_failed",
  payment_window_elapsed: "payment_expired",
  name_mismatch: "incorrect_account",
};

/**
 * @param {Texts} texts
 * @param {Problem} problem
 * @param {View | null} view
 * @returns {Explanation}
 */
export function explain(texts, problem, view) {
  const moved = problem.code === "conflict_state" && view?.order;
  const named = moved ? "order_moved" : (SAME_AS[problem.code] ?? problem.code);
  const name = texts.has(`problem.${named}`) ? named : problem.declined ? "card_declined" : "other";
  const limits = view?.limits;
  const values = {
    code: problem.code,
    min: limits ? texts.money({ asset: limits.asset, amount: limits.min }) : "",
    max: limits ? texts.money({ asset: limits.asset, amount: limits.max }) : "",
    partner: view?.partner.name ?? "",
    network: networkName(texts, view),
  };
  return {
    happened: texts.say(`problem.${name}`, values),
    money: problem.unknown ? texts.say("money.unknown") : moneyMoved(texts, view?.order ?? null),
    todo: texts.say(`problem.${name}.do`, values),
  };
}

/**
 * Whether money moved, said of an order; of none, that it did not.
 * @param {Texts} texts
 * @param {Order | null} order
 */
export function moneyMoved(texts, order) {
  if (!order || !isSome(order.source.received)) return texts.say("money.none");
  const { asset, network, received, refunded } = order.source;
  const [came, back] = [received, refunded].map((amount) => texts.money({ asset, network, amount }));
  if (!isSome(refunded)) return texts.say("money.received", { amount: came });
  const rest = minus(received, [refunded]);
  if (!isSome(rest)) return texts.say("money.returned", { amount: back });
  return texts.say("money.partly_returned", { amount: came, returned: back });
}

/** @param {Texts} texts @param {View | null} view */
function networkName(texts, view) {
  if (!view) return "";
  const coins = view.direction === "buy" ? view.destination : view.source;
  return texts.asset(coins).network_name ?? coins.network ?? "";
}

/** @param {string} iban in groups of four, as it stands on a bank statement */
export function groupedIban(iban) {
  return iban.replaceAll(/(.{4})(?=.)/g, "$1 ");
}

/**
 * The address in what was pasted or scanned: wallets write `bitcoin:bc1…?amount=…` and `ethereum:0x…@1`.
 * @param {string} text
 */
export function addressIn(text) {
  return text
    .replaceAll(/\s/g, "")
    .replace(/^[a-z]+:/i, "")
    .replace(/^pay-/, "")
    .replace(/[?@].*$/, "");
}

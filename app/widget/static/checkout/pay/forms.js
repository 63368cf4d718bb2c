// Two ways to pay that need no script of a provider: the sandbox's published test tokens, for which there is no field to
// type a card in; and a transfer that the customer sends from their own bank.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { PayForm } from "../types.js" */
import { decline } from "../api.js";
import { el, icon } from "../dom.js";
import { copyButton, details, groupedIban } from "../parts/facts.js";

/** @param {Checkout} checkout @returns {PayForm} */
export function sandboxForm(checkout) {
  const { texts, view } = checkout;
  const cards = view.checkout.payment_methods;
  let chosen = cards[0]?.payment_method ?? "";
  const options = cards.map(({ payment_method: token, label, outcome }) => {
    const input = el("input", {
      type: "radio",
      name: "test-card",
      value: token,
      checked: token === chosen,
      "data-testid": `pay-option-${token}`,
    });
    input.addEventListener("change", () => (chosen = token));
    const words = [
      el("span", { class: "option-name" }, el("bdi", {}, label)),
      el("span", { class: "option-note" }, texts.say(`sandbox.${outcome}`)),
    ];
    return el(
      "label",
      { class: "option", "data-outcome": outcome },
      input,
      icon("card"),
      el("span", { class: "option-words" }, ...words),
    );
  });
  const root = el(
    "div",
    {},
    el(
      "div",
      { class: "sandbox" },
      el("strong", {}, texts.say("sandbox.title")),
      el("span", {}, texts.say("sandbox.note")),
    ),
    el("fieldset", { class: "options" }, el("legend", {}, texts.say("sandbox.choose")), ...options),
  );
  return {
    root,
    pay: async () => {
      const { order } = checkout;
      if (!order) return null;
      const answer = await checkout.api.pay(order, chosen);
      return answer.status === "declined" ? decline(answer.code) : null;
    },
  };
}

// What a bank asks for, in the order in which it asks.
const SHOWN = ["account_holder_name", "iban", "bic", "routing_number", "sort_code", "account_number", "bank_name"];

/** @param {Checkout} checkout @returns {PayForm} */
export function transferForm(checkout) {
  const { texts, order } = checkout;
  const action = order?.next_action;
  /** @param {string} name @param {string} value @param {string} [shown] */
  const row = (name, value, shown = value) => {
    const cell = el("span", { class: "copyable" }, el("bdi", { dir: "ltr" }, shown), copyButton(checkout, value, name));
    return { name, value: cell };
  };
  const remaining = action?.amount_remaining;
  const rows = [
    ...(remaining ? [row(texts.say("transfer.amount"), remaining.amount, texts.money(remaining))] : []),
    ...(action?.reference ? [row(texts.say("transfer.reference"), action.reference)] : []),
    ...(action?.accounts ?? []).flatMap((account) =>
      SHOWN.filter((name) => account[name]).map((name) =>
        row(texts.say(`transfer.${name}`), account[name], name === "iban" ? groupedIban(account[name]) : account[name]),
      ),
    ),
  ];
  const root = el(
    "div",
    {},
    el("p", { class: "lead" }, texts.say("transfer.lead")),
    details(rows),
    el("p", { class: "hint" }, texts.say("transfer.note")),
  );
  return { root, pay: null };
}

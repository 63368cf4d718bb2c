// Where the money of a sale goes: the customer's own bank account. It is kept in this tab's memory and nowhere else.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { Bank, Step } from "../types.js" */
import { Problem, asProblem } from "../api.js";
import { el } from "../dom.js";
import { actionButton, actions, notice, section, textField } from "../parts/controls.js";
import { addressIn, groupedIban } from "../parts/facts.js";

const MOST_NAME = 70;

/** @param {Checkout} checkout @returns {Step} */
export function bankStep(checkout) {
  const { texts, view } = checkout;
  const american = view.destination.asset === "USD";
  const said = notice(texts);
  const known = checkout.bank;
  const holder = textField(texts, {
    name: "holder",
    value: known?.holder_name ?? "",
    autocomplete: "name",
    problem: "holder_missing",
    good: (text) => text.trim().length > 1,
    maxlength: MOST_NAME,
  });
  const numbers = american ? americanFields(checkout) : [ibanField(checkout)];
  const refund = view.refund_address ? null : refundField(checkout);
  const next = actionButton({ testid: "continue", label: texts.say("continue") }, () => proceed());
  const back = actionButton({ testid: "back", kind: "secondary", label: texts.say("back") }, () => checkout.back());
  const form = el(
    "form",
    { novalidate: true },
    holder.root,
    ...numbers.map((field) => field.root),
    refund && refund.root,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    next.root.click();
  });
  // Enter in a field submits only a form that has a button for it.
  form.append(el("button", { type: "submit", class: "visually-hidden", tabindex: -1, "aria-hidden": "true" }));
  const { root } = section(
    "bank",
    texts.say("bank.title"),
    el("p", { class: "lead" }, texts.say("bank.hint", { currency: view.destination.asset })),
    form,
    said.root,
    actions(back.root, next.root),
  );
  const proceed = async () => {
    said.clear();
    const wrong = [holder, ...numbers].filter((field) => !field.check());
    if (wrong.length > 0) {
      wrong[0].focus();
      return;
    }
    if (refund) await checkRefund(refund.value());
    if (!said.root.hidden) return;
    checkout.bank = /** @type {Bank} */ ({
      holder_name: holder.value().trim(),
      ...Object.fromEntries(numbers.map((field) => [field.key, plainAccount(field.value())])),
    });
    checkout.next();
  };
  /** @param {string} written */
  const checkRefund = async (written) => {
    const address = addressIn(written);
    checkout.note({ refundAddress: "" });
    if (!address) return;
    try {
      const answer = await checkout.api.checkAddress(address);
      if (answer.valid) checkout.note({ refundAddress: answer.normalised });
      else said.show(new Problem(answer.code ?? "address_invalid"), view);
    } catch (error) {
      said.show(asProblem(error), view);
    }
  };
  const carried = checkout.takeCarried();
  if (carried) said.show(carried, view);
  return { root, update: () => {}, leave: () => {} };
}

/** @param {Checkout} checkout */
function ibanField({ texts, bank }) {
  const value = bank && "iban" in bank ? groupedIban(bank.iban) : "";
  const field = textField(texts, {
    name: "iban",
    value,
    autocomplete: "off",
    problem: "iban_invalid",
    good: (text) => isIban(plainAccount(text)),
    maxlength: 50,
    latin: true,
  });
  field.input.addEventListener("blur", () => (field.input.value = groupedIban(plainAccount(field.input.value))));
  return field;
}

/** @param {Checkout} checkout */
function americanFields({ texts, bank }) {
  const known = bank && "routing_number" in bank ? bank : null;
  const form = { autocomplete: "off", maxlength: 24, latin: true, digits: true };
  return [
    textField(texts, {
      ...form,
      name: "routing",
      key: "routing_number",
      value: known?.routing_number ?? "",
      problem: "routing_invalid",
      good: (text) => isRoutingNumber(plainAccount(text)),
    }),
    textField(texts, {
      ...form,
      name: "account",
      key: "account_number",
      value: known?.account_number ?? "",
      problem: "account_invalid",
      good: (text) => isAccountNumber(plainAccount(text)),
    }),
  ];
}

/** @param {Checkout} checkout where the coins go should they have to come back @returns {{ root: HTMLElement, value: () => string }} */
function refundField({ texts, draft }) {
  const field = textField(texts, {
    name: "refund",
    value: draft.refundAddress,
    autocomplete: "off",
    problem: "address_invalid",
    good: () => true,
    maxlength: 128,
    latin: true,
  });
  const more = el(
    "details",
    { class: "more", open: draft.refundAddress !== "" },
    el("summary", {}, texts.say("refund.more")),
    field.root,
  );
  return { root: more, value: field.value };
}

const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/;
const ROUTING = /^\d{9}$/;
const ROUTING_WEIGHTS = [3, 7, 1, 3, 7, 1, 3, 7, 1];
const ACCOUNT = /^\d{4,17}$/;

/** @param {string} written */
function plainAccount(written) {
  return written.replaceAll(/[\s-]/g, "").toUpperCase();
}

/** @param {string} iban without spaces; its two check digits follow ISO 13616: the whole is 1 modulo 97 */
function isIban(iban) {
  if (!IBAN.test(iban)) return false;
  const turned = iban.slice(4) + iban.slice(0, 4);
  const digits = turned.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}

/** @param {string} routing nine digits whose weighted sum ends in 0 (American Bankers Association) */
function isRoutingNumber(routing) {
  if (!ROUTING.test(routing)) return false;
  const sum = [...routing].reduce((total, digit, at) => total + Number(digit) * ROUTING_WEIGHTS[at], 0);
  return sum % 10 === 0;
}

/** @param {string} account */
function isAccountNumber(account) {
  return ACCOUNT.test(account);
}

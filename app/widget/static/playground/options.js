// What was chosen on the left, as the body of POST /v1/sessions.
// @ts-check

import { element } from "./dom.js";

/** @typedef {import("./api.js").Json} Json */

// Of the specifications: BIP-173's and EIP-55's own examples, and a test IBAN of Germany.
export const TEST_VALUES = [
  ["Bitcoin address (regtest)", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"],
  ["Ethereum address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
  ["IBAN, for a sale in euros", "DE89370400440532013000"],
  ["Routing number, for a sale in dollars", "021000021"],
  ["Account number", "9876543210"],
  ["Account holder", "Ada Lovelace"],
];

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export const valueOf = (form, name) => String(new FormData(form).get(name) ?? "").trim();

/**
 * Offer what this instance can exchange.
 * @param {HTMLFormElement} form
 * @param {Json[]} assets
 * @param {Json[]} methods
 */
export function offer(form, assets, methods) {
  const routable = assets.filter((asset) => asset.routable);
  fill(form, "fiat", routable.filter((asset) => !asset.network).map((asset) => [asset.asset, asset.asset]), "EUR");
  const coins = routable.filter((asset) => asset.network);
  const isAlone = (/** @type {Json} */ coin) => coins.filter(({ asset }) => asset === coin.asset).length === 1;
  fill(form, "coin", coins.map((coin) => [`${coin.asset}@${coin.network}`, isAlone(coin) ? coin.asset : `${coin.asset} on ${coin.network}`]), "BTC@bitcoin");
  const ways = methods.filter((method) => method.direction === "buy").map((method) => [method.id, method.id.replaceAll("_", " ")]);
  fill(form, "payment_method", [["", "customer’s choice"], ...ways], "card");
}

/** @param {HTMLFormElement} form @param {string} name */
const select = (form, name) => /** @type {HTMLSelectElement} */ (form.elements.namedItem(name));

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string[][]} choices
 * @param {string} usual
 */
function fill(form, name, choices, usual) {
  const options = choices.map(([value, textContent]) => element("option", { value, textContent, selected: value === usual }));
  select(form, name).replaceChildren(...options);
}

/**
 * The body; what is empty is left out, and is the customer's choice.
 * @param {HTMLFormElement} form
 * @returns {Json}
 */
export function bodyOf(form) {
  /** @param {string} name */
  const value = (name) => valueOf(form, name);
  const buying = value("direction") === "buy";
  const [asset, network] = value("coin").split("@");
  /** @type {Json} */
  const money = { asset: value("fiat") };
  /** @type {Json} */
  const coins = { asset, network };
  if (value("amount")) (value("side") === "fiat" ? money : coins).amount = value("amount");
  if (buying && value("address")) coins.address = value("address");
  const customer = present({ reference: value("customer_reference"), email: value("customer_email") });
  return present({
    direction: value("direction"),
    source: buying ? money : coins,
    destination: buying ? coins : money,
    payment_method: buying ? value("payment_method") : "",
    country: value("country").toUpperCase(),
    external_account_id: buying ? "" : value("external_account_id"),
    refund_address: buying ? "" : value("refund_address"),
    external_id: value("external_id"),
    customer: Object.keys(customer).length ? customer : "",
    locale: value("locale"),
    theme: value("themed") ? themeOf(form) : "",
    allowed_origins: value("allowed_origins").split(/\s+/).filter(Boolean),
    return_url: value("return_url"),
  });
}

/** @param {HTMLFormElement} form */
const themeOf = (form) => ({
  mode: valueOf(form, "mode"),
  accent: valueOf(form, "accent"),
  radius: Number(valueOf(form, "radius")),
  font: valueOf(form, "font"),
});

/** @param {Json} body @returns {Json} */
const present = (body) => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ""));

// The page's words in the customer's language; money, times and lists as that language writes them; and amounts, which
// are decimal text that never becomes a float.
// @ts-check

/** @import { AssetInfo, Money, Values } from "./types.js" */

const LOCALES = ["en", "de", "es", "fr", "ar"];
const RIGHT_TO_LEFT = ["ar"];
// Amounts are compared with wallets, explorers and bank statements, which all write Western digits.
const NUMERALS = "-u-nu-latn";

/**
 * Load a language; English stands in for one that there is not.
 * @param {string} wanted
 * @returns {Promise<Texts>}
 */
export async function loadTexts(wanted) {
  const locale = LOCALES.includes(wanted) ? wanted : "en";
  const response = await fetch(new URL(`./locales/${locale}.json`, import.meta.url));
  return new Texts(locale, await response.json());
}

export class Texts {
  /** @type {Record<string, AssetInfo>} */
  assets = {};
  #table;
  #plurals;

  /** @param {string} locale @param {Record<string, string>} table */
  constructor(locale, table) {
    this.locale = locale;
    this.rightToLeft = RIGHT_TO_LEFT.includes(locale);
    this.numbers = locale + NUMERALS;
    this.#table = table;
    this.#plurals = new Intl.PluralRules(locale);
  }

  /** @param {string} key */
  has(key) {
    return Object.hasOwn(this.#table, key);
  }

  /**
   * A text, with `{name}` replaced by its value. What is replaced keeps its own writing direction.
   * @param {string} key
   * @param {Values} [values]
   * @returns {string}
   */
  say(key, values = {}) {
    const text = this.has(key) ? this.#table[key] : key;
    return text.replaceAll(/\{(\w+)\}/g, (_, name) => this.#isolated(String(values[name] ?? "")));
  }

  /** @param {string} text */
  #isolated(text) {
    return this.rightToLeft ? `\u2068${text}\u2069` : text;
  }

  /** @param {string} key @param {number} count the text of this number's plural form, with `{count}` in it */
  count(key, count) {
    const form = `${key}.${this.#plurals.select(count)}`;
    return this.say(this.has(form) ? form : `${key}.other`, {
      count: new Intl.NumberFormat(this.numbers).format(count),
    });
  }

  /** @param {{ asset: string, network?: string | null }} of @returns {AssetInfo} */
  asset(of) {
    const key = of.network ? `${of.asset}@${of.network}` : of.asset;
    return this.assets[key] ?? { name: of.asset, decimals: of.network ? 8 : 2, network_name: of.network ?? null };
  }

  /** @param {Money} money exactly as it is: every digit that counts, and no rounding */
  money(money) {
    const { decimals } = this.asset(money);
    if (!money.network) return this.#digits(money.amount, decimals, { style: "currency", currency: money.asset });
    return `${this.number(money.amount, decimals)}\u00a0${money.asset}`;
  }

  /** @param {string} amount @param {number} decimals at most so many; zeros at the end are left away */
  number(amount, decimals) {
    const fraction = (amount.split(".")[1] ?? "").slice(0, decimals).replace(/0+$/, "");
    return this.#digits(amount, fraction.length, {});
  }

  /**
   * Written by the language's rules around digits that never went through a float.
   * @param {string} amount
   * @param {number} places
   * @param {Intl.NumberFormatOptions} style
   */
  #digits(amount, places, style) {
    const [whole, fraction = ""] = amount.split(".");
    const format = new Intl.NumberFormat(this.numbers, {
      ...style,
      minimumFractionDigits: places,
      maximumFractionDigits: places,
    });
    const parts = format.formatToParts(BigInt(whole || "0"));
    const digits = fraction.padEnd(places, "0").slice(0, places);
    return parts.map((part) => (part.type === "fraction" ? digits : part.value)).join("");
  }

  /** @param {number} basisPoints a share in hundredths of a percent */
  percent(basisPoints) {
    const format = new Intl.NumberFormat(this.numbers, { style: "percent", maximumFractionDigits: 2 });
    return format.format(basisPoints / 10_000);
  }

  /** @param {string} moment hours, minutes and seconds; the day too when it is not today's */
  time(moment) {
    const date = new Date(moment);
    const today = date.toDateString() === new Date().toDateString();
    /** @type {Intl.DateTimeFormatOptions} */
    const form = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(this.numbers, form).format(date);
  }

  /** @param {string} moment day and time, with the zone: for a receipt */
  fullTime(moment) {
    return new Intl.DateTimeFormat(this.numbers, { dateStyle: "long", timeStyle: "long" }).format(new Date(moment));
  }

  /** @param {number} ms as a clock counts down: 0:09, 14:05, 1:02:03 */
  clock(ms) {
    const seconds = Math.ceil(ms / 1000);
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(rest).padStart(2, "0")}`;
    return hours ? `${hours}:${tail}` : tail;
  }

  /** @param {string[]} names */
  list(names) {
    return new Intl.ListFormat(this.locale).format(names);
  }
}

const PLAIN = /^\d+(\.\d+)?$/;
const EASTERN_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;

/**
 * The decimal separator of a language.
 * @param {string} locale
 */
export function decimalSeparator(locale) {
  return new Intl.NumberFormat(locale).formatToParts(1.5).find((part) => part.type === "decimal")?.value ?? ".";
}

/**
 * An amount as the customer wrote it ("1.234,5", "1 234.5", "٫٥") as the API writes it ("1234.5"); null when it is none.
 * A lone separator before exactly three digits groups thousands only where the language groups with it.
 * @param {string} written
 * @param {number} decimals
 * @param {string} separator the language's own decimal separator
 * @returns {string | null}
 */
export function readAmount(written, decimals, separator) {
  let text = written
    .replaceAll(EASTERN_DIGITS, (digit) => String((digit.codePointAt(0) ?? 0) & 15))
    .replaceAll(/[\s\u00a0\u202f'’_\u066c]/g, "")
    .replaceAll("\u066b", ".");
  const marks = text.match(/[.,]/g) ?? [];
  const last = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
  const groups = marks.length === 1 && text[last] !== separator && /^[1-9]\d{0,2}[.,]\d{3}$/.test(text);
  const repeated = marks.length > 1 && new Set(marks).size === 1;
  if (groups || repeated) text = text.replaceAll(/[.,]/g, "");
  else if (last >= 0) text = `${text.slice(0, last).replaceAll(/[.,]/g, "")}.${text.slice(last + 1)}`;
  if (text.startsWith(".")) text = `0${text}`;
  if (text.endsWith(".")) text = text.slice(0, -1);
  if (!PLAIN.test(text)) return null;
  const [whole, fraction = ""] = text.split(".");
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > decimals) return null;
  const plain = whole.replace(/^0+(?=\d)/, "") + (fraction.length > 0 ? `.${fraction.slice(0, decimals)}` : "");
  return /[1-9]/.test(plain) ? plain.replace(/\.$/, "") : null;
}

/** @param {string} amount @param {number} places @returns {bigint} in units of 10^-places */
export function unitsOf(amount, places) {
  const negative = amount.startsWith("-");
  const [whole, fraction = ""] = amount.replace("-", "").split(".");
  const units = BigInt(whole + fraction.padEnd(places, "0").slice(0, places));
  return negative ? -units : units;
}

/** @param {bigint} units @param {number} places @returns {string} */
export function amountOf(units, places) {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  return sign + (places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`);
}

/** @param {string} amount */
const placesOf = (amount) => (amount.split(".")[1] ?? "").length;

/** @param {string} first @param {string} second @returns {number} below, equal to or above zero, as for sorting */
export function compareAmounts(first, second) {
  const places = Math.max(placesOf(first), placesOf(second));
  const difference = unitsOf(first, places) - unitsOf(second, places);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** @param {string} amount @param {string[]} others what to take away from it */
export function minus(amount, others) {
  const places = Math.max(placesOf(amount), ...others.map(placesOf));
  return amountOf(
    others.reduce((left, other) => left - unitsOf(other, places), unitsOf(amount, places)),
    places,
  );
}

/** @param {string} amount @param {string[]} others what to add to it */
export function plus(amount, others) {
  const places = Math.max(placesOf(amount), ...others.map(placesOf));
  return amountOf(
    others.reduce((sum, other) => sum + unitsOf(other, places), unitsOf(amount, places)),
    places,
  );
}

/** @param {string | null | undefined} amount whether it is more than nothing */
export function isSome(amount) {
  return typeof amount === "string" && /[1-9]/.test(amount);
}

// Stripe's Payment Element. Card numbers are typed into Stripe's own frame and never reach this page or this gateway.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { PayForm } from "../types.js" */
import { Problem, decline } from "../api.js";
import { el } from "../dom.js";

const SCRIPT = "https://js.stripe.com/v3/";

/** @typedef {{ error?: { code?: string, decline_code?: string, type?: string } }} StripeResult */
/** @typedef {{ mount(place: HTMLElement): void, on(event: string, act: () => void): void, destroy(): void }} StripeElement */
/** @typedef {{ create(kind: "payment", options?: object): StripeElement }} StripeElements */
/**
 * @typedef {object} Stripe
 * @property {(options: object) => StripeElements} elements
 * @property {(options: object) => Promise<StripeResult>} confirmPayment
 * @property {(options: { clientSecret: string }) => Promise<StripeResult>} handleNextAction
 */
/** @typedef {(key: string, options?: object) => Stripe} StripeMaker */

/** @type {Promise<StripeMaker> | null} */
let loading = null;

/** Load Stripe's script, once, and only when somebody is about to pay. @returns {Promise<StripeMaker>} */
function stripeMaker() {
  loading ??= new Promise((resolve, reject) => {
    const script = el("script", { src: SCRIPT, async: true });
    const made = () => /** @type {{ Stripe?: StripeMaker }} */ (/** @type {unknown} */ (window)).Stripe;
    script.addEventListener("load", () => {
      const maker = made();
      if (maker) resolve(maker);
    });
    script.addEventListener("error", () => {
      script.remove();
      loading = null;
      reject(new Problem("stripe_unavailable", { retryable: true }));
    });
    document.head.append(script);
  });
  return loading;
}

/** @param {Checkout} checkout @returns {Promise<Stripe>} */
async function stripeFor({ view, order, texts }) {
  const key = order?.payment?.publishable_key ?? view.checkout.publishable_key;
  if (!key) throw new Problem("stripe_unavailable");
  const make = await stripeMaker();
  return make(key, { locale: texts.locale });
}

/** @param {Checkout} checkout @param {(problem: Problem) => void} refuse @returns {PayForm} */
export function stripeForm(checkout, refuse) {
  const place = el("div", { class: "stripe", "aria-busy": "true" });
  const secret = checkout.order?.payment?.client_secret;
  /** @type {{ stripe: Stripe, elements: StripeElements } | null} */
  let ready = null;
  const mount = async () => {
    if (!secret) throw new Problem("stripe_unavailable");
    const stripe = await stripeFor(checkout);
    const elements = stripe.elements({ clientSecret: secret, appearance: appearance() });
    const element = elements.create("payment");
    element.on("ready", () => place.removeAttribute("aria-busy"));
    element.mount(place);
    ready = { stripe, elements };
  };
  mount().catch((error) => refuse(error instanceof Problem ? error : new Problem("stripe_unavailable")));
  return {
    root: place,
    pay: async () => {
      if (!ready) return new Problem("stripe_unavailable", { retryable: true });
      const { stripe, elements } = ready;
      const answer = await stripe.confirmPayment({
        elements,
        redirect: "if_required",
        confirmParams: { return_url: location.href },
      });
      return problemOf(answer);
    },
  };
}

/** After a reload in the middle of it: go on with the bank's question. @param {Checkout} checkout */
export async function authenticateWithStripe(checkout) {
  const clientSecret = checkout.order?.payment?.client_secret;
  if (!clientSecret) return new Problem("stripe_unavailable");
  const stripe = await stripeFor(checkout);
  return problemOf(await stripe.handleNextAction({ clientSecret }));
}

/** @param {StripeResult} answer @returns {Problem | null} */
function problemOf({ error }) {
  if (!error) return null;
  // What is wrong in its own fields, the form says itself.
  if (error.type === "validation_error") return new Problem("incorrect_details");
  const code = error.decline_code ?? error.code ?? "card_declined";
  return decline(code === "payment_intent_authentication_failure" ? "authentication_failed" : code);
}

/** Stripe's form in this page's colours. */
function appearance() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const value = (name) => style.getPropertyValue(name).trim();
  const { mode } = document.documentElement.dataset;
  const dark = mode === "dark" || (mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return {
    theme: dark ? "night" : "stripe",
    variables: { borderRadius: value("--radius-field") || "10px", fontSizeBase: "16px" },
  };
}

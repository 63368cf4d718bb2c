// The coins of a sale: where to, exactly how many, until when; and what has arrived so far.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { Step, View } from "../types.js" */
import { describe, el, fill, svg } from "../dom.js";
import { cancelButton, countdown, notice, section } from "../parts/controls.js";
import { copyButton, groupedAddress } from "../parts/facts.js";
import { compareAmounts, isSome, minus } from "../texts.js";

const WALLETS = /^(bitcoin|litecoin|ethereum):/;

/** @param {Checkout} checkout @returns {Step} */
export function depositStep(checkout) {
  const { texts, view, clock, order } = checkout;
  const said = notice(texts);
  const asset = { asset: view.source.asset, network: view.source.network };
  const network = texts.asset(view.source).network_name ?? "";
  const code = el("div", { class: "qr", "data-testid": "deposit-qr" });
  const amount = el("bdi", {});
  const amountCopy = el("span", {});
  const progress = el("p", { class: "waiting", role: "status" });
  const open = el("a", { class: "link" }, texts.say("deposit.open"));
  const timer = countdown(texts, clock, { words: "deposit.window", onEnd: () => void checkout.refresh() });
  const cancel = cancelButton(checkout, (problem) => said.show(problem, checkout.view));
  const address = order?.deposit?.address ?? "";
  const { root } = section(
    "deposit",
    texts.say("deposit.title", { asset: texts.asset(view.source).name }),
    el("p", { class: "lead" }, texts.say("deposit.lead", { network })),
    el("div", { class: "price" }, timer.root),
    code,
    el("div", { class: "open-wallet" }, open),
    el(
      "div",
      { class: "give" },
      el("span", { class: "give-label" }, texts.say("deposit.amount")),
      el("span", { class: "give-value", "data-testid": "deposit-amount", dir: "ltr" }, amount),
      amountCopy,
    ),
    el(
      "div",
      { class: "give" },
      el("span", { class: "give-label" }, texts.say("deposit.address", { network })),
      el("div", { "data-testid": "deposit-address" }, groupedAddress(address, "address-groups")),
      copyButton(checkout, address, texts.say("deposit.address", { network })),
    ),
    progress,
    said.root,
    cancel.root,
  );
  let drawn = "";
  let heard = "";
  /** @param {View} now */
  const update = (now) => {
    const at = now.order;
    if (!at?.deposit) return;
    const some = isSome(at.source.received);
    const missing = some ? minus(at.source.amount, [at.source.received]) : at.deposit.amount;
    if (drawn !== missing + (now.deposit?.uri ?? "")) {
      drawn = missing + (now.deposit?.uri ?? "");
      amount.textContent = texts.money({ ...asset, amount: missing });
      fill(amountCopy, copyButton(checkout, missing, texts.say("deposit.amount")));
      const uri = uriFor(now, missing);
      code.hidden = !uri || !now.deposit;
      fill(code, now.deposit && qrCode(now.deposit.qr, texts.say("deposit.qr")));
      describe(open, { href: WALLETS.test(uri) ? uri : null, hidden: !WALLETS.test(uri) });
    }
    const values = {
      received: texts.money({ ...asset, amount: at.source.received }),
      missing: texts.money({ ...asset, amount: missing }),
    };
    const words = texts.say(some ? "deposit.partial" : "deposit.waiting", values);
    if (words !== heard) fill(progress, el("span", { class: "pulse", "aria-hidden": "true" }), el("span", {}, words));
    heard = words;
    cancel.root.hidden = !at.allowed_actions.includes("cancel");
  };
  if (order?.deposit) timer.start(order.created_at, order.deposit.expires_at);
  return { root, update, leave: () => timer.stop() };
}

/** @param {View} view @param {string} missing @returns {string} empty when it would ask for another amount than this */
function uriFor({ deposit }, missing) {
  const uri = deposit?.uri ?? "";
  const asked = /[?&]amount=([\d.]+)/.exec(uri)?.[1];
  return asked === undefined || compareAmounts(asked, missing) === 0 ? uri : "";
}

/**
 * Dark on light in every theme: not every scanner reads the other way round.
 * @param {{ size: number, path: string }} qr
 * @param {string} words
 */
function qrCode({ size, path }, words) {
  return svg(
    "svg",
    { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": words, "shape-rendering": "crispEdges" },
    svg("path", { d: path }),
  );
}

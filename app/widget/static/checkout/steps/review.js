// The last look before it counts: what is given, what is got, where it goes. Only a button that has been in plain sight for
// half a second takes the press, and whatever happens to the answer, one quote is one order.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { Detail, Quote, Step } from "../types.js" */
import { Problem, asProblem } from "../api.js";
import { el, fill, icon } from "../dom.js";
import { openOwnWindow } from "../entry.js";
import { Quoter } from "../live.js";
import { EMBEDDED, armWhenSeen } from "../outer.js";
import { actionButton, actions, countdown, notice, section } from "../parts/controls.js";
import { details, feeTable, groupedAddress, groupedIban } from "../parts/facts.js";

// What this tab cannot know the end of: another tab, or an answer that was lost, may have placed the order.
const LOOK_AGAIN = ["conflict_state", "quote_used", "idempotency_mismatch"];

/** @param {Checkout} checkout @returns {Step} */
export function reviewStep(checkout) {
  const { texts, view, clock } = checkout;
  const buy = view.direction === "buy";
  const elsewhere = view.confirm_in_window && EMBEDDED;
  const said = notice(texts);
  const facts = el("div", {});
  const price = el("div", { class: "fees" });
  const covered = el("p", { class: "hint", role: "status" });
  const timer = countdown(texts, clock, { words: "quote.held", testid: "quote-countdown", onEnd: () => expire() });
  const confirm = actionButton({ testid: "review-confirm", label: "" }, () => (elsewhere ? away() : place()));
  const requote = actionButton({ testid: "requote", label: texts.say("requote") }, () => quoter.again());
  const back = actionButton({ testid: "back", kind: "secondary", label: texts.say("back") }, () => checkout.back());
  const quoter = new Quoter(checkout, {
    onQuote: (quote) => show(quote),
    onProblem: (problem) => said.show(problem, checkout.view),
    onBusy: (busy) => requote.allow(!busy),
  });
  quoter.remember(wantedNow(checkout));
  const { root } = section(
    "review",
    texts.say(buy ? "review.title.buy" : "review.title.sell"),
    facts,
    el("div", { class: "price" }, timer.root),
    price,
    elsewhere && el("p", { class: "hint" }, icon("external"), texts.say("review.window")),
    covered,
    said.root,
    actions(back.root, requote.root, confirm.root),
  );
  const guard = armWhenSeen(confirm.root, (armed, hidden) => {
    confirm.allow(armed);
    fill(covered, hidden && texts.say("review.covered"));
  });
  confirm.allow(false);

  /** @param {Quote} quote */
  const show = (quote) => {
    said.clear();
    const total = texts.money(buy ? quote.source : quote.destination);
    confirm.label(
      elsewhere
        ? texts.say("review.confirm.window")
        : texts.say(buy ? "review.confirm.buy" : "review.confirm.sell", { total }),
    );
    confirm.root.hidden = false;
    requote.root.hidden = true;
    fill(facts, details(factsOf(checkout, quote)));
    fill(price, feeTable(texts, quote, view.partner.name));
    timer.start(quote.created_at, quote.expires_at);
    checkout.redrawSummary();
  };
  const expire = () => {
    timer.stop();
    confirm.root.hidden = true;
    requote.root.hidden = false;
    said.show(new Problem("quote_expired"), checkout.view);
  };
  const place = async () => {
    const quote = checkout.quote;
    if (!guard.armed || !quote) return;
    said.clear();
    try {
      const order = await checkout.api.placeOrder(orderBody(checkout, quote));
      checkout.acceptOrder(order);
      if (checkout.ownWindow) checkout.close();
    } catch (error) {
      await refuse(asProblem(error));
    }
  };
  /** @param {Problem} problem */
  const refuse = async (problem) => {
    if (LOOK_AGAIN.includes(problem.code) || problem.unknown) await checkout.refresh();
    if (checkout.order) return; // it is there: the step has changed
    if (problem.code === "quote_expired" || problem.code === "quote_used") expire();
    if (pointsAt(problem, "address")) return checkout.goBackWith("address", problem);
    if (pointsAt(problem, "bank")) return checkout.goBackWith("bank", problem);
    said.show(problem, checkout.view);
  };
  const away = () => {
    if (!guard.armed) return;
    const luggage = { credential: checkout.api.credential, draft: checkout.draft, bank: checkout.bank };
    if (!openOwnWindow(luggage)) said.show(new Problem("popup_blocked"), checkout.view);
  };

  const quote = checkout.quote;
  if (quote && clock.until(quote.expires_at) > 0) show(quote);
  else if (quote) {
    show(quote);
    expire();
  } else quoter.again();
  return {
    root,
    update: () => {},
    leave: () => {
      guard.stop();
      quoter.stop();
      timer.stop();
    },
  };
}

/** @param {Problem} problem @param {string} field of the order */
function pointsAt(problem, field) {
  const codes = ["address_invalid", "address_blocked", "network_mismatch", "tag_required"];
  if (field === "address" && codes.includes(problem.code)) return true;
  return problem.pointers.some((pointer) => pointer.startsWith(`/${field}`));
}

/** @param {Checkout} checkout what the same quote is asked for again with */
function wantedNow({ view, draft, quote }) {
  const bound = view.source.amount ?? view.destination.amount;
  const method = view.payment_method ? null : (draft.method ?? quote?.payment_method);
  return {
    ...(bound
      ? {}
      : {
          amount: draft.amount || quote?.source.amount || "",
          side: draft.amount ? draft.side : /** @type {const} */ ("source"),
        }),
    ...(method && view.direction === "buy" ? { payment_method: method } : {}),
  };
}

/** @param {Checkout} checkout @param {Quote} quote without anything that the partner has bound */
function orderBody({ view, draft, bank }, quote) {
  return {
    quote_id: quote.id,
    ...(view.direction === "buy" && !view.destination.address ? { address: draft.address } : {}),
    ...(view.direction === "sell" && draft.refundAddress && !view.refund_address
      ? { refund_address: draft.refundAddress }
      : {}),
    ...(view.direction === "sell" && !view.external_account && bank ? { bank } : {}),
  };
}

/** @param {Checkout} checkout @param {Quote} quote @returns {Detail[]} */
function factsOf(checkout, quote) {
  const { texts, view } = checkout;
  const buy = view.direction === "buy";
  return [
    { name: texts.say(buy ? "pay" : "give"), value: texts.money(quote.source), strong: true, half: true },
    { name: texts.say("receive"), value: texts.money(quote.destination), strong: true, half: true },
    ...(buy ? factsOfBuy(checkout, quote) : factsOfSale(checkout)),
  ];
}

/** @param {Checkout} checkout @param {Quote} quote @returns {Detail[]} */
function factsOfBuy({ texts, view, draft }, quote) {
  const { memo, address } = view.destination;
  const method = quote.payment_method;
  return [
    { name: texts.say("review.to"), value: groupedAddress(address ?? draft.address, "address-groups") },
    ...(memo ? [{ name: texts.say("memo"), value: memo }] : []),
    { name: texts.say("network"), value: texts.asset(view.destination).network_name ?? "", half: true },
    ...(method ? [{ name: texts.say("method"), value: texts.say(`method.${method}`), half: true }] : []),
  ];
}

/** @param {Checkout} checkout @returns {Detail[]} */
function factsOfSale(checkout) {
  const { texts, view, draft } = checkout;
  const refund = view.refund_address ?? draft.refundAddress;
  return [
    { name: texts.say("review.account"), value: accountOf(checkout) },
    ...(refund ? [{ name: texts.say("refund"), value: groupedAddress(refund, "refund-groups") }] : []),
  ];
}

/** @param {Checkout} checkout */
function accountOf({ view, bank }) {
  if (view.external_account) return view.external_account.label;
  if (!bank) return "";
  return `${bank.holder_name} · ${"iban" in bank ? groupedIban(bank.iban) : `${bank.routing_number} / ${bank.account_number}`}`;
}

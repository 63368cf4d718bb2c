// Where the coins go. Checked by the server while it is typed, shown in full and in groups, compared with older ones.
// @ts-check

/** @import { Checkout } from "../checkout.js" */
/** @import { Step } from "../types.js" */
import { Problem, asProblem } from "../api.js";
import { el, fill, icon, quiet } from "../dom.js";
import { actionButton, actions, notice, section } from "../parts/controls.js";
import { addressIn, groupedAddress } from "../parts/facts.js";

const TYPING_MS = 400;

/** @param {Checkout} checkout @returns {Step} */
export function addressStep(checkout) {
  return checkout.view.destination.address ? boundAddress(checkout) : typedAddress(checkout);
}

/** @param {Checkout} checkout */
function title({ texts, view }) {
  return texts.say("address.title", { asset: texts.asset(view.destination).name });
}

/** @param {Checkout} checkout */
function wayBack(checkout) {
  return actionButton({ testid: "back", kind: "secondary", label: checkout.texts.say("back") }, () => checkout.back());
}

/** @param {Checkout} checkout the partner has set it: it is shown, and cannot be changed here @returns {Step} */
function boundAddress(checkout) {
  const { texts, view } = checkout;
  const { address, memo } = view.destination;
  const next = actionButton({ testid: "continue", label: texts.say("continue") }, () => checkout.next());
  const { root } = section(
    "address",
    title(checkout),
    el("p", { class: "lead" }, texts.say("address.bound", { partner: view.partner.name })),
    groupedAddress(address ?? "", "address-groups"),
    memo && el("p", { class: "hint" }, texts.say("address.memo", { memo })),
    el("p", { class: "hint" }, icon("lock"), texts.say("address.bound.note", { partner: view.partner.name })),
    actions(wayBack(checkout).root, next.root),
  );
  return { root, update: () => {}, leave: () => {} };
}

/** @param {Checkout} checkout @returns {Step} */
function typedAddress(checkout) {
  const { texts, view } = checkout;
  const network = texts.asset(view.destination).network_name ?? view.destination.network ?? "";
  const said = notice(texts);
  const groups = el("div", { class: "address-checked" });
  const warning = el("div", {});
  const camera = el("div", { class: "camera-place" });
  const input = el("textarea", {
    id: "address",
    "data-testid": "address-input",
    rows: 2,
    class: "field",
    dir: "ltr",
    autocomplete: "off",
    autocapitalize: "none",
    autocorrect: "off",
    spellcheck: "false",
    maxlength: 256,
    "aria-describedby": "address-hint",
  });
  const next = actionButton({ testid: "continue", label: texts.say("continue") }, () => proceed());
  const scanner =
    "BarcodeDetector" in window &&
    actionButton({ testid: "scan", kind: "quiet", label: texts.say("scan") }, () => look());
  if (scanner) scanner.root.prepend(icon("scan"));
  const { root } = section(
    "address",
    title(checkout),
    el(
      "p",
      { class: "lead", id: "address-hint" },
      texts.say("address.hint", { network, asset: view.destination.asset }),
    ),
    el(
      "div",
      { class: "field-head" },
      el("label", { for: "address" }, texts.say("address.label", { network })),
      scanner && scanner.root,
    ),
    input,
    camera,
    groups,
    warning,
    said.root,
    actions(wayBack(checkout).root, next.root),
  );

  let good = "";
  let alike = false;
  let asking = new AbortController();
  let scanning = new AbortController();
  /** @param {string} address */
  const accept = (address) => {
    good = address;
    const sure = el("p", { class: "good", role: "status" }, icon("check"), texts.say("address.valid", { network }));
    fill(groups, sure, groupedAddress(address, "address-groups"));
    fill(warning, alike && lookAlike(checkout));
  };
  const check = async () => {
    wait.stop();
    const address = addressIn(input.value);
    asking.abort();
    const mine = (asking = new AbortController());
    if (!address) return;
    try {
      const answer = await checkout.api.checkAddress(address, mine.signal);
      if (mine.signal.aborted) return;
      if (!answer.valid) return refuse(new Problem(answer.code ?? "address_invalid"));
      alike = answer.look_alike;
      said.clear();
      accept(answer.normalised);
    } catch (error) {
      if (!mine.signal.aborted) refuse(asProblem(error));
    }
  };
  /** @param {Problem} problem */
  const refuse = (problem) => {
    forget();
    said.show(problem, checkout.view);
  };
  const forget = () => {
    good = "";
    alike = false;
    fill(groups);
    fill(warning);
  };
  const wait = quiet(() => void check());
  // Nothing that was found out, said or ticked before is about what the field holds now.
  const changed = () => {
    asking.abort();
    checkout.note({ address: "", compared: false });
    said.clear();
    forget();
  };
  const proceed = async () => {
    if (!good) await check();
    if (!good) {
      if (!addressIn(input.value)) said.show(new Problem("address_missing"), checkout.view);
      input.focus();
      return;
    }
    if (alike && !checkout.draft.compared) {
      said.show(new Problem("address_not_compared"), checkout.view);
      warning.querySelector("input")?.focus();
      return;
    }
    checkout.note({ address: good });
    checkout.next();
  };
  const look = async () => {
    scanning.abort();
    scanning = new AbortController();
    try {
      const { scan } = await import("../scan.js");
      const found = await scan(camera, scanning.signal);
      if (!found) return;
      input.value = addressIn(found);
      changed();
      await check();
    } catch {
      said.show(new Problem("camera_refused"), checkout.view);
    }
  };
  input.addEventListener("input", () => {
    if (/[\n\r]/.test(input.value)) input.value = addressIn(input.value);
    changed();
    wait.after(TYPING_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    next.root.click();
  });
  const carried = checkout.takeCarried();
  if (carried) said.show(carried, view);
  input.value = checkout.draft.address;
  if (input.value && !carried) void check();
  return {
    root,
    update: () => {},
    leave: () => {
      wait.stop();
      asking.abort();
      scanning.abort();
    },
  };
}

/** @param {Checkout} checkout an older address looks the same at both ends: how coins are stolen by "poisoning" */
function lookAlike(checkout) {
  const { texts } = checkout;
  const box = el("input", { type: "checkbox", "data-testid": "address-compared", checked: checkout.draft.compared });
  box.addEventListener("change", () => checkout.note({ compared: box.checked }));
  return el(
    "div",
    { class: "warning", role: "alert", "data-testid": "address-warning" },
    icon("alert"),
    el(
      "div",
      { class: "notice-text" },
      el("strong", {}, texts.say("address.alike")),
      el("span", {}, texts.say("address.alike.note")),
      el("label", { class: "tick" }, box, el("span", {}, texts.say("address.alike.tick"))),
    ),
  );
}

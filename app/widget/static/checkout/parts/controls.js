// What steps are built of: their frame, buttons, lines of text, countdowns, and the place where it is said what is wrong.
// @ts-check

/** @import { Problem } from "../api.js" */
/** @import { Checkout } from "../checkout.js" */
/** @import { Clock } from "../live.js" */
/** @import { Texts } from "../texts.js" */
/** @import { ActionButton, Child, Countdown, Notice, StepName, TextField, TextForm } from "../types.js" */
import { asProblem } from "../api.js";
import { describe, el, fill, icon, svg } from "../dom.js";
import { explain } from "./facts.js";

/**
 * @param {StepName} name
 * @param {string} title
 * @param {...Child} children
 * @returns {{ root: HTMLElement, heading: HTMLHeadingElement }}
 */
export function section(name, title, ...children) {
  const heading = el("h1", { id: "step-heading", tabindex: -1 }, title);
  const root = el(
    "section",
    { class: `step step-${name}`, "data-testid": `step-${name}`, "aria-labelledby": "step-heading" },
    heading,
    ...children,
  );
  return { root, heading };
}

/**
 * It keeps the focus while it is locked (`aria-disabled`): a customer at the keyboard does not lose the place.
 * @param {{ testid: string, kind?: "primary" | "secondary" | "quiet", label: Child }} form
 * @param {() => Promise<void> | void} act
 * @returns {ActionButton}
 */
export function actionButton(form, act) {
  const text = el("span", { class: "button-label" }, form.label);
  const root = el("button", { type: "button", class: form.kind ?? "primary", "data-testid": form.testid }, text);
  let possible = true;
  let busy = false;
  const draw = () =>
    describe(root, { "aria-disabled": !possible || busy ? "true" : null, "aria-busy": busy ? "true" : null });
  root.addEventListener("click", async () => {
    if (!possible || busy) return;
    busy = true;
    draw();
    try {
      await act();
    } finally {
      busy = false;
      draw();
    }
  });
  return {
    root,
    label: (...label) => fill(text, ...label),
    allow: (now) => {
      possible = now;
      draw();
    },
  };
}

/**
 * The row at the foot of a step, in sight however long the step is: the way back, and the way on.
 * @param {...Child} children
 */
export function actions(...children) {
  return el("div", { class: "actions" }, ...children);
}

/** @param {Texts} texts @param {TextForm} form @returns {TextField} */
export function textField(texts, form) {
  const id = `${form.name}-input`;
  const hint = `${id}-hint`;
  const input = el("input", {
    class: "field",
    id,
    "data-testid": id,
    value: form.value,
    autocomplete: form.autocomplete,
    maxlength: form.maxlength,
    dir: form.latin ? "ltr" : "auto",
    inputmode: form.digits ? "numeric" : null,
    spellcheck: "false",
    autocapitalize: form.latin ? "characters" : "words",
    "aria-describedby": hint,
  });
  const explained = texts.has(`${form.name}.hint`) ? texts.say(`${form.name}.hint`) : "";
  const note = el("p", { class: "field-note", id: hint, "aria-live": "polite" }, explained);
  const check = () => {
    const good = form.good(input.value);
    describe(input, { "aria-invalid": good ? null : "true" });
    note.textContent = good
      ? explained
      : `${texts.say(`problem.${form.problem}`)} ${texts.say(`problem.${form.problem}.do`)}`;
    note.classList.toggle("bad", !good);
    return good;
  };
  input.addEventListener("change", () => input.value && check());
  input.addEventListener("input", () => input.hasAttribute("aria-invalid") && check());
  return {
    root: el("div", { class: "field-group" }, el("label", { for: id }, texts.say(form.name)), input, note),
    input,
    key: form.key ?? form.name,
    value: () => input.value,
    check,
    focus: () => input.focus(),
  };
}

const TICK_MS = 250;
const SOON_MS = 10_000;
const ROUND = 100;

/**
 * @param {Texts} texts
 * @param {Clock} clock
 * @param {{ words: string, testid?: string, onEnd: () => void }} form `words` is a text with `{time}` in it
 * @returns {Countdown}
 */
export function countdown(texts, clock, form) {
  const text = el("span", {});
  const arc = svg("circle", { cx: 10, cy: 10, r: 8, pathLength: ROUND, class: "dial-arc" });
  const dial = svg(
    "svg",
    { viewBox: "0 0 20 20", class: "dial", "aria-hidden": "true" },
    svg("circle", { cx: 10, cy: 10, r: 8, class: "dial-track" }),
    arc,
  );
  const root = el(
    "div",
    { class: "countdown", role: "timer", "aria-live": "off", "data-testid": form.testid, hidden: true },
    dial,
    text,
  );
  let timer = 0;
  const stop = () => {
    window.clearInterval(timer);
    root.hidden = true;
  };
  return {
    root,
    stop,
    start: (from, until) => {
      stop();
      const whole = Math.max(1, Date.parse(until) - Date.parse(from));
      const draw = () => {
        const left = clock.until(until);
        text.textContent = texts.say(form.words, { time: texts.clock(left) });
        describe(arc, { "stroke-dasharray": `${(Math.min(1, left / whole) * ROUND).toFixed(1)} ${ROUND}` });
        describe(root, { "data-soon": left < SOON_MS ? "true" : null });
        if (left > 0) return;
        stop();
        form.onEnd();
      };
      root.hidden = false;
      timer = window.setInterval(draw, TICK_MS);
      draw();
    },
  };
}

/** @param {Texts} texts @returns {Notice} */
export function notice(texts) {
  // There from the beginning, and filled later: only then is it surely read out.
  const root = el("div", { class: "notice", role: "alert", "data-testid": "error", hidden: true });
  return {
    root,
    show: (problem, view) => {
      const { happened, money, todo } = explain(texts, problem, view);
      root.dataset.code = problem.code;
      root.hidden = false;
      const lines = [el("strong", {}, happened), el("span", { class: "notice-money" }, money), el("span", {}, todo)];
      fill(root, icon("alert"), el("div", { class: "notice-text" }, ...lines));
      root.scrollIntoView({ block: "nearest" });
    },
    clear: () => {
      root.hidden = true;
      delete root.dataset.code;
      fill(root);
    },
  };
}

/** @param {Checkout} checkout @param {(problem: Problem) => void} refuse */
export function cancelButton(checkout, refuse) {
  const { texts } = checkout;
  let asked = false;
  const button = actionButton({ testid: "cancel", kind: "quiet", label: texts.say("cancel") }, async () => {
    const { order } = checkout;
    if (!order) return;
    if (!asked) {
      // One press too many must not end a purchase.
      asked = true;
      button.label(texts.say("cancel.sure"));
      return;
    }
    try {
      checkout.acceptOrder(await checkout.api.cancel(order));
    } catch (error) {
      refuse(asProblem(error));
      void checkout.refresh();
    }
  });
  button.root.addEventListener("blur", () => {
    asked = false;
    button.label(texts.say("cancel"));
  });
  return button;
}

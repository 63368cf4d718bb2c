// The playground: choose, create a session, watch it from all sides, and play the world around it.
// @ts-check

import { follow, forgetKey, get, keepKey, keptKey, post, Refused } from "./api.js";
import { byId, element, logged, say, tabs } from "./dom.js";
import { bodyOf, offer, TEST_VALUES, valueOf } from "./options.js";
import { scenariosOf } from "./scenarios.js";
import { clientSnippet, serverSnippet } from "./snippets.js";

/** @typedef {import("./api.js").Json} Json */

const options = byId("options", HTMLFormElement);
const frame = byId("frame", HTMLElement);
const buttons = byId("scenarios", HTMLElement);
const counts = { event: 0, webhook: 0 };

/** @type {Json | null} */
let session = null;
/** @type {Json | null} */
let order = null;
/** @type {string | null} */
let method = null;
/** @type {{ close(): void } | null} */
let shown = null;

/** @param {unknown} error */
const wordsOf = (error) => (error instanceof Error ? error.message : String(error));

/** Enter with a key, or ask for one. */
async function enter() {
  if (!keptKey()) return ask("");
  try {
    const [assets, methods] = await Promise.all([get("/v1/assets"), get("/v1/payment_methods")]);
    offer(options, assets.data, methods.data);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) forgetKey();
    return ask(wordsOf(error));
  }
  byId("door", HTMLElement).hidden = true;
  byId("playground", HTMLElement).hidden = false;
  byId("forget", HTMLElement).hidden = false;
  adapt();
  follow(webhook).catch((error) => say(wordsOf(error)));
}

/** @param {string} problem */
function ask(problem) {
  byId("door", HTMLElement).hidden = false;
  byId("key-problem", HTMLElement).textContent = problem;
  byId("key", HTMLInputElement).focus();
}

/** Show what belongs to the choices, and the code that does the same. */
function adapt() {
  const direction = valueOf(options, "direction");
  for (const part of options.querySelectorAll("[data-for]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.for !== direction;
  }
  const shownRadius = options.elements.namedItem("radius_shown");
  if (shownRadius instanceof HTMLOutputElement) shownRadius.value = valueOf(options, "radius");
  byId("server", HTMLElement).textContent = serverSnippet(bodyOf(options));
  byId("client", HTMLElement).textContent = clientSnippet(valueOf(options, "show"), session?.url ?? "");
}

/** @param {SubmitEvent} event */
async function create(event) {
  event.preventDefault();
  const button = byId("create", HTMLButtonElement);
  const problem = byId("problem", HTMLElement);
  // A window can only be opened while the click is fresh: it is opened first, and told later where to go.
  const show = valueOf(options, "show");
  const page = show === "redirect" ? window.open("about:blank", "_blank") : null;
  problem.textContent = "";
  button.disabled = true;
  try {
    session = await post("/v1/sessions", bodyOf(options));
    order = null;
    byId("session-id", HTMLElement).textContent = session.id;
    status(session.status);
    present(session, show, page);
    adapt();
    drawScenarios();
  } catch (error) {
    page?.close();
    problem.textContent = wordsOf(error);
  } finally {
    button.disabled = false;
  }
}

/**
 * Show the checkout in the way that was chosen.
 * @param {Json} made
 * @param {string} show
 * @param {Window | null} page
 */
function present(made, show, page) {
  shown?.close();
  shown = null;
  const clientSecret = made.client_secret;
  const onEvent = (/** @type {RampwrightEvent} */ event) => told(event);
  frame.replaceChildren();
  if (show === "element") {
    const widget = document.createElement("rampwright-widget");
    widget.clientSecret = clientSecret;
    widget.addEventListener("rampwright", (event) => onEvent(/** @type {CustomEvent<RampwrightEvent>} */ (event).detail));
    frame.append(widget);
    shown = widget;
  } else if (show === "redirect") {
    if (page) page.location.replace(made.url);
    frame.append(element("p", { id: "empty" }, element("a", { href: made.url, target: "_blank", rel: "noopener" }, "Open the page of this session")));
  } else {
    const again = element("button", { type: "button", className: "primary" }, "Pay");
    again.addEventListener("click", () => (shown = Rampwright.open({ clientSecret, onEvent, mode: show === "popup" ? "popup" : "frame" })));
    frame.append(element("p", { id: "empty" }, "Your page’s own button: ", again));
    again.focus();
  }
}

/**
 * What the embedding page is told.
 * @param {RampwrightEvent} event
 */
function told(event) {
  const note = "order" in event ? `${event.order.status} · ${event.order.stage ?? ""}` : "step" in event ? event.step : "code" in event ? event.code : "";
  logged(byId("event-list", HTMLElement), event.type, note, event);
  byId("event-count", HTMLElement).textContent = String(++counts.event);
  if ("order" in event) look(event.order.id);
}

/**
 * What the partner's server is told: every event of this partner.
 * @param {Json} event
 */
function webhook(event) {
  const about = event.data.object;
  const note = about.object === "order" ? `${about.status} · ${about.stage}` : event.resource.id;
  logged(byId("webhook-list", HTMLElement), event.type, note, event);
  byId("webhook-count", HTMLElement).textContent = String(++counts.webhook);
  if (!session) return;
  if (about.id === session.id) {
    status(about.status);
    if (about.order_id) look(about.order_id);
  } else if (about.object === "order" && (about.session_id === session.id || about.id === order?.id)) {
    look(about.id);
  }
}

/** @param {string} text */
function status(text) {
  byId("session-status", HTMLElement).textContent = text;
}

let looking = "";

/**
 * Read an order as it is now; several calls while one is under way are one.
 * @param {string} id
 */
async function look(id) {
  if (looking === id) return;
  looking = id;
  await new Promise((resolve) => setTimeout(resolve, 150));
  looking = "";
  try {
    const found = await get(`/v1/orders/${id}`);
    if (order?.id !== id) {
      method = found.direction === "buy" ? (await get(`/v1/quotes/${found.quote_id}`)).payment_method : null;
    }
    if (order?.id === id && order.sequence > found.sequence) return; // an answer that was overtaken
    order = found;
    drawScenarios();
    if (session) status((await get(`/v1/sessions/${session.id}`)).status);
  } catch (error) {
    say(wordsOf(error));
  }
}

/** Offer what can happen to the order, or to the session as long as there is none. */
function drawScenarios() {
  const line = byId("order-line", HTMLElement);
  /** @type {import("./scenarios.js").Scenario[]} */
  const found = order ? scenariosOf(order, method) : [];
  if (session && !order) found.push({ title: "Revoke the session", path: `/v1/sessions/${session.id}/revoke`, bad: true });
  if (order) {
    const stage = order.stage === order.status ? "" : ` · ${order.stage}`;
    line.replaceChildren(element("code", {}, order.id), " is ", element("b", {}, order.status), stage.replaceAll("_", " "));
  } else if (session) {
    line.textContent = "No order yet. It is placed when the customer confirms in the checkout.";
  }
  buttons.replaceChildren(...found.map((scenario) => {
    const button = element("button", { type: "button", className: scenario.bad ? "bad" : "" }, scenario.title);
    button.addEventListener("click", () => play(scenario, button));
    return button;
  }));
}

/**
 * @param {import("./scenarios.js").Scenario} scenario
 * @param {HTMLButtonElement} button
 */
async function play(scenario, button) {
  button.disabled = true;
  try {
    await post(scenario.path, scenario.body);
    say(`${scenario.title}: done`);
    if (order) look(order.id);
  } catch (error) {
    say(wordsOf(error));
  } finally {
    button.disabled = false;
  }
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied");
  } catch {
    say("The browser did not let us copy; select the text instead.");
  }
}

byId("key-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key", HTMLInputElement).value.trim());
  enter();
});
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#key=") && keptKey()) location.reload(); // the link was opened in this very tab
});
byId("forget", HTMLElement).addEventListener("click", () => {
  forgetKey();
  location.reload();
});
byId("look", HTMLSelectElement).addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement) document.documentElement.style.colorScheme = target.value;
});
byId("stage", HTMLElement).addEventListener("change", ({ target }) => {
  if (target instanceof HTMLInputElement && target.name === "width") frame.dataset.width = target.value;
});
document.addEventListener("click", ({ target }) => {
  const source = target instanceof HTMLElement ? target.dataset.copy : undefined;
  if (source) copy(byId(source, HTMLElement).textContent ?? "");
});
byId("value-list", HTMLElement).append(...TEST_VALUES.flatMap(([title, value]) => {
  const button = element("button", { type: "button" }, "Copy");
  button.setAttribute("aria-label", `Copy: ${title}`);
  button.addEventListener("click", () => copy(value));
  return [element("dt", {}, title), element("dd", {}, element("code", {}, value), button)];
}));
for (const origins of options.querySelectorAll('textarea[name="allowed_origins"]')) {
  if (origins instanceof HTMLTextAreaElement) origins.value = location.origin;
}
byId("address-bar", HTMLElement).textContent = `${location.host}/your-page`;
tabs(/** @type {HTMLElement} */ (document.querySelector('[role="tablist"]')));
options.addEventListener("input", adapt);
options.addEventListener("submit", create);
enter();

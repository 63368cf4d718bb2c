// Making elements, and showing JSON: text is only ever set as text.
// @ts-check

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/**
 * The element of the page that has this id; the page and this script are one.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?|true|false|null)/g;

/**
 * A JSON document, spelled out and coloured.
 * @param {unknown} value
 * @returns {HTMLPreElement}
 */
export function json(value) {
  const text = JSON.stringify(value, null, 2);
  const pre = element("pre", { tabIndex: 0 });
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    pre.append(text.slice(end, found.index));
    const [whole, string, colon, plain] = found;
    pre.append(element("span", { className: plain ? "n" : colon ? "k" : "s" }, string ?? plain), colon ?? "");
    end = found.index + whole.length;
  }
  pre.append(text.slice(end));
  return pre;
}

let silence = 0;

/**
 * Say something once, to eyes and to screen readers.
 * @param {string} text
 */
export function say(text) {
  const said = byId("said", HTMLElement);
  said.textContent = text;
  clearTimeout(silence);
  silence = window.setTimeout(() => (said.textContent = ""), 5000);
}

/**
 * One line of a log that opens, on top of those before it.
 * @param {HTMLElement} list
 * @param {string} title
 * @param {string} note
 * @param {unknown} body
 */
export function logged(list, title, note, body) {
  list.querySelector(".none")?.remove();
  const time = new Date().toLocaleTimeString([], { hour12: false });
  const details = element("details", {}, element("summary", {}, element("code", {}, title),
    element("span", { className: "note" }, note), element("time", {}, time)));
  // Spelled out only when somebody looks.
  details.addEventListener("toggle", () => details.append(json(body)), { once: true });
  list.prepend(element("li", {}, details));
  while (list.children.length > 200) list.lastElementChild?.remove();
}

/**
 * Tabs as the ARIA authoring practices describe them: one of them is in the order of focus, the arrows go round.
 * @param {HTMLElement} list
 */
export function tabs(list) {
  const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')]);
  /** @param {HTMLElement} chosen */
  const choose = (chosen) => {
    for (const tab of all) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls") ?? "", HTMLElement).hidden = !isChosen;
    }
  };
  list.addEventListener("click", (event) => {
    const tab = event.target instanceof Element ? event.target.closest('[role="tab"]') : null;
    if (tab instanceof HTMLElement) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const now = all.findIndex((tab) => tab === document.activeElement);
    /** @type {Record<string, number>} */
    const moves = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: all.length - 1 };
    const next = moves[event.key];
    if (now < 0 || next === undefined) return;
    event.preventDefault();
    const tab = all[(next + all.length) % all.length];
    choose(tab);
    tab.focus();
  });
}

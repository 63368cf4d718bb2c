// Elements made by hand. Text only ever becomes a text node: nothing that was received is read as HTML.
// @ts-check

/** @import { Attribute, Child } from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] null, undefined and false leave one out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  describe(element, attributes);
  fill(element, ...children);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, Attribute>} attributes
 * @param {...SVGElement} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  describe(element, attributes);
  element.append(...children);
  return element;
}

/** @param {Element} element @param {Record<string, Attribute>} attributes */
export function describe(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {Element} element @param {...Child} children what is in it from now on */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * A link may lead to a web page and nowhere else; plain http only on this very machine.
 * @param {string | null | undefined} address
 * @returns {string | null}
 */
export function webAddress(address) {
  try {
    const url = new URL(address ?? "");
    const local = url.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
    return url.protocol === "https:" || local ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * Run `act` after `ms` of quiet; each call starts the wait anew.
 * @param {() => void} act
 * @returns {{ after(ms: number): void, stop(): void }}
 */
export function quiet(act) {
  let timer = 0;
  const stop = () => window.clearTimeout(timer);
  return {
    stop,
    after: (ms) => {
      stop();
      timer = window.setTimeout(act, ms);
    },
  };
}

/** @type {Record<string, string>} */
const PATHS = {
  alert:
    "M12 8v5m0 3.2v.1M10.4 4.2 2.9 17.4A1.8 1.8 0 0 0 4.5 20h15a1.8 1.8 0 0 0 1.6-2.6L13.6 4.2a1.8 1.8 0 0 0-3.2 0Z",
  back: "M15 5l-7 7 7 7",
  bank: "M3 9.5 12 4l9 5.5M5 10v8m4.7-8v8m4.6-8v8M19 10v8M3 20.5h18",
  card: "M3 7.5A2.5 2.5 0 0 1 5.5 5h13A2.5 2.5 0 0 1 21 7.5v9a2.5 2.5 0 0 1-2.5 2.5h-13A2.5 2.5 0 0 1 3 16.5v-9ZM3 10h18M7 15h3",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h9.5v11H9zM6 15.5H5V4.5h9.5V6",
  cross: "M7 7l10 10M17 7L7 17",
  down: "M12 5v14m-6-6 6 6 6-6",
  external: "M14 5h5v5m0-5-8 8M10 6H6.5A1.5 1.5 0 0 0 5 7.5v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.5V14",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z",
  offline:
    "M4 4l16 16M8.5 15.5a5 5 0 0 1 7 0M5.5 12.3a9 9 0 0 1 4-2.3m4.7-.1a9 9 0 0 1 4.3 2.4M2.8 9a13 13 0 0 1 4-2.6m4-1a13 13 0 0 1 10.4 3.6M12 19v.1",
  print: "M7 9V4h10v5M7 16H4.5V9h15v7H17M7 13.5h10V20H7z",
  return: "M8.5 14.5 4 10l4.5-4.5M4 10h9.5a5.5 5.5 0 0 1 0 11H10",
  scan: "M4 8V4h4m8 0h4v4m0 8v4h-4m-8 0H4v-4M4 12h16",
  wait: "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
};

/** @param {string} name @returns {SVGElement} */
export function icon(name) {
  return svg(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] ?? "" }),
  );
}

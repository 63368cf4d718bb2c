// The partner's look, from a short list of allowed values. Whatever accent is asked for, what is written in it or on it
// can be read: its lightness is moved until the contrast is enough (WCAG 2.2, 1.4.3 and 1.4.11).
// @ts-check

/** @import { Colour, Theme } from "./types.js" */

const MODES = ["auto", "light", "dark"];
const FONTS = ["system", "serif", "mono"];
const MOST_RADIUS = 24;
const ENOUGH = 4.5;
// The surfaces that the accent is written on, as in theme.css: the less favourable of each mode.
/** @type {Colour} */
const LIGHT_SURFACE = [244, 242, 236];
/** @type {Colour} */
const DARK_SURFACE = [31, 36, 34];
/** @type {Colour} */
const BLACK = [12, 16, 14];
/** @type {Colour} */
const WHITE = [255, 255, 255];

/** @param {Theme | null} theme */
export function applyTheme(theme) {
  const root = document.documentElement;
  const mode = MODES.includes(theme?.mode ?? "") ? theme?.mode : "auto";
  const font = FONTS.includes(theme?.font ?? "") ? theme?.font : "system";
  root.dataset.mode = mode ?? "auto";
  root.dataset.font = font ?? "system";
  if (typeof theme?.radius === "number" && theme.radius >= 0 && theme.radius <= MOST_RADIUS) {
    root.style.setProperty("--radius", `${theme.radius}px`);
  }
  const accent = readColour(theme?.accent ?? "");
  if (!accent) return;
  for (const [name, surface] of /** @type {const} */ ([
    ["light", LIGHT_SURFACE],
    ["dark", DARK_SURFACE],
  ])) {
    const readable = readableOn(accent, surface);
    root.style.setProperty(`--accent-${name}`, written(readable));
    root.style.setProperty(`--on-accent-${name}`, written(inkOn(readable)));
  }
}

/** @param {string} text @returns {Colour | null} */
export function readColour(text) {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  return found ? [parseInt(found[1], 16), parseInt(found[2], 16), parseInt(found[3], 16)] : null;
}

/** @param {Colour} colour */
const written = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

/** @param {Colour} colour @returns {number} relative luminance, 0 to 1 */
function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {Colour} first @param {Colour} second @returns {number} 1 to 21 */
export function contrast(first, second) {
  const [low, high] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** @param {Colour} colour @returns {Colour} black or white: whichever can be read on it; one of them always can */
function inkOn(colour) {
  return contrast(colour, WHITE) >= contrast(colour, BLACK) ? WHITE : BLACK;
}

/**
 * The nearest shade of a colour that can be read on a surface, and that black or white can be read on.
 * @param {Colour} colour
 * @param {Colour} surface
 * @returns {Colour}
 */
export function readableOn(colour, surface) {
  const target = luminance(surface) > 0.5 ? BLACK : WHITE;
  for (let share = 0; share <= 1; share += 0.02) {
    const shade = /** @type {Colour} */ (colour.map((value, at) => value + (target[at] - value) * share));
    if (contrast(shade, surface) >= ENOUGH && contrast(shade, inkOn(shade)) >= ENOUGH) return shade;
  }
  return target;
}

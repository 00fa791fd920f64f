// The picture: three lifelines and what goes between them. One step is a strip of it; the page shows the strips beside the
// words, and the picture to keep is the same strips, one below the other.

/** @import { Lane, Row, Scene, Step } from "./story.js" */

const SVG = "http://www.w3.org/2000/svg";
const LANES = /** @type {const} */ (["browser", "server", "service"]);
export const NAMES = { browser: "Browser", server: "Auth server", service: "Service" };
const HEIGHTS = { call: 66, wait: 46, note: 44 };
/** Above the first row of a step, and below its last. */
const SPACE = 8;
const NARROW = 440;

/**
 * An element of a picture.
 *
 * @param {Document} doc
 * @param {string} name
 * @param {Record<string, string | number | undefined>} [attributes]
 * @param {...(Node | string | undefined | false)} children
 */
function make(doc, name, attributes = {}, ...children) {
  const element = doc.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child !== undefined && child !== false)));
  return element;
}

/** Where the lifelines are, for a width. @param {number} width @returns {Record<Lane, number>} */
export function lanes(width) {
  const edge = width < NARROW ? 30 : Math.max(64, width * 0.13);
  return { browser: Math.round(edge), server: Math.round(width / 2), service: Math.round(width - edge) };
}

/** @param {Row} row */
const heightOf = (row) => HEIGHTS[row.kind];

/** @param {Step} step */
export const height = (step) => step.rows.reduce((sum, row) => sum + heightOf(row), 2 * SPACE);

/**
 * One step. Its lifelines go on to the end of whatever it is drawn in, where `whole` is not said.
 *
 * @param {Document} doc
 * @param {Step} step
 * @param {{ width: number, answers?: string[], isGood?: boolean, whole?: number }} how `answers`: what was really answered
 */
export function strip(doc, step, { width, answers = [], isGood, whole }) {
  const at = lanes(width);
  const bottom = whole ?? "100%";
  const group = make(doc, "g", {}, ...lifelines(doc, at, bottom), ...life(doc, step, at.browser, bottom));
  let top = SPACE;
  let calls = 0;
  for (const row of step.rows) {
    if (row.kind === "call") {
      const answer = answers[calls] ?? row.answer;
      group.append(call(doc, { ...row, answer, good: answers.length && isGood === false ? !row.good : row.good }, at, top, width));
      calls += 1;
    } else if (row.kind === "wait") {
      group.append(wait(doc, answers[0] ?? row.label, at, top, width));
    } else {
      group.append(note(doc, row.label, at[row.at], top, width));
    }
    top += heightOf(row);
  }
  return group;
}

/**
 * What goes on between two scenes.
 *
 * @param {Document} doc
 * @param {Scene | undefined} before
 * @param {{ width: number, whole?: number }} how
 */
export function between(doc, before, { width, whole = undefined }) {
  const at = lanes(width);
  const bottom = whole ?? "100%";
  const last = before?.steps.at(-1)?.token;
  const lives = last === "begins" || last === "counts";
  return [...lifelines(doc, at, bottom), ...(lives ? [make(doc, "rect", { class: "alive", x: at.browser - 3, y: 0, width: 6, height: bottom })] : [])];
}

/** @param {Document} doc @param {Record<Lane, number>} at @param {number | string} bottom */
function lifelines(doc, at, bottom) {
  return LANES.map((lane) => make(doc, "line", { class: "lifeline", x1: at[lane], y1: 0, x2: at[lane], y2: bottom, "stroke-width": 1 }));
}

/**
 * The bar beside the browser: an access token, while it counts.
 *
 * @param {Document} doc
 * @param {Step} step
 * @param {number} x
 * @param {number | string} bottom
 */
function life(doc, step, x, bottom) {
  /** @param {string} name @param {number} y @param {number | string} tall */
  const bar = (name, y, tall) => make(doc, "rect", { class: name, x: x - 3, y, width: 6, height: tall });
  const middle = height(step) / 2;
  switch (step.token) {
    case "begins":
      // From the answer on; what is below the strip is cut off.
      return [bar("alive", SPACE + 56, bottom)];
    case "counts":
      return [bar("alive", 0, bottom)];
    case "doomed":
      return [bar("doomed", 0, bottom)];
    case "ends":
      return step.rows[0]?.kind === "wait" ? [bar("alive", 0, middle)] : [bar("doomed", 0, SPACE + 56)];
    default:
      return [];
  }
}

/**
 * @param {Document} doc
 * @param {Extract<Row, { kind: "call" }>} row
 * @param {Record<Lane, number>} at
 * @param {number} top
 * @param {number} width
 */
function call(doc, row, at, top, width) {
  const size = width < NARROW ? 10 : 12;
  const forward = at[row.to] > at[row.from];
  const sign = forward ? 1 : -1;
  const chip = row.who ? (width < NARROW ? 40 : 46) : 0;
  const from = at[row.from] + sign * (chip ? chip / 2 : 5);
  const to = at[row.to] - sign * (row.rungs ? 9 : 5);
  const [asked, answered] = [top + 22, top + 54];
  const left = Math.min(from, to) + 9;
  return make(
    doc,
    "g",
    { class: `call ${row.good ? "good" : "wrong"}` },
    make(doc, "rect", { class: "touch", x: Math.min(at[row.from], at[row.to]) - 24, y: top, width: Math.abs(at[row.to] - at[row.from]) + 48, height: HEIGHTS.call }),
    row.rungs ? rungs(doc, row.rungs, at[row.to], asked - 6, answered + 4) : undefined,
    make(doc, "line", { class: "arrow", x1: from, y1: asked, x2: to, y2: asked, "stroke-width": 1.5 }),
    head(doc, to, asked, sign),
    words(doc, row.label, left, asked - 7, size, "asked"),
    make(doc, "line", { class: "back", x1: to, y1: answered, x2: from, y2: answered, "stroke-width": 1.5, "stroke-dasharray": "5 4" }),
    head(doc, from, answered, -sign, "back"),
    words(doc, row.answer, left, answered - 7, size, "back"),
    row.who ? actor(doc, row.who, at[row.from], asked, answered, chip) : undefined,
  );
}

/** @param {Document} doc @param {number} x @param {number} y @param {number} sign @param {string} [name] */
function head(doc, x, y, sign, name = "arrow") {
  return make(doc, "path", { class: `head ${name}`, d: `M${x} ${y}l${-8 * sign} -4v8z` });
}

/** Text that stays readable where a line runs below it. @param {Document} doc @param {string} text @param {number} x @param {number} y @param {number} size @param {string} name */
function words(doc, text, x, y, size, name) {
  return make(doc, "text", { class: `mono ${name}`, x, y, "font-size": size, "stroke-width": 4, "stroke-linejoin": "round", "paint-order": "stroke" }, text);
}

/** Who it is, where it is not the page itself. @param {Document} doc @param {string} name @param {number} x @param {number} top @param {number} bottom @param {number} width */
function actor(doc, name, x, top, bottom, width) {
  const kind = name === "thief" ? "thief" : "tab";
  return make(
    doc,
    "g",
    { class: `actor ${kind}` },
    make(doc, "rect", { x: x - width / 2, y: top - 10, width, height: bottom - top + 20, rx: 5, "stroke-width": 1 }),
    make(doc, "text", { x, y: (top + bottom) / 2 + 4, "font-size": 11, "text-anchor": "middle" }, name),
  );
}

/** The ladder, small: a verification. @param {Document} doc @param {"good" | "wrong"} kind @param {number} x @param {number} top @param {number} bottom */
function rungs(doc, kind, x, top, bottom) {
  const count = 9;
  const gap = (bottom - top) / (count + 1);
  const failed = kind === "wrong" ? 6 : count;
  const lines = Array.from({ length: count }, (_, i) =>
    make(doc, "line", { class: i === failed ? "rung wrong" : "rung", x1: x - 6, x2: x + 6, y1: top + gap * (i + 1), y2: top + gap * (i + 1), "stroke-width": i === failed ? 3 : 1.5 }),
  );
  return make(doc, "g", { class: "rungs" }, make(doc, "rect", { x: x - 9, y: top, width: 18, height: bottom - top, rx: 3, "stroke-width": 1 }), ...lines);
}

/** Time that goes by. @param {Document} doc @param {string} label @param {Record<Lane, number>} at @param {number} top @param {number} width */
function wait(doc, label, at, top, width) {
  const [x, wide] = [at.browser - 24, at.service - at.browser + 48];
  return make(
    doc,
    "g",
    { class: "wait" },
    make(doc, "rect", { class: "band", x, y: top + 8, width: wide, height: 28, rx: 14, "stroke-width": 1 }),
    make(doc, "rect", { class: "gone", x, y: top + 8, width: 0, height: 28, rx: 14, "data-width": wide }),
    make(doc, "text", { class: "left", x: width / 2, y: top + 26.5, "font-size": 12.5, "text-anchor": "middle" }, label),
  );
}

/** How far a wait is. @param {Element} strip @param {number} left seconds @param {number} of */
export function goOn(strip, left, of) {
  const gone = strip.querySelector(".wait .gone");
  const wide = Number(gone?.getAttribute("data-width") ?? 0);
  gone?.setAttribute("width", String(Math.round(wide * (1 - left / of))));
  const text = strip.querySelector(".wait .left");
  if (text) text.textContent = `${Math.ceil(left)} s`;
}

/** @param {Document} doc @param {string} label @param {number} x @param {number} top @param {number} width */
function note(doc, label, x, top, width) {
  const wide = label.length * 6.4 + 20;
  const left = Math.min(Math.max(4, x - wide / 2), width - wide - 4);
  return make(
    doc,
    "g",
    { class: "kept" },
    make(doc, "rect", { class: "touch", x: left - 8, y: top, width: wide + 16, height: HEIGHTS.note }),
    make(doc, "rect", { class: "paper", x: left, y: top + 8, width: wide, height: 26, rx: 4, "stroke-width": 1 }),
    make(doc, "text", { x: left + wide / 2, y: top + 25, "font-size": 12, "text-anchor": "middle" }, label),
  );
}

/** The names above the lifelines. @param {Document} doc @param {number} width */
export function heads(doc, width) {
  const at = lanes(width);
  return LANES.map((lane) => make(doc, "text", { class: "name", x: at[lane], y: 20, "font-size": width < NARROW ? 12 : 14, "text-anchor": "middle" }, NAMES[lane]));
}

/**
 * The whole story in a document of its own, with its own style in both lights.
 *
 * @param {Scene[]} story
 * @param {{ width: number, style: string, title: string }} how
 */
export function whole(story, { width, style, title }) {
  const doc = document.implementation.createDocument(SVG, "svg", null);
  const root = doc.documentElement;
  const body = make(doc, "g");
  let top = 36;
  const gap = 40;
  for (const [i, scene] of story.entries()) {
    body.append(
      make(
        doc,
        "g",
        { transform: `translate(0 ${top})` },
        ...between(doc, story[i - 1], { width, whole: gap }),
        make(doc, "text", { class: "scene", x: width / 2, y: 27, "font-size": 15, "text-anchor": "middle", "stroke-width": 6, "stroke-linejoin": "round", "paint-order": "stroke" }, scene.title),
      ),
    );
    top += gap;
    for (const step of scene.steps) {
      const tall = height(step);
      const clipped = make(doc, "svg", { y: top, width, height: tall }, strip(doc, step, { width, whole: tall }));
      body.append(clipped);
      top += tall;
    }
  }
  const tall = top + 12;
  for (const [key, value] of Object.entries({ width, height: tall, viewBox: `0 0 ${width} ${tall}`, role: "img", class: "life" })) {
    root.setAttribute(key, String(value));
  }
  root.append(make(doc, "title", {}, title), make(doc, "rect", { class: "ground", width, height: tall }), ...heads(doc, width), body);
  // The page's policy has no place for an element with a style in it, not even in a document that is never shown.
  return new XMLSerializer().serializeToString(doc).replace("</title>", `</title>\n<style>\n${style}</style>\n`);
}

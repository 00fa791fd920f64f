// The page: the story as a list, its picture beside it, and the buttons that play it.

import { byId, el, fill } from "../inspect/dom.js";
import { NAMES, between, goOn, height, lanes, strip, whole } from "./picture.js";
import { pause } from "./send.js";
import { shown } from "./shown.js";
import { STEPS, STORY, play } from "./story.js";
import { Unexpected, World } from "./world.js";

/** @import { Outcome, Step } from "./story.js" */

/** Between two steps while the story is played. */
const PAUSE = 1_200;
/** The picture that is kept. */
const KEPT_WIDTH = 720;

const SVG = "http://www.w3.org/2000/svg";
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
const list = byId("story", HTMLDivElement);
const heads = byId("heads", HTMLDivElement);
const status = byId("status", HTMLParagraphElement);
const [playButton, stepButton, againButton, pictureButton] = ["play", "step", "again", "picture"].map((id) => byId(id, HTMLButtonElement));

/** What there is of a step on the page. */
class Shown {
  /** @type {Outcome | undefined} */
  outcome;

  /** @param {Step} step @param {number} number */
  constructor(step, number) {
    this.step = step;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.addEventListener("click", (event) => this.#touched(event));
    this.badge = el("span", { class: "badge" }, "to come");
    this.words = el("p", { class: "came" });
    this.parts = el("div", { class: "parts" });
    this.item = el(
      "li",
      { id: `step-${step.id}`, "data-state": "to come", value: number },
      el("div", { class: "strip" }, this.svg),
      el("div", { class: "words" }, el("h3", {}, el("span", { class: "number" }, `${number} `), step.title, " ", this.badge), el("p", {}, step.tell), this.words, this.parts),
    );
    this.item.style.setProperty("--tall", `${height(step)}px`);
  }

  /** @param {number} width */
  draw(width) {
    this.svg.replaceChildren(strip(document, this.step, { width, answers: this.outcome?.answers, isGood: this.outcome?.asExpected }));
  }

  begin() {
    this.item.dataset.state = "now";
    this.item.setAttribute("aria-current", "step");
    fill(this.badge, "now");
  }

  /** @param {Outcome} outcome @param {number} width */
  end(outcome, width) {
    this.outcome = outcome;
    this.item.dataset.state = outcome.asExpected ? "made" : "odd";
    this.item.removeAttribute("aria-current");
    const codes = (outcome.exchanges ?? []).map((exchange) => exchange.status);
    const isRefused = codes.some((code) => code >= 400);
    this.badge.className = `badge ${!outcome.asExpected ? "care" : isRefused ? "wrong" : "good"}`;
    const words = [...new Set(codes)].map((code) => (code ? `${code >= 400 ? "✗" : "✓"} ${code}` : "no answer"));
    fill(this.badge, words.join(", then ") || "done");
    fill(this.words, outcome.words);
    fill(this.parts, ...shown(outcome));
    this.draw(width);
  }

  forget() {
    this.outcome = undefined;
    this.item.dataset.state = "to come";
    this.item.removeAttribute("aria-current");
    this.badge.className = "badge";
    fill(this.badge, "to come");
    fill(this.words);
    fill(this.parts);
  }

  /** An arrow opens its request, a ladder the ladder. @param {Event} event */
  #touched(event) {
    const target = event.target instanceof Element ? event.target : undefined;
    const calls = [...this.svg.querySelectorAll(".call")];
    const index = calls.findIndex((call) => call.contains(target ?? null));
    const kind = target?.closest(".rungs") ? ".verification" : ".exchange";
    const parts = [...this.parts.querySelectorAll(kind)];
    const part = parts[Math.min(Math.max(0, index), parts.length - 1)] ?? this.parts.querySelector("details");
    if (!(part instanceof HTMLDetailsElement)) return;
    part.open = true;
    part.querySelector("summary")?.focus();
  }
}

class Player {
  #world = this.#fresh();
  #next = 0;
  /** The step that is being made. @type {Promise<boolean> | undefined} */
  #current;
  /** The number of the run that plays; 0 where none does. */
  #playing = 0;
  #runs = 0;
  /** Counts the beginnings: what an earlier story still does counts no longer. */
  #round = 0;

  get isPlaying() {
    return this.#playing !== 0;
  }

  async play() {
    const run = (this.#runs += 1);
    this.#playing = run;
    buttons();
    await this.#current;
    while (this.#playing === run && (await this.step()) && this.#next < STEPS.length) await pause(PAUSE);
    if (this.#playing === run) this.#playing = 0;
    buttons();
  }

  /** A step that has begun goes on to its end: time does not stand still. */
  hold() {
    this.#playing = 0;
    buttons();
  }

  /** True where the story goes on. */
  async step() {
    this.#current ??= this.#one();
    buttons();
    const goesOn = await this.#current;
    buttons();
    return goesOn;
  }

  again() {
    this.#round += 1;
    this.#playing = 0;
    this.#current = undefined;
    this.#next = 0;
    // What was begun is not left behind.
    if (this.#world.isOpen) void this.#world.logOut();
    this.#world = this.#fresh();
    clock.end();
    for (const each of all) each.forget();
    redraw();
    say("From the beginning.");
    buttons();
  }

  state() {
    return { isOver: this.#next >= STEPS.length, hasBegun: this.#next > 0 || this.#current !== undefined, isBusy: this.#current !== undefined };
  }

  #fresh() {
    const world = new World();
    world.changed = () => clock.begin(world);
    return world;
  }

  async #one() {
    const [at, round] = [all[this.#next], this.#round];
    if (!at) return false;
    at.begin();
    follow(at);
    say(`Step ${this.#next + 1} of ${STEPS.length}: ${at.step.title}.`);
    const outcome = await this.#outcome(at, round);
    // Begun anew in the meantime.
    if (round !== this.#round) return false;
    this.#current = undefined;
    if (outcome instanceof Unexpected) {
      at.end({ words: outcome.message, exchanges: outcome.exchanges, asExpected: false }, width());
      say(`The story stopped: ${outcome.message}`);
      return false;
    }
    at.end(outcome, width());
    if (at.step.token === "ends") clock.end();
    this.#next += 1;
    const end = this.#next === STEPS.length ? " That was the life of a token." : "";
    say(`Step ${this.#next} of ${STEPS.length}: ${at.step.title}. ${outcome.words}${end}`);
    return true;
  }

  /** @param {Shown} at @param {number} round @returns {Promise<Outcome | Unexpected>} */
  async #outcome(at, round) {
    try {
      return await play(at.step, this.#world, (left, of) => {
        if (round === this.#round) goOn(at.svg, left, of);
      });
    } catch (problem) {
      return problem instanceof Unexpected ? problem : new Unexpected(String(problem), []);
    }
  }
}

/** The clock of the access token: it really runs. */
class TokenClock {
  #bar = byId("clock-bar", HTMLProgressElement);
  #left = byId("clock-left", HTMLElement);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @param {World} world */
  begin(world) {
    clearInterval(this.#timer);
    const of = world.ends - world.began;
    const tell = () => {
      const left = Math.max(0, world.ends - Date.now());
      this.#bar.value = left / of;
      this.#left.textContent = left > 0 ? `${Math.ceil(left / 1_000)} s left` : "expired";
      if (left === 0) clearInterval(this.#timer);
    };
    tell();
    this.#timer = setInterval(tell, isCalm.matches ? 1_000 : 200);
  }

  end() {
    clearInterval(this.#timer);
    this.#bar.value = 0;
    this.#left.textContent = "none that counts";
  }
}

/** @param {string} text */
function say(text) {
  status.textContent = text;
}

const width = () => Math.round(all[0]?.svg.getBoundingClientRect().width || 320);

function redraw() {
  const wide = width();
  for (const each of all) each.draw(wide);
  for (const [i, svg] of gaps.entries()) svg.replaceChildren(...between(document, STORY[i - 1], { width: wide }));
  for (const [lane, x] of Object.entries(lanes(wide))) heads.style.setProperty(`--${lane}`, `${x}px`);
}

/** Keeps what happens in sight, unless somebody looks elsewhere on the page. @param {Shown} at */
function follow(at) {
  if (!list.contains(document.activeElement)) at.item.scrollIntoView({ block: "nearest", behavior: isCalm.matches ? "auto" : "smooth" });
}

function buttons() {
  const { isOver, hasBegun, isBusy } = player.state();
  playButton.textContent = player.isPlaying ? "Pause" : isOver ? "Play again" : hasBegun ? "Go on" : "Play";
  // Not `disabled`: that would take the focus away from whoever goes on by keyboard.
  stepButton.setAttribute("aria-disabled", String(isOver || isBusy || player.isPlaying));
  againButton.setAttribute("aria-disabled", String(!hasBegun));
  list.dataset.state = isOver ? "over" : isBusy ? "busy" : "waits";
}

/** The rules of the style for the picture, with the colours of both lights in them: so it needs nothing around it. */
function style() {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule instanceof CSSStyleRule);
  const root = rules.find((rule) => rule.selectorText === ":root");
  const drawn = rules.filter((rule) => rule.selectorText.split(",").every((selector) => selector.trim().startsWith(".life ")));
  /** @param {0 | 1} light */
  const resolved = (light) =>
    drawn
      .map((rule) => `${rule.selectorText} { ${rule.style.cssText} }`.replaceAll(/var\((--[a-z-]+)\)/g, (_, name) => colour(root?.style.getPropertyValue(name) ?? "", light)))
      .join("\n");
  const [day, night] = [resolved(0), resolved(1)];
  return `${day}\n@media (prefers-color-scheme: dark) {\n${night}\n}\n`;
}

/** One of the two colours of `light-dark(…, …)`; anything else as it is. @param {string} value @param {0 | 1} light */
function colour(value, light) {
  const both = /^\s*light-dark\(\s*([^,]+),\s*([^)]+)\)\s*$/.exec(value);
  return (both?.[light + 1] ?? value).trim();
}

function keepPicture() {
  const text = whole(STORY, { width: KEPT_WIDTH, style: style(), title: "The life of a token" });
  const href = URL.createObjectURL(new Blob([`${text}\n`], { type: "image/svg+xml" }));
  const link = el("a", { href, download: "life-of-a-token.svg" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

const all = STEPS.map((step, i) => new Shown(step, i + 1));
/** @type {SVGSVGElement[]} */
const gaps = [];
let from = 0;
for (const [i, scene] of STORY.entries()) {
  const gap = document.createElementNS(SVG, "svg");
  gap.setAttribute("aria-hidden", "true");
  gaps.push(gap);
  const items = all.slice(from, from + scene.steps.length).map((each) => each.item);
  from += items.length;
  list.append(
    el("section", { "aria-labelledby": `scene-${i}` }, el("div", { class: "scene" }, el("div", { class: "strip" }, gap), el("h2", { id: `scene-${i}` }, scene.title)), el("ol", { class: "steps", role: "list" }, items)),
  );
}
fill(heads, ...Object.entries(NAMES).map(([lane, name]) => el("span", { class: lane }, name)));

const clock = new TokenClock();
const player = new Player();
playButton.addEventListener("click", async () => {
  if (player.isPlaying) return player.hold();
  if (player.state().isOver) player.again();
  await player.play();
});
for (const [button, act] of /** @type {const} */ ([
  [stepButton, () => player.step()],
  [againButton, () => player.again()],
])) {
  button.addEventListener("click", () => void (button.getAttribute("aria-disabled") === "true" || act()));
}
pictureButton.addEventListener("click", keepPicture);
new ResizeObserver(redraw).observe(list);
redraw();
buttons();

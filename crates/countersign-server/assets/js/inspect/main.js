// The inspector: draws what was pasted, and asks the server that the page is from what its engine says of it.
// No rule about tokens is in these modules; verdict and ladder are the server's.

import { Latest, Unanswered } from "./ask.js";
import { code, program } from "./code.js";
import { compare } from "./compare.js";
import { Decoded, SHOWN } from "./decoded.js";
import { button, byId, copyButton, counted, el, fill, on, para, place, prose, shortened, visible } from "./dom.js";
import { pretty } from "./json.js";
import { Ladder } from "./ladder.js";
import { encode, isPlain, parts } from "./read.js";
import { absolute, moment, now, relative, setClock, span } from "./time.js";
import { phrase } from "./words.js";
import { update, workshop } from "./workshop.js";

/** @import { Answer, Choice, Page, Side, State } from "./types.js" */

const TYPING = 140;
const SLIDING = 60;
/** A server that answers sooner has its answer drawn with the token, at once. */
const SOON = 25;
/** For so long a verdict may outlive its token. */
const DOUBT = 200;
/** A longer token is drawn when somebody pauses, and not with each letter. */
const LONG = 4_000;
/** A longer part cannot be edited here: the browser's own text field would stutter. */
const EDITED = 40_000;

const bench = byId("bench", HTMLFormElement);
const field = byId("token", HTMLTextAreaElement);
const key = byId("key", HTMLTextAreaElement);
const form = byId("form", HTMLSelectElement);
const alg = byId("alg", HTMLSelectElement);
const at = byId("at", HTMLInputElement);
const slide = byId("slide", HTMLInputElement);
const endless = byId("endless", HTMLInputElement);
const input = (/** @type {string} */ id) => byId(id, HTMLInputElement).value.trim();
const notice = place("notice");
const own = bench.dataset.own ?? "";

/** @type {State} */
let state = "original";
let original = "";
let token = "";
/** @type {Answer | null} */
let answer = null;
let wasFormChosen = false;
const [atHelp, keyHelp] = ["at-help", "key-facts"].map((id) => place(id).textContent ?? "");
/** @type {number | undefined} */
let waiting;
/** What was typed and is not drawn yet. @type {(() => void) | undefined} */
let typed;
/** @type {number | undefined} */
let pause;
/** What is not drawn yet. @type {number | undefined} */
let undrawn;
let isPasted = false;
/** @type {number | undefined} */
let doubt;
/** The verdict that is read out. */
let spoken = "";

const latest = new Latest();
const ladder = new Ladder(byId("ladder", HTMLOListElement));
const decoded = new Decoded({
  select: (from, to) => {
    // A browser would scroll to the caret, at the end.
    field.focus({ preventScroll: true });
    field.setSelectionRange(from, to);
    place("paper").scrollIntoView({ block: "nearest" });
  },
  open: (inner) => take(inner, "original"),
});
/** @type {Page} */
const shared = { token: () => token, question, key: keyText, original: () => original, parts: sides, take };
workshop(shared);
compare(shared);
code(() => question(token));

function sides() {
  const [header, payload] = parts(token);
  return { header: header?.json ?? "", payload: payload?.json ?? "" };
}

function keyText() {
  const was = state === "edited" ? original.slice(0, LONG).toWellFormed().split(".", 1)[0] : "";
  return key.value ? { form: form.value, text: key.value, alg: alg.value, was } : null;
}

/** What is wrong with what is asked, at its field. */
function faulty() {
  const [time, secs, leeway] = [at.value.trim(), moment(at.value), input("leeway")];
  const noTime = Boolean(time) && secs === undefined && `“${time}” ${phrase("no-time")}`;
  const noLeeway = !/^\d{0,9}$/.test(leeway) && `“${leeway}” is no whole number of seconds.`;
  const taken = secs === undefined ? atHelp : secs > 1e11 ? phrase("millis") : `Taken as ${absolute(secs)}.`;
  say("at", noTime, taken);
  say("leeway", noLeeway, "");
  return noTime || noLeeway;
}

/** @param {string} id of a field @param {string | false} problem @param {string} help where there is none */
function say(id, problem, help) {
  const line = place(`${id}-help`);
  if (line.textContent !== (problem || help)) fill(line, visible(problem || help));
  line.classList.toggle("wrong", Boolean(problem));
  place(id).setAttribute("aria-invalid", String(Boolean(problem)));
}

/** @param {string} asked */
function question(asked) {
  const wrong = faulty();
  if (wrong) throw new Unanswered(wrong);
  const leeway_secs = Number(input("leeway"));
  const policy = { iss: input("iss"), aud: input("aud").split(/[\s,]+/).filter(Boolean), typ: input("typ"), leeway_secs, allow_no_exp: endless.checked };
  return { token: asked.toWellFormed(), key: keyText(), policy, at: moment(at.value) ?? null };
}

/** Another token, in the place of this one. @param {string} text @param {State} as */
function take(text, as) {
  for (const side of /** @type {Side[]} */ (["header", "payload"])) tools(side, false);
  typed = undefined;
  token = text.trim();
  fill(notice);
  show();
  changed(as, 0);
}

/** The token in its field; the beginning of one that is very long. */
function show() {
  const isCut = token.length > SHOWN;
  field.value = isCut ? token.slice(0, SHOWN) : token;
  field.readOnly = isCut;
  place("cut").textContent = isCut ? `The first ${counted(SHOWN)} of ${counted(token.length)} ${phrase("cut")}` : "";
}

/** Who types waits for nothing that is drawn. @param {() => string} read */
function typing(read) {
  clearTimeout(pause);
  busy();
  typed = () => {
    typed = undefined;
    clearTimeout(pause);
    token = read();
    changed(original ? "edited" : "original", token.length > LONG ? 0 : TYPING);
  };
  if (token.length <= LONG) return typed();
  latest.stop();
  pause = setTimeout(() => typed?.(), TYPING);
}

/** Asks, then draws: once, where the answer comes soon. @param {State} as @param {number} after in milliseconds */
function changed(as, after) {
  state = token ? as : "original";
  if (state === "original") original = token;
  if (token === original) state = "original";
  answer = null;
  ask(after);
  if (after || !token) return draw();
  clearTimeout(undrawn);
  undrawn = setTimeout(draw, SOON);
}

const all = (/** @type {string} */ selector) => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));

/** What needs no server: the colours, the fields, the times. */
function draw() {
  clearTimeout(undrawn);
  undrawn = undefined;
  const drawn = answer || isPlain(token) ? token : "";
  decoded.draw(drawn, answer?.fault?.offset);
  if (!drawn) decoded.tint(token);
  const badge = place("state");
  badge.hidden = !token;
  badge.textContent = state;
  badge.className = `state is-${state}`;
  // What is encrypted is not edited, and nobody forges a signature where there is none.
  for (const one of all(".needs-signed")) one.hidden = parts(token).length === 5;
  travel();
  tick();
}

/** @param {number} after in milliseconds */
function ask(after) {
  clearTimeout(waiting);
  latest.stop();
  if (!token) return told({ kind: "empty", title: "No token", text: "Paste one below." });
  busy();
  if (after) waiting = setTimeout(() => void asked(), after);
  else void asked();
}

/** What is said is about what stood there before: not for long. */
function busy() {
  const mark = () => place("verdict").setAttribute("aria-busy", "true");
  mark();
  doubt ??= setTimeout(() => {
    hide();
    told({ kind: "unverified", title: "Being looked at", text: "The server has not answered yet." });
    mark();
  }, DOUBT);
}

async function asked() {
  try {
    const said = await latest.ask("/inspect/explain", question(token));
    if (said) answered(said);
  } catch (problem) {
    answer = null;
    latest.stop();
    hide();
    told({ kind: "unverified", title: "Not looked at", text: problem instanceof Unanswered ? `${problem.message}${faulty() ? "" : ` ${phrase("stands")}`}` : "This page cannot draw the answer." });
    if (!(problem instanceof Unanswered)) throw problem;
  }
}

/** @param {Answer} said */
function answered(said) {
  answer = said;
  setClock(said.now);
  const wasPlain = isPlain(token);
  if (said.pasted) {
    token = said.pasted.token;
    if (!isPlain(original)) [original, state] = [token, "original"];
    fill(notice, para("note", said.pasted.note, choices(said.pasted.choices)));
    show();
  }
  if (!wasPlain || undrawn) draw();
  const { fault, report, verdict, key_problem: problem } = said;
  told(verdict);
  if (fault) decoded.mark(fault.offset);
  ladder.draw(report?.steps ?? [], { token, signature: said.signature, unchecked: report?.unchecked, ...(said.key || problem ? {} : { waiting: "key" }) });
  place("ladder-band").hidden = !report;
  place("findings-band").hidden = !said.findings.length;
  fill(place("findings"), said.findings.map(({ member, message }) => el("li", {}, member && el("code", {}, shortened(member, true)), " ", prose(message))));
  aboutKey(said);
  update(said, state === "original");
  void program();
  tick();
  if (isPasted || !wasPlain) ownKey();
}

/** A button for each of several pasted tokens. @param {Choice[]} all @returns {HTMLElement[]} */
function choices(all) {
  return all.map((one, i) => {
    const { name } = one;
    const choice = button("quiet", () => {
      paste(one.token);
      fill(notice, para("note", `Number ${i + 1} of the ${all.length} tokens that were pasted.`, choices(all)));
      notice.querySelectorAll("button")[i]?.focus();
    }, visible(`${i + 1}${name && `: ${name}`}`));
    choice.setAttribute("aria-pressed", String(one.token === token));
    return choice;
  });
}

/** No steps and no findings of another answer. */
function hide() {
  for (const one of all(".band")) one.hidden = true;
}

/** @param {{ kind: string, title: string, text: string }} verdict */
function told({ kind, title, text }) {
  clearTimeout(doubt);
  doubt = undefined;
  const is = `is-${kind.replaceAll("_", "-")}`;
  place("verdict").className = `verdict ${is}`;
  place("again").className = `again needs-token ${is}`;
  place("again").textContent = title;
  place("verdict").removeAttribute("aria-busy");
  if (spoken !== title + text) fill(place("says"), para("word", title), para("why", text));
  spoken = title + text;
  if (kind === "empty") hide();
  for (const one of all(".needs-token")) one.hidden = kind === "empty" || answer?.is_token === false;
}

/** @param {Pick<Answer, "key" | "key_problem">} said */
function aboutKey({ key: facts, key_problem: problem }) {
  const line = place("key-facts");
  line.classList.toggle("wrong", Boolean(problem));
  if (problem) {
    const choices = problem.fitting.map((name) => button("quiet", () => choose(name), name));
    return fill(line, prose(problem.message), choices.length > 0 && " ", choices);
  }
  if (!facts) return fill(line, token ? phrase("no-key") : keyHelp);
  const assumed = facts.assumed && ` It does not say its algorithm; ${facts.alg} is what the token says. Your service has to name it.`;
  fill(line, facts.what.charAt(0).toUpperCase() + facts.what.slice(1), facts.alg && !facts.assumed && `, ${facts.alg}`, ".", assumed);
}

/** @param {string} name */
function choose(name) {
  alg.value = name;
  ask(0);
}

/** A claim's number, else NaN. @param {string} name */
function number(name) {
  const value = decoded.claims.get(name);
  return typeof value === "number" ? value : NaN;
}

/** The slider from the token's beginning to after its end. */
function travel() {
  const end = number("exp");
  const begin = [number("iat"), number("nbf"), end - 3_600].find((one) => !Number.isNaN(one)) ?? end;
  const usable = end > begin && end < 1e11;
  slide.disabled = !usable;
  if (!usable) return fill(place("ticks"), el("span", {}, phrase("endless")));
  const more = Math.max(10, Math.round((end - begin) / 4));
  slide.min = String(Math.floor(begin));
  slide.max = String(Math.ceil(end) + more);
  fill(place("ticks"), el("span", {}, `issued, ${span(end - begin)} of life`), el("span", {}, "exp"), el("span", {}, "after"));
}

/** What moves by itself. */
function tick() {
  const stated = moment(at.value);
  faulty();
  const seen = stated ?? now();
  decoded.tick(seen);
  const clock = place("clock");
  const [exp, nbf] = [number("exp"), number("nbf")];
  // What is over does not begin any more.
  const next = nbf > seen && !(exp <= seen) ? nbf : exp;
  clock.hidden = !(token && next <= 1e11);
  if (!clock.hidden) {
    const verb = next === exp ? (next > seen ? "expires" : "expired") : "begins";
    clock.textContent = `${verb} ${relative(next, seen)}${stated === undefined ? "" : ", as of the time below"}`;
    // The moment a token ends, the verdict is another one.
    if (answer && stated === undefined && (answer.at < next) !== (seen < next)) ask(0);
  }
  place("now").setAttribute("aria-pressed", String(!at.value.trim()));
  if (!slide.disabled) {
    if (document.activeElement !== slide || stated === undefined) slide.value = String(Math.round(seen));
    slide.setAttribute("aria-valuetext", absolute(Math.round(seen)));
  }
}

/** @param {Side} side */
function startEditing(side) {
  if (sides()[side].length > EDITED) return fill(notice, para("note", `The ${side} is too long to be edited here.`));
  const text = el("textarea", { rows: side === "header" ? 4 : 9, spellcheck: "false", autocapitalize: "off", "aria-label": `The ${side}'s JSON`, class: "editor" });
  text.value = pretty(sides()[side]);
  const read = () => {
    const all = token.split(".");
    all[side === "header" ? 0 : 1] = encode(text.value);
    while (all.length < 3) all.push("");
    token = all.join(".");
    show();
    return token;
  };
  on(text, "input", () => typing(read));
  fill(place(side), text, para("help", phrase("edited")));
  tools(side, true);
  text.focus();
}

/** @param {Side} side @param {boolean} isEdited */
function tools(side, isEdited) {
  decoded.edit(side, isEdited);
  const done = () => {
    tools(side, false);
    draw();
  };
  const edit = button("quiet needs-token", () => startEditing(side), "Edit", el("span", { class: "hidden" }, ` the ${side}`));
  edit.hidden = !token;
  fill(place(`${side}-tools`), isEdited ? button("quiet", done, "Done") : edit);
}

function share() {
  const link = `${location.origin}/inspect#token=${encodeURIComponent(token)}`;
  const [style, words, label] = answer?.live ? ["problem", "live", "Copy the link all the same"] : ["note", "behind", "Copy the link"];
  const close = button("quiet", () => fill(notice), "Close");
  fill(notice, el("div", { class: style }, `${phrase(words)} ${phrase("history")} `, copyButton(() => link, label), close));
}

/** A key that says what it is, says it. */
function recognise() {
  const text = key.value.trim();
  const is = text.startsWith("-----BEGIN") ? "pem" : /^\{[^]*"keys"\s*:/.test(text) ? "jwks" : text.startsWith("{") ? "jwk" : /^https?:\/\//.test(text) ? "issuer" : undefined;
  if (is && !(wasFormChosen && form.value === is)) form.value = is;
}

/** Out of the address bar. The browser's history has seen it all the same. */
function fromFragment() {
  const text = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!text) return;
  history.replaceState(null, "", location.pathname);
  paste(text);
}

/** @param {string} text */
function paste(text) {
  take(text, "original");
  isPasted = true;
}

function ownKey() {
  isPasted = false;
  if (own && !key.value && decoded.claims.get("iss") === own) {
    [form.value, key.value] = ["issuer", own];
    placeholder();
    ask(0);
  }
}

function placeholder() {
  key.placeholder = form.value === "issuer" ? own || "https://id.example" : "";
}

function listen() {
  on(bench, "submit", (event) => event.preventDefault());
  on(field, "paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    const isWhole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
    if (!isWhole || !text) return;
    event.preventDefault();
    paste(text);
  });
  on(field, "copy", (event) => {
    if (!field.readOnly || field.selectionEnd - field.selectionStart < SHOWN) return;
    event.preventDefault();
    event.clipboardData?.setData("text", token);
  });
  on(field, "input", () => {
    const text = field.value.trim();
    if (text.length > SHOWN) return take(text, original ? "edited" : "original");
    if (token.length > LONG) decoded.tint(field.value);
    typing(() => field.value.trim());
  });
  // Whatever is clicked is about what stands there.
  addEventListener("click", () => typed?.(), true);
  on(field, "pointermove", ({ clientX, clientY }) => {
    const under = document.elementsFromPoint(clientX, clientY).find((one) => one instanceof HTMLElement && one.dataset.link);
    decoded.light(under instanceof HTMLElement ? (under.dataset.link ?? "") : "");
  });
  on(field, "pointerleave", (event) => decoded.leave(event));
  on(document, "selectionchange", () => {
    if (document.activeElement === field) decoded.lightAt(field.selectionStart);
  });
  on(field, "blur", () => decoded.light(""));
  on(key, "input", () => {
    recognise();
    placeholder();
    ask(TYPING);
  });
  on(form, "change", () => {
    wasFormChosen = true;
    placeholder();
    ask(0);
  });
  on(alg, "change", () => ask(0));
  const asOf = (/** @type {string} */ time, after = 0) => {
    at.value = time;
    tick();
    ask(after);
  };
  for (const id of ["iss", "aud", "typ", "leeway", "endless", "at"]) on(place(id), "input", () => asOf(at.value, TYPING));
  on(slide, "input", () => asOf(slide.value, SLIDING));
  const click = (/** @type {string} */ id, /** @type {() => void} */ act) => on(place(id), "click", act);
  click("now", () => asOf(""));
  click("clear", () => {
    [at.value, key.value, alg.value, form.selectedIndex, wasFormChosen, isPasted] = ["", "", "", 0, false, false];
    placeholder();
    take("", "original");
    aboutKey({ key: null, key_problem: null });
    field.focus();
  });
  click("share", share);
  click("sample", () => {
    const { token = "", key: secret = "", at: then = "" } = place("sample").dataset;
    [form.value, key.value, alg.value, at.value] = ["base64url", secret, "", then];
    take(token, "original");
  });
  addEventListener("hashchange", fromFragment);
}

function begin() {
  for (const one of all(".scripted")) one.hidden = false;
  for (const one of all(".unscripted")) one.remove();
  place("paper").classList.add("is-drawn");
  listen();
  placeholder();
  setInterval(tick, 1_000);
  new IntersectionObserver(([one]) => bench.classList.toggle("sees-verdict", !!one?.isIntersecting)).observe(place("verdict"));
  take(field.value, "original");
  fromFragment();
}

begin();

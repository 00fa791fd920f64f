// What the modules here hand each other, and what the server answers. For the type check; nothing of it is served.

export type Child = Node | string | false | null | undefined;
export type Attributes = Record<string, string | number | boolean | undefined | ((event: any) => void)>;

/** A member of a JSON object: where its name begins and ends, and its value; places are octets. */
export interface Member {
  from: number;
  end: number;
  value: number;
  to: number;
}

/** A stretch of a token, in its letters. */
export interface Stretch {
  from: number;
  to: number;
  of: string;
  link?: string | undefined;
}

export type Side = "header" | "payload";
export type State = "original" | "edited" | "re-signed";

/** What a field asks the page for. */
export interface Asked {
  select(from: number, to: number): void;
  open(token: string): void;
}

/** What the workshop and the comparison know of the page. */
export interface Page {
  token(): string;
  question(token: string): object;
  key(): object | null;
  original(): string;
  parts(): { header: string; payload: string };
  take(token: string, state: State): void;
}

export interface Verdict {
  kind: string;
  title: string;
  text: string;
  code?: string;
}

export interface Considered {
  kid?: string;
  alg?: string;
  refused?: string;
}

export interface Step {
  number: number;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  verified: boolean;
  summary: string;
  found?: string;
  expected?: string;
  keys?: Considered[];
  rule: string;
  rfc: string;
  code?: string;
  fix?: string;
}

export interface Fault {
  offset: number;
}

export interface Signature {
  signed_bytes: number;
  bytes: number;
  hex: string;
}

export interface KeyFacts {
  what: string;
  alg?: string;
  assumed: boolean;
  fitting: string[];
  can_sign: boolean;
  is_symmetric: boolean;
}

export interface KeyProblem {
  code: string;
  message: string;
  fitting: string[];
}

/** One of several tokens in what was pasted. */
export interface Choice {
  token: string;
  name: string;
}

/** What `POST /inspect/explain` answers. */
export interface Answer {
  verdict: Verdict;
  is_token: boolean;
  /** The token that was taken out of what was pasted, and what was done. */
  pasted: { token: string; note: string; choices: Choice[] } | null;
  report: { valid: boolean; unchecked?: string[]; steps: Step[] } | null;
  fault: Fault | null;
  signature: Signature | null;
  key: KeyFacts | null;
  key_problem: KeyProblem | null;
  findings: { code: string; member?: string; message: string }[];
  at: number;
  now: number;
  live: boolean;
}

/** What a rung of the ladder shows besides its step; `waiting` names the step that lacks something and has not failed. */
export interface Evidence {
  token?: string;
  signature?: Signature | null;
  waiting?: string;
  /** The claims of which the policy takes any value. */
  unchecked?: string[] | undefined;
}

/** Header fields that let a request pass as the signed-in user. The values are secrets: they go into the request only. */
export type LoginHeaders = Readonly<Record<string, string>>;

/** What a login gives for one address. */
export type LoginAnswer =
  | { readonly kind: 'headers'; readonly headers: LoginHeaders }
  /** A sentence that says what is wrong with it, without secrets: "The file … does not exist." */
  | { readonly kind: 'unusable'; readonly detail: string };

/** One way of being signed in. Each has a file of its own. */
export interface Login {
  /** How messages call it: `the token in /run/secrets/chatgpt_token`. */
  readonly label: string;
  /** Read anew at each use, so that a renewed login counts at once. */
  headersFor(address: URL, now: number): Promise<LoginAnswer>;
  /** Changes when the login has changed. Holds no secret. */
  fingerprint(): Promise<string>;
}

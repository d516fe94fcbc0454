/**
 * Reads the Authentication-Results header field (RFC 8601 section 2.2), in which a receiving server records its checks.
 * Text of the sender can stand in comments and quoted strings, so that nothing short of a parser will do.
 */

export interface AuthenticationResults {
  /** Who checked, in lower case. */
  readonly authservId: string;
  readonly results: readonly MethodResult[];
}

export interface MethodResult {
  /** `dkim`, `spf`, `dmarc`…, in lower case. */
  readonly method: string;
  /** `pass`, `fail`, `none`…, in lower case. */
  readonly result: string;
  readonly properties: readonly Property[];
}

export interface Property {
  /** `header.from`, `header.d`…, in lower case. */
  readonly name: string;
  readonly value: string;
}

/** The field's value, read; undefined if it is malformed. Deviations that large providers are known for are taken. */
export function parseAuthenticationResults(value: string): AuthenticationResults | undefined {
  try {
    return new Reader(value).field();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/**
 * The value of a field whose server leaves its own name out, against RFC 8601 section 2.2: Microsoft's do. Undefined if
 * it is malformed, or names a server.
 */
export function parseNamelessResults(value: string): readonly MethodResult[] | undefined {
  try {
    return new Reader(value).namelessField();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/**
 * The name of the server that wrote the field, in lower case, even if what follows is malformed; undefined if not even
 * that can be read.
 */
export function authservIdOf(value: string): string | undefined {
  try {
    return new Reader(value).authservId();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Malformed extends Error {}

const MOST_COMMENT_DEPTH = 20;

/** A recursive-descent reader; each method takes one production of RFC 8601 and moves behind it. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  field(): AuthenticationResults {
    const authservId = this.authservId();
    this.#version();
    return { authservId, results: this.#results() };
  }

  namelessField(): MethodResult[] {
    this.#space();
    const first = this.#methodResult();
    const others = this.#results();
    return first === undefined ? others : [first, ...others];
  }

  #results(): MethodResult[] {
    const results: MethodResult[] = [];
    while (!this.#atEnd()) {
      this.#require(';');
      this.#space();
      if (this.#atEnd()) break;
      const result = this.#methodResult();
      if (result !== undefined) results.push(result);
    }
    return results;
  }

  /** What another version would mean, nobody knows (RFC 8601 sections 2.2 and 2.5). */
  #version(): void {
    const version = this.#take(/\d+/y);
    if (version !== undefined && version !== '1') throw new Malformed();
    this.#space();
  }

  authservId(): string {
    this.#space();
    const id = this.#value();
    // Without a name the first result would be taken for one.
    if (id.includes('=')) throw new Malformed();
    this.#space();
    return id.toLowerCase();
  }

  /** `method [/version] = result`, then reason and properties; undefined for the lone `none` of a server that did nothing. */
  #methodResult(): MethodResult | undefined {
    const method = this.#keyword();
    this.#space();
    if (this.#peek() === '/') {
      this.#require('/');
      this.#space();
      this.#version();
    }
    if (method === 'none' && this.#peek() !== '=') return undefined;
    this.#require('=');
    this.#space();
    const result = this.#keyword();
    this.#space();
    const properties: Property[] = [];
    while (!this.#atEnd() && this.#peek() !== ';') properties.push(this.#property());
    return { method, result, properties };
  }

  /** `ptype.property=value`; `reason=value` and Microsoft's `action=value` have no type. */
  #property(): Property {
    let name = this.#keyword();
    this.#space();
    if (this.#peek() === '.') {
      this.#require('.');
      this.#space();
      name = `${name}.${this.#keyword()}`;
      this.#space();
    }
    this.#require('=');
    this.#space();
    const value = this.#value();
    this.#space();
    return { name, value };
  }

  #keyword(): string {
    const keyword = this.#take(/[A-Za-z0-9_-]+/y);
    if (keyword === undefined) throw new Malformed();
    return keyword.toLowerCase();
  }

  /** A quoted string, or a run of anything that ends no value: addresses and base64 stand there unquoted. */
  #value(): string {
    if (this.#peek() === '"') return this.#quotedString();
    const value = this.#take(/[^\s;()"\\]+/y);
    if (value === undefined) throw new Malformed();
    return value;
  }

  #quotedString(): string {
    const quoted = this.#take(/"(?:[^"\\]|\\.)*"/sy);
    if (quoted === undefined) throw new Malformed();
    return quoted.slice(1, -1).replace(/\\(.)/gs, '$1');
  }

  /** White space and comments, which nest (RFC 5322 section 3.2.2). */
  #space(): void {
    let depth = 0;
    for (; !this.#atEnd(); this.#at += 1) {
      const character = this.#peek();
      if (character === '(') depth += 1;
      else if (depth === 0 && !/\s/.test(character)) return;
      else if (character === ')') depth -= 1;
      else if (character === '\\' && depth > 0) this.#at += 1;
      if (depth > MOST_COMMENT_DEPTH) throw new Malformed();
    }
    if (depth > 0) throw new Malformed();
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  #require(character: string): void {
    if (this.#peek() !== character) throw new Malformed();
    this.#at += 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

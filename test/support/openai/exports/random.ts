/** All numbers of 16 bits as four hex digits: identifiers are most of what an export's tree is made of. */
const HEX16 = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Randomness that is the same on every machine for the same seed: sfc32 (PractRand's small fast counter), started from
 * a 128-bit mix of the seed's characters.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    let a = 0x9e3779b9;
    let b = 0x243f6a88;
    let c = 0xb7e15162;
    for (let index = 0; index < seed.length; index += 1) {
      const unit = seed.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x85ebca6b);
      b = Math.imul(b ^ unit ^ (a >>> 15), 0xc2b2ae35);
      c = Math.imul(c ^ unit ^ (b >>> 13), 0x27d4eb2f);
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    // sfc32 needs some rounds until nearby seeds have drifted apart.
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.uint32() / 4_294_967_296;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** A whole number in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.#hex16() + this.#hex16();
    return text.slice(0, digits);
  }

  base62(characters: number): string {
    let text = '';
    while (text.length < characters) text += BASE62.charAt(this.below(62));
    return text;
  }

  /** A version 4 UUID (RFC 9562 section 5.4). */
  uuid(): string {
    const version = `4${this.#hex16().slice(1)}`;
    const variant = HEX16[0x8000 | (this.uint32() >>> 18)] ?? '';
    return `${this.#hex16()}${this.#hex16()}-${this.#hex16()}-${version}-${variant}-${this.#hex16()}${this.#hex16()}${this.#hex16()}`;
  }

  #hex16(): string {
    return HEX16[this.uint32() >>> 16] ?? '';
  }
}

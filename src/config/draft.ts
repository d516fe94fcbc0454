/** Where a setting stands: `['mailboxes', 0, 'port']`. */
export type KeyPath = readonly PropertyKey[];

/** A key path as it is written in messages: `mailboxes[0].port`. */
export function formatKey(path: KeyPath): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** The value at a path of a tree of objects and lists, undefined where there is none. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  return path.reduce((value, part) => (isContainer(value) ? Reflect.get(value, part) : undefined), tree);
}

/** An object or a list: something that has keys. */
function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/**
 * The settings while they are gathered, layer by layer, before they are checked: a tree with the keys of the file, and
 * for what did not come from the file, the name under which the user set it.
 */
export class Draft {
  readonly tree: unknown;
  readonly #origins = new Map<string, string>();

  /** @param tree the lowest layer; it is changed in place */
  constructor(tree: unknown) {
    this.tree = tree;
  }

  /**
   * Sets a value; objects and lists on the way are made. Where something else is in the way, nothing is set: the check
   * of the whole will tell what is wrong there.
   *
   * @param origin the variable or flag that the value comes from, for messages
   */
  set(path: KeyPath, value: unknown, origin: string): void {
    const parent = this.#containerFor(path);
    const key = path.at(-1);
    if (parent === undefined || key === undefined) return;
    Reflect.set(parent, key, value);
    this.call(path, origin);
  }

  /** Gives a key the name that messages use, set or not. */
  call(path: KeyPath, name: string): void {
    this.#origins.set(formatKey(path), name);
  }

  /** Takes a value out, if it is there. */
  remove(path: KeyPath): void {
    const parent = valueAt(this.tree, path.slice(0, -1));
    const key = path.at(-1);
    if (isContainer(parent) && key !== undefined) Reflect.deleteProperty(parent, key);
  }

  /** What a key is called where the user set it: the variable's or flag's name, else the key in the file. */
  nameOf(path: KeyPath): string {
    for (let length = path.length; length > 0; length -= 1) {
      const origin = this.#origins.get(formatKey(path.slice(0, length)));
      if (origin !== undefined) return origin;
    }
    return formatKey(path);
  }

  #containerFor(path: KeyPath): object | undefined {
    let container: unknown = this.tree;
    for (const [index, part] of path.slice(0, -1).entries()) {
      if (!isContainer(container)) return undefined;
      if (Reflect.get(container, part) === undefined) {
        Reflect.set(container, part, typeof path[index + 1] === 'number' ? [] : {});
      }
      container = Reflect.get(container, part);
    }
    return isContainer(container) ? container : undefined;
  }
}

import { open } from 'node:fs/promises';

export type JsonReading =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'unread'; readonly reason: 'too-large' | 'broken' };

/**
 * Reads a small file as JSON, whole.
 * @throws what the file system says
 */
export async function readJson(path: string, mostBytes: number): Promise<JsonReading> {
  await using file = await open(path);
  if ((await file.stat()).size > mostBytes) return { kind: 'unread', reason: 'too-large' };
  const text = (await file.readFile()).toString();
  try {
    return { kind: 'read', value: JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) };
  } catch {
    return { kind: 'unread', reason: 'broken' };
  }
}

import type { Login, LoginAnswer, Transport } from '../../../src/download/index.ts';

/** A network without a line: whoever asks over it learns nothing. */
export const noNetwork: Transport = {
  send: () => Promise.reject(Object.assign(new Error('no line'), { code: 'ENETUNREACH' })),
  close: async () => {},
};

/** Every way in that a login has for `address` at `now`, as a server that denies each of them would hear. */
export async function waysInto(login: Login, address: URL, now = 0): Promise<LoginAnswer[]> {
  const ways: LoginAnswer[] = [];
  for await (const way of login.waysIn(address, { now, signal: new AbortController().signal })) ways.push(way);
  return ways;
}

/** The way in that a login begins with, as a server that takes it would hear. */
export async function firstWayIn(login: Login, address: URL, now = 0): Promise<LoginAnswer> {
  for await (const way of login.waysIn(address, { now, signal: new AbortController().signal })) return way;
  throw new Error(`${login.label} has no way in`);
}

import type { Login, LoginAnswer } from '../../../src/download/index.ts';

/** Every way in that a login has for `address` at `now`, as a server that denies each of them would hear. */
export async function waysInto(login: Login, address: URL, now = 0): Promise<LoginAnswer[]> {
  const ways: LoginAnswer[] = [];
  for await (const way of login.waysIn(address, { now, signal: new AbortController().signal })) ways.push(way);
  return ways;
}

/** The way in of a login that has one. */
export async function onlyWayIn(login: Login, address: URL, now = 0): Promise<LoginAnswer> {
  const [way, ...more] = await waysInto(login, address, now);
  if (way === undefined || more.length > 0) throw new Error(`${login.label} has not one way in`);
  return way;
}

/** A base that no address of ours leads away from. */
const BASE = 'http://chatkeep.invalid';

/** Where to go after the sign-in: the path and query of a page of ours, whatever was asked for; else the first page. */
export function returnAddress(wish: string | undefined): string {
  if (wish === undefined || !wish.startsWith('/')) return '/';
  const url = URL.parse(wish, BASE);
  if (url === null || url.origin !== BASE || url.pathname.startsWith('//')) return '/';
  return url.pathname === '/sign-in' || url.pathname === '/sign-out' ? '/' : `${url.pathname}${url.search}`;
}

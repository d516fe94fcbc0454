export const SESSION_COOKIE = '__Secure-next-auth.session-token';

/** A line of cookies.txt as yt-dlp and browser extensions write it. */
export function cookieLine(
  fields: Partial<Record<'domain' | 'subdomains' | 'path' | 'expires' | 'name' | 'value', string>>,
): string {
  const { domain = '.chatgpt.com', subdomains = 'TRUE', path = '/', expires = '0', name = 'a', value = 'b' } = fields;
  return [domain, subdomains, path, 'TRUE', expires, name, value].join('\t');
}

/** A token that says of itself when it was made and when it ends, ms UTC. Its signature is none. */
export function jwt({ exp, iat }: { readonly exp: number; readonly iat?: number }): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { exp: exp / 1000, ...(iat === undefined ? {} : { iat: iat / 1000 }), sub: 'ada' };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2ln`;
}

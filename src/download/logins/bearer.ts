import { fileFingerprint, type LoginFile, readLoginFile } from './files.ts';
import type { Login, LoginAnswer } from './login.ts';

/** RFC 6750 section 2.1: what a bearer token may be made of. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** An access token of the account, in a file of its own (shared facts: "With `Authorization: Bearer`…"). */
export function bearerLogin(path: string): Login {
  const label = `the token in ${path}`;
  return {
    label,
    async *waysIn() {
      yield bearerIn(path, await readLoginFile(path));
    },
    fingerprint: () => fileFingerprint(path),
  };
}

function bearerIn(path: string, file: LoginFile): LoginAnswer {
  if (file.kind === 'unusable') return file;
  const token = file.text.trim().replace(/^bearer\s+/i, '');
  return TOKEN.test(token)
    ? { kind: 'headers', headers: { authorization: `Bearer ${token}` } }
    : { kind: 'unusable', detail: `The file ${path} does not hold one access token and nothing else.` };
}

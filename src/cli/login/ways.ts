import type { LoginConfig } from '../../config/index.ts';

/** A way to be signed in, as `chatkeep login chatgpt` explains it. */
export interface Way {
  readonly title: string;
  /** For whom it is, how long it lives, and how it is set up: a line each, of at most 100 characters. */
  readonly lines: readonly string[];
}

/** Every way that can be configured, the one for most people first. docs/login.md says more of each. */
export const WAYS: Readonly<Record<LoginConfig['type'], Way>> = {
  cookies: {
    title: 'The cookies of your browser',
    lines: [
      'For most people. They live until the session ends: weeks to months, or until you sign out.',
      '  1. Sign in to https://chatgpt.com in a private window of your browser.',
      '  2. Export the cookies of that site as a cookies.txt, with an extension that writes the Netscape',
      '     format; then close the window. Do not sign out: that would end the session.',
      '  3. In the configuration:  download: { logins: [{ type: cookies, file: /logins/chatgpt_cookies.txt }] }',
      '  4. chatkeep login chatgpt --cookies cookies.txt',
      '     It tries them out, keeps what is for chatgpt.com and nothing else, and you can delete yours.',
    ],
  },
  bearer: {
    title: 'An access token',
    lines: [
      'With the Codex CLI, which renews its token whenever you use it (signed in with ChatGPT, not an API key):',
      '  In the configuration:  download: { logins: [{ type: bearer, token_file: ~/.codex/auth.json }] }',
      'By hand, for some days at a time:',
      '  1. In the configuration:  download: { logins: [{ type: bearer, token_file: /logins/chatgpt_token }] }',
      '  2. Open https://chatgpt.com/api/auth/session in a browser that is signed in, and copy the whole page.',
      '  3. chatkeep login chatgpt --token',
      '     It asks for what you copied without showing it, tries it out, and keeps the token alone.',
    ],
  },
  browser: {
    title: 'A browser of its own that stays signed in',
    lines: [
      'For whoever wants to sign in once. The browser renews its session itself, passes checks that turn',
      'programs away, and needs some 500 MB of memory. docs/how-to/browser-login.md says it step by step.',
      '  1. docker compose --profile browser up -d      (or your own Chromium with remote debugging)',
      '  2. In the configuration:  download: { logins: [{ type: browser, cdp_url: http://browser:9222 }] }',
      '  3. Open http://127.0.0.1:6080 and sign in to https://chatgpt.com there.',
    ],
  },
  command: {
    title: 'A program of your own',
    lines: [
      'For a password manager or a script. It lives as long as what it prints: it is run at each use.',
      '  In the configuration:  download: { logins: [{ type: command, command: [/usr/local/bin/chatgpt-login] }] }',
      '  It prints header fields, a line each: Authorization: Bearer …, or Cookie: …',
    ],
  },
};

/** The texts that the real servers answer with beside archives. */

/** Azure's error body; it begins with a byte order mark. */
export function azureError(code: string, message: string, detail?: { name: string; text: string }): string {
  const extra = detail === undefined ? '' : `<${detail.name}>${detail.text}</${detail.name}>`;
  return `\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message>${extra}</Error>`;
}

/** The API's error body. */
export function detail(text: string): string {
  return JSON.stringify({ detail: text });
}

/** How the file stream says no, whatever the reason. */
export const FILE_STREAM_ACCESS_DENIED = detail('File stream access denied.');

/** What `/api/auth/session` knows of a signed-in browser. */
export function session(accessToken: string, expires: Date): string {
  return JSON.stringify({ user: USER, expires: expires.toISOString(), accessToken, authProvider: 'auth0' });
}

/** What `/backend-api/me` knows of the bearer. */
export function me(): string {
  return JSON.stringify({ object: 'user', ...USER });
}

const USER = { id: 'user-0123456789abcdefABCDEFgh', name: 'Ada', email: 'ada@example.com' };

/** What a browser without a login is shown. */
export const LOGIN_PAGE = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Log in - ChatGPT</title></head>
<body><main><h1>Welcome back</h1>
<form action="/auth/login" method="post"><label>Email address <input type="email" name="email"></label>
<button type="submit">Continue</button></form></main></body>
</html>
`;

/** What Cloudflare shows to a client that it takes for a robot. */
export const CHALLENGE_PAGE = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<meta http-equiv="refresh" content="390"></head>
<body><div class="main-wrapper" role="main"><noscript>Enable JavaScript and cookies to continue</noscript></div>
<script>(function(){window._cf_chl_opt={cvId:'3',cType:'managed'};}());</script></body></html>
`;

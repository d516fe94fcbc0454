import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Clock } from '../../lib/clock.ts';
import { formatDuration } from '../../lib/text.ts';
import type { WebEnv } from '../env.ts';
import type { Access } from '../security/access.ts';
import { LONGEST_PASSWORD } from '../security/password.ts';
import { returnAddress } from '../security/return-address.ts';
import { type Html, layout } from '../views/layout.ts';
import { moment } from '../views/words.ts';

/** `/sign-in`: asks for the password, and leads on to the page that was wanted. */
export function signInRoutes(access: Access, clock: Clock): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  routes.get('/', (context) => {
    const to = returnAddress(context.req.query('to'));
    if (access.isSignedIn(context)) return context.redirect(to, 303);
    return context.html(signInPage(to));
  });
  routes.post('/', async (context) => {
    const { password, to: wish } = await context.req.parseBody();
    const to = returnAddress(typeof wish === 'string' ? wish : undefined);
    if (typeof password !== 'string' || password === '')
      return context.html(signInPage(to, html`Enter the password.`), 400);
    const outcome = await access.signIn(context, password);
    switch (outcome.kind) {
      case 'signed-in':
        return context.redirect(to, 303);
      case 'wrong':
        return context.html(signInPage(to, html`This is not the password.`), 401);
      case 'too-many': {
        const seconds = Math.ceil(outcome.waitMs / 1_000);
        context.header('retry-after', String(seconds));
        return context.html(
          signInPage(
            to,
            html`Too many wrong passwords. Try again in ${formatDuration(seconds * 1_000)}, at ${moment(clock.now() + seconds * 1_000)}.`,
          ),
          429,
        );
      }
    }
  });
  return routes;
}

/** `/sign-out` */
export function signOutRoutes(access: Access): Hono<WebEnv> {
  const routes = new Hono<WebEnv>();
  routes.post('/', async (context) => {
    await access.signOut(context);
    return context.redirect('/sign-in', 303);
  });
  return routes;
}

function signInPage(to: string, complaint?: Html): Html {
  return layout({
    title: 'Sign in',
    withoutNavigation: true,
    main: html`<form class="sign-in" method="post" action="/sign-in">
<h1>Sign in</h1>
${complaint === undefined ? '' : html`<p class="complaint" id="complaint" role="alert">${complaint}</p>`}
<input type="hidden" name="to" value="${to}">
<input type="text" name="username" value="chatkeep" autocomplete="username" hidden>
<label for="password">Password</label>
<input id="password" type="password" name="password" autocomplete="current-password" required autofocus maxlength="${LONGEST_PASSWORD}"${
      complaint === undefined ? '' : html` aria-invalid="true" aria-describedby="complaint"`
    }>
<button class="first">Sign in</button>
<p class="faint">It is the password of this page, as <code>web.password_file</code> of the configuration names it; not the one of ChatGPT.</p>
</form>`,
  });
}

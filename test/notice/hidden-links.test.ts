import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { MOST_HOPS } from '../../src/notice/hidden-links.ts';
import type { Notice } from '../../src/notice/index.ts';
import { wrapLink } from '../support/openai/emails/index.ts';
import {
  ESTUARY_LINK,
  email,
  escaped,
  html,
  OWN_SIGNATURE,
  outcome,
  RECEIVED,
  read,
  SIGNATURE,
  STAMP,
} from './messages.ts';

const SENDGRID = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a';

/** Redirects as told, and keeps a record of what it was asked. */
function counter(targets: Readonly<Record<string, string | undefined>>) {
  const asked: string[] = [];
  const followRedirect = async (address: URL): Promise<string | undefined> => {
    asked.push(address.href);
    return targets[address.href];
  };
  return { asked, followRedirect };
}

/** Who has sent a refused notice, as far as that is proved. */
function providerOf(notice: Notice): string | undefined {
  return notice.kind === 'refused' ? notice.provider : assert.fail(`${notice.kind} is not refused`);
}

describe('A link hidden behind a click counter', () => {
  it('is asked for one hop, and is then as good as a direct one', async () => {
    const { asked, followRedirect } = counter({ [SENDGRID]: ESTUARY_LINK });
    const notice = await read(await email({ link: SENDGRID }), { followRedirect });
    assert.equal(notice.kind === 'ready' && notice.link.reveal(), ESTUARY_LINK);
    assert.equal(notice.kind === 'ready' && notice.deadline, STAMP + 24 * HOUR_MS);
    assert.deepEqual(asked, [SENDGRID]);
  });

  it('is found among those of the logo and the help centre, and nothing is asked behind it', async () => {
    const [logo, button, footer] = ['logo', 'button', 'footer'].map((name) => `${SENDGRID}-${name}`);
    const { asked, followRedirect } = counter({ [`${logo}`]: 'https://openai.com/', [`${button}`]: ESTUARY_LINK });
    const source = html([logo, button, footer].map((link) => `<a href="${escaped(`${link}`)}">x</a>`).join(''));
    const subject = Buffer.from('Subject: ChatGPT - Your data export is ready\r\n');
    const options = { authenticity: 'off', followRedirect } as const;
    assert.equal(outcome(await read(Buffer.concat([subject, source]), options)), 'ready');
    assert.deepEqual(asked, [logo, button]);
  });

  it('may be wrapped, and so may be what it leads to', async () => {
    const { followRedirect } = counter({ [SENDGRID]: wrapLink(ESTUARY_LINK, 'google') });
    const source = await email({ link: wrapLink(SENDGRID, 'safelinks') });
    assert.equal(outcome(await read(source, { followRedirect })), 'ready');
  });

  it('is not asked for where the sender is not proved, the mail is another one, or the link stands there openly', async () => {
    const followRedirect = () => assert.fail('a link was followed');
    const linked = `<a href="${SENDGRID}">logo</a><a href="${escaped(ESTUARY_LINK)}">x</a>`;
    assert.equal(
      outcome(await read(await email({ link: SENDGRID, dkim: [] }), { followRedirect })),
      'refused: not-authentic',
    );
    assert.equal(outcome(await read(await email({ kind: 'plan' }), { followRedirect })), 'unrelated');
    assert.equal(outcome(await read(await email({ kind: 'sign-in' }), { followRedirect })), 'unrelated');
    assert.equal(outcome(await read(html(linked), { authenticity: 'off', followRedirect })), 'ready');
  });

  it('is asked for again until it would have died, and then refused with the reason', async () => {
    const followRedirect = () => Promise.reject(new Error('getaddrinfo ENOTFOUND https://x.test/secret'));
    const source = await email({ link: SENDGRID, dkim: [OWN_SIGNATURE] });
    const until = RECEIVED + 24 * HOUR_MS;
    const waiting = await read(source, { followRedirect, now: until - 1 });
    assert.equal(waiting.kind === 'undecided' && waiting.until, until);
    const over = await read(source, { followRedirect, now: until });
    assert.equal(outcome(over), 'refused: link-hidden');
    assert.match(over.kind === 'refused' ? over.detail : '', /u20216706\.ct\.sendgrid\.net did not tell .* ENOTFOUND/);
    assert.doesNotMatch(JSON.stringify([waiting, over]), /secret|upn/);
  });

  it('is refused as the provider’s own where nobody tells where it leads, for the sender is proved', async () => {
    const refused = await read(await email({ link: SENDGRID }));
    assert.deepEqual([outcome(refused), providerOf(refused)], ['refused: link-hidden', 'openai']);
    const unknown = await read(await email({ link: 'https://chatgpt.com/exports/4711' }));
    assert.deepEqual([outcome(unknown), providerOf(unknown)], ['refused: no-link', 'openai']);
    const unproved = await read(await email({ link: SENDGRID, dkim: [] }));
    assert.deepEqual([outcome(unproved), providerOf(unproved)], ['refused: not-authentic', undefined]);
  });

  it('is asked for a bounded number of times', async () => {
    const { asked, followRedirect } = counter({});
    const links = Array.from({ length: 50 }, (_, index) => `<a href="${SENDGRID}${index}">x</a>`).join('');
    const source = Buffer.concat([Buffer.from('Subject: ChatGPT - Your data export is ready\r\n'), html(links)]);
    assert.equal(outcome(await read(source, { authenticity: 'off', followRedirect })), 'refused: no-link');
    assert.equal(asked.length, MOST_HOPS);
  });

  it('never tells its address', async () => {
    const { followRedirect } = counter({
      [SENDGRID]: `https://evil.test/backend-api/estuary/content?sig=${SIGNATURE}`,
    });
    const notice = await read(await email({ link: SENDGRID }), { followRedirect });
    assert.equal(outcome(notice), 'refused: link-not-trusted');
    assert.doesNotMatch(JSON.stringify(notice), new RegExp(`${SIGNATURE}|upn`));
  });
});

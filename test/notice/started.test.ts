import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openai } from '../../src/notice/providers/openai.ts';
import { EMAIL_KINDS, EMAIL_LANGUAGES } from '../support/openai/emails/index.ts';
import { ESTUARY_LINK, email, outcome, read } from './messages.ts';

const SENDGRID = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a';

describe('A notice that an export has started', () => {
  for (const language of EMAIL_LANGUAGES) {
    it(`is known in ${language}`, async () => {
      const source = await email({ kind: 'started', language, shape: 'multipart' });
      assert.equal(outcome(await read(source)), 'started');
    });
  }

  it('is known though it was forwarded, and asks nobody about its links', async () => {
    const source = await email({ kind: 'started', journey: 'forwarded' });
    const followRedirect = () => assert.fail('a link was followed');
    assert.equal(outcome(await read(source, { followRedirect })), 'started');
  });

  it('is taken from the very address of the notices alone', async () => {
    const source = await email({ kind: 'started', from: { address: 'news@tm.openai.com' } });
    assert.equal(outcome(await read(source)), 'unrelated');
  });

  it('is known in words that nobody has seen, if it speaks of a data export and leads to no more than plain pages', async () => {
    const subject = 'ChatGPT - Ihr Datenexport: so geht es weiter';
    assert.equal(outcome(await read(await email({ kind: 'started', subject }))), 'started');
    assert.equal(outcome(await read(await email({ kind: 'started', subject: 'ChatGPT - Was nun?' }))), 'unrelated');
  });

  it('is not seen in a mail with a button to an unknown place: that one may be ready', async () => {
    const subject = 'ChatGPT - Ihr Datenexport: so geht es weiter';
    const source = await email({ subject, link: 'https://chatgpt.com/exports/4711' });
    assert.equal(outcome(await read(source)), 'refused: no-link');
  });

  it('is known behind click counters, once they tell that they lead to plain pages', async () => {
    const source = await email({ subject: 'ChatGPT - Ihr Datenexport: so geht es weiter', link: SENDGRID });
    assert.equal(outcome(await read(source)), 'refused: link-hidden');
    const to = (location: string) => read(source, { followRedirect: async () => location });
    assert.equal(outcome(await to('https://help.openai.com/en/articles/7260999')), 'started');
    assert.equal(outcome(await to('https://chatgpt.com/exports/4711')), 'refused: no-link');
    assert.equal(outcome(await to(ESTUARY_LINK)), 'ready');
  });
});

describe('A subject', () => {
  it('tells a ready notice from a started one in every language of the test mails', async () => {
    for (const language of EMAIL_LANGUAGES) {
      for (const kind of ['ready', 'started'] as const) {
        const subject = await subjectOf(kind, language);
        assert.equal(openai.subjectKind(subject), kind, subject);
        assert.equal(openai.subjectKind(`Fwd: ${subject}`), kind, subject);
      }
    }
  });

  it('of another mail of the sender says nothing', async () => {
    for (const kind of EMAIL_KINDS.filter((each) => each !== 'ready' && each !== 'started')) {
      assert.equal(openai.subjectKind(await subjectOf(kind, 'en')), undefined, kind);
    }
  });

  it('says nothing unless ChatGPT’s name begins it', () => {
    for (const subject of [
      'Your data export is ready',
      'About ChatGPT - Your data export is ready',
      'ChatGPT - ',
      '',
    ]) {
      assert.equal(openai.subjectKind(subject), undefined, subject);
    }
  });

  it('that says both or neither leaves it open', () => {
    assert.equal(openai.subjectKind('ChatGPT - Your data export has started and is ready soon'), 'export');
    assert.equal(openai.subjectKind('ChatGPT – Your data export'), 'export');
  });

  it('is read in every way that it can be written', () => {
    for (const subject of [
      'ChatGPT — Your data export is ready',
      'ＣｈａｔＧＰＴ：Your data export is ready',
      'WG: Fwd: ChatGPT - Your Data Export Is Ready!',
      'Exportación: ChatGPT - tu exportación de datos está lista'.slice('Exportación: '.length),
    ]) {
      assert.equal(openai.subjectKind(subject), 'ready', subject);
    }
  });
});

async function subjectOf(kind: (typeof EMAIL_KINDS)[number], language: (typeof EMAIL_LANGUAGES)[number]) {
  const { simpleParser } = await import('mailparser');
  return (await simpleParser(await email({ kind, language }))).subject ?? '';
}

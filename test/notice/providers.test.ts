import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { downloadPlaces, type Provider, parseExportName, senderMarks } from '../../src/notice/index.ts';
import { openai } from '../../src/notice/providers/openai.ts';
import { dkimRecordName, wrapLink } from '../support/openai/emails/index.ts';
import {
  ESTUARY_ID,
  ESTUARY_LINK,
  email,
  OWN_SIGNATURE,
  outcome,
  RECEIVED,
  read,
  resolveTxt,
  STAMP,
} from './messages.ts';

/** A provider that there is not, to see that a second one is one object. */
const acme: Provider = {
  id: 'acme',
  sender: {
    domain: 'mail.acme.test',
    addresses: ['export@mail.acme.test'],
    signingDomains: ['mail.acme.test'],
    mark: 'acme',
  },
  linkForms: [
    {
      origin: 'https://files.acme.test',
      path: /^\/exports\/\d+\.zip$/,
      login: false,
      read: (url) => {
        const time = Number(/(\d+)\.zip$/.exec(url.pathname)?.[1]);
        return { exportId: `acme-${time}`, exportTime: time, deadline: time + HOUR_MS, whole: true };
      },
    },
  ],
  linkMarks: /\/exports\/\d+\.zip/,
  linkLifeMs: HOUR_MS,
  wrappers: openai.wrappers,
  redirectors: [],
  parseFileName: (fileName) => {
    const time = /^acme-(\d+)\.zip$/.exec(fileName)?.[1];
    return time === undefined ? undefined : { exportId: `acme-${time}`, exportTime: Number(time) };
  },
  subjectKind: (subject) => (subject === 'Acme: we pack your things' ? 'started' : undefined),
  linkMeaning: () => 'unknown',
};

const providers = [openai, acme];
const ACME_LINK = `https://files.acme.test/exports/${STAMP}.zip`;
const ACME_MAIL = {
  from: { address: 'export@mail.acme.test' },
  dkim: [{ ...OWN_SIGNATURE, domain: 'mail.acme.test' }],
  subject: 'Here you are',
};
const options = {
  providers,
  resolveTxt: (name: string) => resolveTxt(name === dkimRecordName('mail.acme.test') ? dkimRecordName() : name),
};

describe('A second provider', () => {
  it('has its notices read beside the first one’s', async () => {
    const notice = await read(await email({ ...ACME_MAIL, link: ACME_LINK }), options);
    assert.ok(notice.kind === 'ready');
    assert.deepEqual(
      [notice.provider, notice.exportId, notice.link.reveal(), notice.exportTime, notice.deadline, notice.proof],
      ['acme', `acme-${STAMP}`, ACME_LINK, STAMP, STAMP + HOUR_MS, 'DKIM d=mail.acme.test'],
    );
    const first = await read(await email(), options);
    assert.equal(first.kind === 'ready' && first.provider, 'openai');
    const wrapped = await read(await email({ ...ACME_MAIL, link: wrapLink(ACME_LINK, 'mandrill') }), options);
    assert.equal(wrapped.kind === 'ready' && wrapped.link.reveal(), ACME_LINK);
    const started = await read(
      await email({ ...ACME_MAIL, kind: 'started', subject: 'Acme: we pack your things' }),
      options,
    );
    assert.deepEqual(started, { kind: 'started', provider: 'acme' });
  });

  it('is waited for as long as its own links live', async () => {
    const source = await email({ ...ACME_MAIL, kind: 'started', subject: 'Acme: we pack your things' });
    const notice = await read(source, { providers });
    assert.equal(notice.kind, 'refused');
    const waiting = await read(source, { providers, now: RECEIVED + HOUR_MS - 1 });
    assert.equal(waiting.kind === 'undecided' && waiting.until, RECEIVED + HOUR_MS);
  });

  it('proves nobody but itself, and its links are its own', async () => {
    const crossSigned = { dkim: [{ ...OWN_SIGNATURE, domain: 'mail.acme.test' }] };
    assert.equal(outcome(await read(await email(crossSigned), options)), 'refused: not-authentic');
    assert.equal(outcome(await read(await email({ ...ACME_MAIL, link: ESTUARY_LINK }), options)), 'unrelated');
    assert.equal(outcome(await read(await email({ link: ACME_LINK }), options)), 'refused: no-link');
  });

  it('has its impostors known', async () => {
    const source = await email({ from: { address: 'export@acme.test' }, subject: 'Hi', link: ACME_LINK, dkim: [] });
    const notice = await read(source, options);
    assert.equal(outcome(notice), 'refused: sender-not-trusted');
    assert.match(notice.kind === 'refused' ? notice.detail : '', /comes from acme\.test and not from mail\.acme\.test/);
    assert.equal(outcome(await read(source)), 'unrelated');
  });

  it('adds its places, its file names and its mark to what the other rooms ask for', () => {
    assert.deepEqual(
      downloadPlaces([], providers).map(({ origin }) => origin),
      ['https://chatgpt.com', 'https://proddatamgmtqueue.blob.core.windows.net', 'https://files.acme.test'],
    );
    assert.equal(parseExportName('acme-7.zip', providers)?.exportTime, 7);
    assert.equal(parseExportName(`${ESTUARY_ID}.zip`, providers)?.exportTime, STAMP);
    assert.deepEqual(senderMarks(providers), ['openai', 'acme']);
  });
});

describe('The registry', () => {
  it('holds OpenAI', () => {
    assert.deepEqual(senderMarks(), ['openai']);
  });
});

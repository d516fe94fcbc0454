import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasEnded } from '../../src/capture/index.ts';
import type { LinkForm } from '../support/openai/server.ts';
import { type Ending, type FaultCase, WRONG_ANSWERS, WRONG_BYTES } from './outcomes/faults.ts';
import { LOGINS, type LoginCase, SESSION, TOKEN } from './outcomes/logins.ts';
import { type Played, Stage } from './outcomes/stage.ts';

/**
 * Every login × every form of link × every fault, and what each must come to. What is expected stands in
 * outcomes/faults.ts and outcomes/logins.ts; here is only how the two go together.
 */
function expected(form: LinkForm, { standing, isDeniedToPrograms }: LoginCase, fault: FaultCase): Ending {
  if (fault.link === 'dead' || form === 'azure') return fault.azure;
  switch (standing) {
    case 'let-in':
      return (isDeniedToPrograms && fault.inPage?.ending) || fault.letIn;
    case 'denied':
      return fault.denied;
    case 'unusable':
      return { state: 'needs-login', told: ['needs-login'] };
  }
}

/** Where no login is asked for, it is enough to show that none plays a part. */
const WITH_AZURE = ['no login', 'a good token'];

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage[Symbol.asyncDispose]());

for (const form of ['azure', 'estuary'] as const) {
  for (const [loginName, login] of Object.entries(LOGINS)) {
    if (form === 'azure' && !WITH_AZURE.includes(loginName)) continue;
    describe(`A link of the ${form} form with ${loginName}`, { concurrency: 8 }, () => {
      const faults = login.isVariant ? WRONG_ANSWERS : { ...WRONG_ANSWERS, ...WRONG_BYTES };
      for (const [faultName, fault] of Object.entries(faults)) {
        const ending = expected(form, login, fault);
        it(`and ${faultName}: ${ending.state}`, async () => {
          const played = await stage.play({ form, login, fault });
          assertEnding(played, ending);
          assertSaid(played, ending, form === 'estuary' ? login : undefined, fault);
          assertSecretsKept(played);
          const { requests } = played.published;
          if (form === 'azure') assert.ok(!requests.some(({ hasBearer, hasCookie }) => hasBearer || hasCookie));
          if (form === 'estuary' && login.standing === 'unusable') assert.equal(requests.length, 0);
          if (fault.link === 'dead') assert.equal(requests.length, 0);
        });
      }
    });
  }
}

function assertEnding({ capture, told, kept, expected: content }: Played, ending: Ending): void {
  const events = told.map(({ event }) => event);
  const { state } = capture;
  assert.equal(state.name, ending.state, JSON.stringify({ state, told }, null, 1));
  const mayBe = new RegExp(
    `^${ending.told.map((event) => (event.endsWith('?') ? `(?:${event.slice(0, -1)} )?` : `${event} `)).join('')}$`,
  );
  assert.match(events.map((event) => `${event} `).join(''), mayBe);
  assert.equal(kept, ending.state === 'committed' ? content : undefined);
}

/** The key facts: what is wrong is named, and until when something can be done. */
function assertSaid(
  { capture, told }: Played,
  { state }: Ending,
  login: LoginCase | undefined,
  fault: FaultCase,
): void {
  const last = told.at(-1);
  const says = (login?.isDeniedToPrograms && fault.inPage?.says) || fault.says;
  assert.ok(last !== undefined);
  const { origin } = capture;
  assert.ok(origin.kind === 'notice');
  switch (state) {
    case 'needs-login': {
      assert.equal(last.data.deadline, origin.deadline);
      const meetsFault = login?.standing === 'let-in' || (login?.standing === 'denied' && fault.denied === fault.letIn);
      // Where the fault comes before the denial, that is what is told; else it is what is wrong with the login.
      assert.match(last.body, (meetsFault ? says : login?.says) ?? /./);
      break;
    }
    case 'waiting':
      assert.equal(last.data.deadline, origin.deadline);
      assert.match(last.body, says ?? /./);
      break;
    case 'committed':
      assert.equal(last.data.capture, capture.id);
      break;
    case 'refused':
      assert.match(last.body, /CRC|checksum|damaged|corrupt/i);
      break;
    case 'expired':
      assert.match(last.body, /died/);
      break;
  }
}

function assertSecretsKept({ capture, told, published }: Played): void {
  const text = JSON.stringify([told, capture.state]);
  const { searchParams, search } = new URL(published.link);
  for (const secret of [search, searchParams.get('sig') ?? search, TOKEN, SESSION]) {
    assert.ok(!text.includes(secret), 'a secret is told');
  }
  // It is needed for as long as there is something to fetch, and not a moment longer.
  const { origin } = capture;
  assert.equal(origin.kind === 'notice' && origin.link === undefined, hasEnded(capture));
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';
import { parseAddress } from '../../src/notify/index.ts';
import { serviceAt } from './support.ts';

function faultOf(address: string): string {
  try {
    parseAddress(new Secret(address));
  } catch (error) {
    assert(error instanceof ChatkeepError, String(error));
    assert.equal(error.class, 'config');
    assert.equal(error.cause, undefined);
    return error.message;
  }
  throw new Error(`${address} was taken, and should not have been`);
}

describe('a notification address', () => {
  const labels = {
    'json://example.org/a/b?c': 'webhook at example.org',
    'jsons://user:pass@Example.org:8443/a': 'webhook at example.org:8443',
    'json+https://example.org': 'webhook at example.org',
    'generic+https://example.org/hook?key=1': 'webhook at example.org',
    'ntfy://topic': 'ntfy at ntfy.sh',
    'https://ntfy.sh/topic': 'ntfy at ntfy.sh',
    'ntfy://user:pass@example.org/topic?scheme=http&priority=high&tags=a,b': 'ntfy at example.org',
    'ntfys://[2001:db8::1]:8443/topic/': 'ntfy at [2001:db8::1]:8443',
    'smtp://user:pass@mail.example.org:2525/?from=a@example.org&to=b@example.org,c@example.org':
      'e-mail through mail.example.org:2525',
    'smtps://mail.example.org?fromAddress=a@example.org&toAddresses=b@example.org': 'e-mail through mail.example.org',
    'mailto://me:pass@example.org?to=you@example.org': 'e-mail through example.org',
    'mailtos://me:pass@gmail.com': 'e-mail through smtp.gmail.com',
    'gotifys://push.example.org/path/token': 'Gotify at push.example.org',
    'https://push.example.org/message?token=t': 'Gotify at push.example.org',
    'discord://4711/token': 'Discord',
    'slack://A1/B2/C3': 'Slack',
    'tgram://123:abc/456': 'Telegram',
    'apprises://gate.example.org/key': 'Apprise API at gate.example.org',
    'https://gate.example.org/notify/key': 'Apprise API at gate.example.org',
  };
  for (const [address, label] of Object.entries(labels)) {
    it(`stands for a service: ${address}`, () => {
      assert.equal(serviceAt(address).label, label);
    });
  }

  it('gives the service an id that stays, and that tells nothing', () => {
    const hash = createHash('sha256').update('ntfy://topic').digest('hex');
    assert.equal(serviceAt('ntfy://topic').id, `ntfy-${hash.slice(0, 12)}`);
    assert.equal(serviceAt(' ntfy://topic\n').id, serviceAt('ntfy://topic').id);
    assert.notEqual(serviceAt('ntfy://topic2').id, serviceAt('ntfy://topic').id);
  });

  const faults = {
    'my-topic': 'begins with no service that Chatkeep knows: known are ntfy://',
    'teams://id/token': 'begins with no service that Chatkeep knows: known are ntfy://',
    'ntyf://host/topic': 'did you mean ntfy://?',
    'https://example.org/hook': 'does not tell the service: write ntfy://host/topic',
    'ntfy://': 'names no host',
    'ntfy://host name/topic': 'holds white space',
    'ntfy://host/topic#1': 'holds a #',
    'ntfy://user:%zz@host/topic': 'holds a % without two hexadecimal digits',
    'ntfy://host:99999/topic': 'cannot be understood: check host and port',
    'jsons://ho%00st/': 'cannot be understood: check host and port',
    'ntfy://ntfy.example.org': 'names no topic',
    'ntfy://host:8080/': 'names no topic',
    'ntfy://host/one.two': 'has a topic with other characters',
    'ntfy://host/topic?prio=5': 'has a parameter that is not known: known are scheme, disabletls, priority, tags',
    'ntfy://host/topic?priority=6': 'has a priority other than 1 to 5',
    'ntfy://host/topic?scheme=ftp': 'has a scheme other than http and https',
    'ntfys://host/topic?scheme=http': 'says both ntfys and no TLS',
    'smtp://host/?to=a@example.org': 'names no sender',
    'smtp://host/?from=a@example.org': 'names no recipient',
    'smtp://user@host/?from=a@example.org&to=b@example.org': 'has only one of user and password',
    'smtp://user:1/2@host/?from=a@example.org&to=b@example.org': 'has a path: write special characters',
    'smtp://host/?from=a@example.org&to=b@example.org,,c@example.org': 'that is not an e-mail address',
    'smtp://host/?from=a@example.org&to=b@example.org%0d%0aBcc:x@example.org': 'that is not an e-mail address',
    'mailto://host': 'names no sender',
    'gotify://host': 'names no application token',
    'gotify://host/token?priority=11': 'has a priority other than 0 to 10',
    'gotify://host/token?skipverify=yes': 'asks not to check certificates',
    'ntfy://host/topic?verify=no': 'asks not to check certificates',
    'discord://id/token': 'is not of the form discord://id/token',
    'discord://4711/token/more': 'is not of the form discord://id/token',
    'https://discord.com/channels/1/2': 'does not tell the service',
    'slack://A/B': 'is not of the form slack://A/B/C',
    'slack://xoxb:1-2-3@channel': 'has the token of a bot',
    'slack://A/B/C/general': 'names a channel, and a webhook writes to its own',
    'tgram://123:abc': 'names no chat',
    'tgram://abc/1': 'is not of the form tgram://123456789:ABCdef/chatid',
    'telegram://123:abc@telegram?chats=a b': 'holds white space',
    'telegram://123:abc@telegram?chats=1.5': 'has a chat that is neither a number nor a @name',
    'pover://user@token': 'is not of the form pover://user@token',
    'apprises://host': 'names no configuration key',
    'https://hc-ping.com/3f1c7a52-7a0e-4a83-9f0e-2f5f1f3b5d11': 'put it under heartbeat instead of notify',
    'https://checks.example.org/ping/3f1c7a52-7a0e-4a83-9f0e-2f5f1f3b5d11': 'put it under heartbeat instead of notify',
    'https://kuma.example.org/api/push/abc?status=up': 'put it under heartbeat instead of notify',
  };
  for (const [address, fault] of Object.entries(faults)) {
    it(`is refused when it ${fault}: ${address}`, () => {
      const message = faultOf(address);
      assert(message.includes(fault), message);
      assert.match(
        message,
        /^(The (ntfy|Gotify|Discord|Slack|Telegram|Pushover|Apprise API|webhook|e-mail)|A notification) address /,
      );
    });
  }

  it('never ends in anything but a service or a config error, and neither shows a secret', () => {
    const secret = 'k7Gq2ZpW9xRt';
    const scheme = fc.constantFrom(
      'ntfy',
      'ntfys',
      'json',
      'jsons',
      'smtp',
      'smtps',
      'mailto',
      'mailtos',
      'gotify',
      'discord',
      'slack',
      'tgram',
      'telegram',
      'pover',
      'pushover',
      'apprises',
      'https',
      'x',
    );
    const salt = fc.oneof(
      fc.constant(''),
      fc.string({ maxLength: 4 }),
      fc.constantFrom('%', '/', '?', '@', ':', '#', '\\', ' ', '\n', '[', '%0d%0a', '..', '&to=', 'é'),
    );
    const shape = fc.constantFrom(
      (before: string, after: string) => `user:${before}${secret}${after}@host.example.org/topic`,
      (before: string, after: string) => `${before}${secret}${after}:pass@host.example.org/?from=a@b&to=c@d`,
      (before: string, after: string) => `host.example.org/${before}${secret}${after}`,
      (before: string, after: string) => `host.example.org/topic?${before}${secret}${after}`,
      (before: string, after: string) => `host.example.org/topic?priority=${before}${secret}&to=${secret}${after}`,
    );
    fc.assert(
      fc.property(scheme, shape, salt, salt, (name, shapeOf, before, after) => {
        const address = `${name}://${shapeOf(before, after)}`;
        let text: string;
        try {
          text = parseAddress(new Secret(address))
            .map(({ id, label }) => `${id} ${label}`)
            .join(' ');
        } catch (error) {
          assert(error instanceof ChatkeepError && error.class === 'config', String(error));
          text = `${error.message} ${error.next} ${error.stack} ${String(error.cause)}`;
        }
        // What stands before the first of / ? \ is the host by the rules of URLs, whatever was meant.
        const authority = address.split('://')[1]?.split(/[/?\\#]/)[0] ?? '';
        const isHost = !authority.includes('@') && authority.includes(secret);
        assert(isHost || !text.includes(secret), text);
      }),
      { numRuns: 2000 },
    );
  });

  it('may be any text at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl(),
          fc.string().map((rest) => `ntfy://${rest}`),
        ),
        (text) => {
          try {
            parseAddress(new Secret(text));
          } catch (error) {
            assert(error instanceof ChatkeepError && error.class === 'config', String(error));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

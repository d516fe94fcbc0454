import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeConfig } from '../../src/config/index.ts';
import { MINIMAL, Workspace } from './support.ts';

describe('The web page in the configuration', () => {
  it('is off unless something is set', async () => {
    await using workspace = await Workspace.create();
    const { config, warnings } = await workspace.load(MINIMAL);
    assert.equal(config.web, undefined);
    assert.deepEqual(warnings, []);
  });

  it('is on, for this machine, as soon as there is a password', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('web_password', 'open sesame\n');
    const { config } = await workspace.load(`${MINIMAL}web: { password_file: web_password }`);
    assert.deepEqual(config.web?.listen, { host: '127.0.0.1', port: 8788 });
    assert.equal(config.web?.password?.reveal(), 'open sesame');
    assert.deepEqual(describeConfig(config).web, {
      proxies: [],
      hosts: [],
      listen: { host: '127.0.0.1', port: 8788 },
      password: '[redacted]',
    });
  });

  it('can be set by the environment alone', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('web_password', 'open sesame');
    const { config } = await workspace.load(MINIMAL, {
      CHATKEEP_WEB_LISTEN: '0.0.0.0:8788',
      CHATKEEP_WEB_PASSWORD_FILE: 'web_password',
      CHATKEEP_WEB_URL: 'https://Chatkeep.example.org/',
      CHATKEEP_WEB_HOSTS: 'NAS.local, nas',
      CHATKEEP_WEB_PROXIES: '172.18.0.0/16',
      CHATKEEP_WEB_TRUSTED_HEADER: 'Remote-User',
    });
    const { password: _password, ...web } = config.web ?? {};
    assert.deepEqual(web, {
      listen: { host: '0.0.0.0', port: 8788 },
      url: 'https://chatkeep.example.org',
      hosts: ['nas.local', 'nas'],
      proxies: ['172.18.0.0/16'],
      trustedHeader: 'Remote-User',
    });
  });

  it('is refused where other machines reach it and nobody has to sign in', async () => {
    await using workspace = await Workspace.create();
    for (const listen of ['0.0.0.0:8788', '"[::]:8788"', '192.168.1.5:8788', 'nas.local:8788']) {
      assert.deepEqual(await workspace.problems(`${MINIMAL}web: { listen: ${listen} }`), [
        `web.listen: ${listen.replaceAll('"', '')} can be reached from other machines, and whoever reaches it could read all conversations: set web.password_file, or web.trusted_header behind a reverse proxy that signs people in, or use 127.0.0.1`,
      ]);
    }
    assert.match(
      (await workspace.problems(MINIMAL, { CHATKEEP_WEB_LISTEN: ':8788', CHATKEEP_WEB_HOSTS: 'nas' })).join('\n'),
      /^CHATKEEP_WEB_LISTEN: give host:port/,
    );
  });

  it('may go without a password on this machine, with a warning', async () => {
    await using workspace = await Workspace.create();
    const { config, warnings } = await workspace.load(`${MINIMAL}web: { listen: 127.0.0.1:9000 }`);
    assert.deepEqual(config.web?.listen, { host: '127.0.0.1', port: 9000 });
    assert.deepEqual(warnings, [
      'web.listen: the page has no password: whoever uses this machine can read all conversations. Set web.password_file, unless you are alone on it',
    ]);
  });

  it('stays off, with a warning, where settings lack the way to sign in', async () => {
    await using workspace = await Workspace.create();
    const { config, warnings } = await workspace.load(`${MINIMAL}web: { url: 'https://a.example' }`);
    assert.equal(config.web, undefined);
    assert.deepEqual(warnings, ['web: the page is off, since there is no way to sign in: set web.password_file']);
  });

  it('believes a header from named addresses alone, and never from all there are', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems(`${MINIMAL}web: { trusted_header: Remote-User }`), [
      'web.trusted_header: anybody can send Remote-User: set web.proxies to the addresses of your reverse proxy, from which alone it is believed',
    ]);
    for (const proxies of ['0.0.0.0/0', '::/0', 'nas.local', '10.0.0.0/33']) {
      assert.deepEqual(
        await workspace.problems(`${MINIMAL}web: { trusted_header: Remote-User, proxies: ['${proxies}'] }`),
        ['web.proxies[0]: give an address or a range of addresses: 172.18.0.5, 172.18.0.0/16 or fd00::/8'],
      );
    }
    assert.match(
      (await workspace.problems(`${MINIMAL}web: { trusted_header: Cookie, proxies: [10.0.0.1] }`)).join('\n'),
      /is a header of browsers/,
    );
  });

  it('takes one password, and an address without a path', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('web_password', 'open sesame');
    assert.deepEqual(
      await workspace.problems(
        `${MINIMAL}web: { password: a, password_file: web_password, url: 'https://a.example/chatkeep', hosts: ['nas:80'] }`,
      ),
      [
        'web.url: give an address without a path: https://chatkeep.example.org',
        'web.hosts[0]: give a name without port: nas.local',
        'both web.password and web.password_file are set: set one',
      ],
    );
  });
});

import assert from 'node:assert/strict';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describeConfig, loadConfig } from '../../src/config/index.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';
import { MAILBOX, MINIMAL, problemsOf, Workspace } from './support.ts';

describe('where settings come from', () => {
  it('fills in every default', async () => {
    await using workspace = await Workspace.create();
    const { config, sources, warnings } = await workspace.load('backup_dir: /backups\nstate_dir: /state');
    assert.deepEqual(config, {
      backupDir: '/backups',
      stateDir: '/state',
      mailboxes: [],
      notices: { authenticity: 'require', dnsServers: [], startedReminderDays: [3, 7] },
      download: {
        logins: [],
        checkLoginsHours: 24,
        extraOrigins: [],
        stallSeconds: 60,
        connections: 4,
        remindHoursLeft: [12, 6, 1],
      },
      archive: { maxEntries: 2_000_000, maxUnpackedGb: 500, maxRatio: 200 },
      offsite: [],
      verify: { everyDays: 7, samplePercent: 25 },
      keep: {},
      prune: 'by_hand',
      reminder: { afterDays: 30, againDays: 7, except: [] },
      disk: { warnFreePercent: 0 },
      notify: [],
      heartbeat: { service: [], captures: [], everyMinutes: 5 },
      log: { level: 'info', format: 'auto' },
    });
    assert.deepEqual(sources, { file: workspace.path('chatkeep.yaml'), environment: [], commandLine: [] });
    assert.deepEqual(warnings, []);
  });

  it('lets the environment win over the file, and the command line over both', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}account: file\nlog: { level: warn, format: json }`;
    const env = { CHATKEEP_ACCOUNT: 'environment', CHATKEEP_LOG_LEVEL: 'error' };
    const { config, sources } = await workspace.load(yaml, env, { overrides: { 'log.level': 'debug' } });
    assert.equal(config.account, 'environment');
    assert.deepEqual(config.log, { level: 'debug', format: 'json' });
    assert.deepEqual(sources.environment, ['CHATKEEP_ACCOUNT', 'CHATKEEP_LOG_LEVEL']);
    assert.deepEqual(sources.commandLine, ['--log-level']);
  });

  it('takes the file from --config, else from CHATKEEP_CONFIG, else from the default path, else does without', async () => {
    await using workspace = await Workspace.create();
    const files = {
      flag: await workspace.write('flag.yaml', `${MINIMAL}account: flag`),
      variable: await workspace.write('variable.yaml', `${MINIMAL}account: variable`),
      usual: await workspace.write('usual.yaml', `${MINIMAL}account: usual`),
    };
    const accountFrom = async (path?: string, variable?: string, defaultPath = '/nowhere/chatkeep.yaml') => {
      const env = { CHATKEEP_BACKUP_DIR: '/b', CHATKEEP_STATE_DIR: '/s', CHATKEEP_CONFIG: variable };
      return (await loadConfig({ path, env, defaultPath })).config.account;
    };
    assert.equal(await accountFrom(files.flag, files.variable, files.usual), 'flag');
    assert.equal(await accountFrom(undefined, files.variable, files.usual), 'variable');
    assert.equal(await accountFrom(undefined, undefined, files.usual), 'usual');
    assert.equal(await accountFrom(), undefined);
  });

  it('works with the environment alone', async () => {
    await using workspace = await Workspace.create();
    const passwordFile = await workspace.write('password', 'geheim\n');
    const { config } = await loadConfig({
      defaultPath: workspace.path('none.yaml'),
      cwd: workspace.directory,
      env: {
        PATH: '/bin',
        CHATKEEP_BACKUP_DIR: '/b',
        CHATKEEP_STATE_DIR: '/s',
        CHATKEEP_DROP_DIR: 'drop',
        CHATKEEP_IMAP_HOST: '127.0.0.1',
        CHATKEEP_IMAP_SECURITY: 'none',
        CHATKEEP_IMAP_USER: 'ada@example.org',
        CHATKEEP_IMAP_PASSWORD_FILE: passwordFile,
        CHATKEEP_IMAP_FOLDERS: 'INBOX, Exports/OpenAI',
        CHATKEEP_IMAP_SEARCH_EVERY_MINUTES: '0.5',
        CHATKEEP_NOTIFY: ' ntfy://one\n  ntfy://two ',
        CHATKEEP_DOWNLOAD_COOKIES_FILE: 'cookies.txt',
        CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: 'token',
        CHATKEEP_DOWNLOAD_REMIND_HOURS_LEFT: '20, 2.5,1',
      },
    });
    const [mailbox] = config.mailboxes;
    assert.equal(mailbox?.password?.reveal(), 'geheim');
    assert.deepEqual(mailbox.folders, ['INBOX', 'Exports/OpenAI']);
    assert.equal(mailbox.searchEveryMinutes, 0.5);
    assert.equal(config.dropDir, workspace.path('drop'));
    assert.deepEqual(config.download.remindHoursLeft, [20, 2.5, 1]);
    assert.deepEqual(
      config.notify.map((address) => address.url.reveal()),
      ['ntfy://one', 'ntfy://two'],
    );
    assert.deepEqual(config.download.logins, [
      { type: 'bearer', tokenFile: workspace.path('token') },
      { type: 'cookies', file: workspace.path('cookies.txt') },
    ]);
  });

  it('takes the address of a browser where nobody else reads along, and completes it', async () => {
    await using workspace = await Workspace.create();
    const loginsOf = async (yaml: string) =>
      (await workspace.load(`${MINIMAL}download: { logins: [${yaml}] }`)).config.download.logins;
    assert.deepEqual(await loginsOf('{ type: browser }'), [{ type: 'browser', cdpUrl: 'http://127.0.0.1:9222' }]);
    for (const address of [
      'http://browser:9222',
      'http://192.168.0.2:9222/',
      'http://[::1]:9222',
      'https://example.org',
    ]) {
      const [login] = await loginsOf(`{ type: browser, cdp_url: '${address}' }`);
      assert.deepEqual(login, { type: 'browser', cdpUrl: address.replace(/\/$/, '') });
    }
    const refused = ['http://example.org:9222', 'http://1.1.1.1:9222', 'ws://browser:9222', 'http://a:b@browser:9222'];
    for (const address of [...refused, 'http://browser:9222/x', 'https://example.org/?token=x', 'browser:9222']) {
      const [problem = ''] = await workspace.problems(MINIMAL, { CHATKEEP_DOWNLOAD_BROWSER_URL: address });
      assert.match(problem, /^CHATKEEP_DOWNLOAD_BROWSER_URL: give an address like http:\/\/127\.0\.0\.1:9222/, address);
    }
  });

  it('makes one login of the variables of each kind', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(MINIMAL, {
      CHATKEEP_DOWNLOAD_LOGIN_COMMAND: '/usr/bin/pass show  chatgpt',
      CHATKEEP_DOWNLOAD_BEARER_ACCOUNT_ID: 'acct-1',
      CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: 'auth.json',
    });
    assert.deepEqual(config.download.logins, [
      { type: 'bearer', tokenFile: workspace.path('auth.json'), accountId: 'acct-1' },
      { type: 'command', command: ['/usr/bin/pass', 'show', 'chatgpt'] },
    ]);
    assert.deepEqual(await workspace.problems(MINIMAL, { CHATKEEP_DOWNLOAD_BEARER_ACCOUNT_ID: 'a b' }), [
      'CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: is missing: set it',
      'CHATKEEP_DOWNLOAD_BEARER_ACCOUNT_ID: give the id of the account: letters, digits and . _ - only',
    ]);
  });

  it('takes an empty variable and an empty key for not set', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}account: kept\ndrop_dir:\nnotices:\n  authenticity:\n`;
    const { config, sources } = await workspace.load(yaml, { CHATKEEP_ACCOUNT: '', CHATKEEP_LOG_LEVEL: ' ' });
    assert.equal(config.account, 'kept');
    assert.equal(config.dropDir, undefined);
    assert.equal(config.notices.authenticity, 'require');
    assert.deepEqual(sources.environment, []);
  });

  it('changes the only mailbox of the file by CHATKEEP_IMAP_*', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(`${MINIMAL}mailboxes: [${MAILBOX}]`, { CHATKEEP_IMAP_USER: 'grace' });
    assert.equal(config.mailboxes.length, 1);
    assert.equal(config.mailboxes[0]?.user, 'grace');
    assert.equal(config.mailboxes[0].host, 'imap.example.org');
  });

  it('reads CHATKEEP_NOTIFY_FILE line by line, without comments', async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write('notify', '# phone\nntfy://one\n\n  ntfy://two  \r\n');
    const { config } = await workspace.load(`${MINIMAL}notify: [ntfy://zero]`, { CHATKEEP_NOTIFY_FILE: file });
    assert.deepEqual(
      config.notify.map((address) => address.url.reveal()),
      ['ntfy://one', 'ntfy://two'],
    );
  });
});

describe('paths', () => {
  it('are relative to the file in the file, and to the working directory in the environment and on the command line', async () => {
    await using workspace = await Workspace.create();
    await mkdir(workspace.path('conf'));
    const path = await workspace.write('conf/chatkeep.yaml', 'backup_dir: ../backups\ndrop_dir: ~/drop');
    const { config } = await loadConfig({
      path,
      cwd: workspace.directory,
      env: { CHATKEEP_STATE_DIR: 'state' },
    });
    assert.equal(config.backupDir, workspace.path('backups'));
    assert.equal(config.stateDir, workspace.path('state'));
    assert.equal(config.dropDir, join(homedir(), 'drop'));
    const overridden = await loadConfig({ path, cwd: '/work-here', env: {}, overrides: { backup_dir: 'b' } });
    assert.equal(overridden.config.backupDir, '/work-here/b');
  });

  it('keep state in XDG_STATE_HOME, else in ~/.local/state, when nothing is set', async () => {
    await using workspace = await Workspace.create();
    const stateUnder = async (env: NodeJS.ProcessEnv) => (await workspace.load('backup_dir: /b', env)).config.stateDir;
    assert.equal(await stateUnder({ XDG_STATE_HOME: '/xdg' }), '/xdg/chatkeep');
    assert.equal(await stateUnder({ XDG_STATE_HOME: 'relative' }), join(homedir(), '.local/state/chatkeep'));
    assert.equal(await stateUnder({}), join(homedir(), '.local/state/chatkeep'));
  });
});

describe('mailboxes', () => {
  it('are called by their user and have the port of their security, unless told', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(`${MINIMAL}mailboxes:
  - { host: h, user: a, password: p }
  - { host: h, user: b, password: p, security: starttls }
  - { host: '::1', user: c, password: p, security: none, port: 1143, name: bridge }`);
    assert.deepEqual(
      config.mailboxes.map(({ name, port }) => [name, port]),
      [
        ['a', 993],
        ['b', 143],
        ['bridge', 1143],
      ],
    );
  });

  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1', '[::1]', '::ffff:127.0.0.1']) {
    it(`may do without encryption on ${host}`, async () => {
      await using workspace = await Workspace.create();
      const yaml = `${MINIMAL}mailboxes: [{ host: '${host}', user: u, password: p, security: none }]`;
      assert.equal((await workspace.load(yaml)).config.mailboxes[0]?.security, 'none');
    });
  }

  for (const host of ['imap.example.org', '192.168.1.2', 'localhost.example.org', '128.0.0.1']) {
    it(`may not do without encryption on ${host}`, async () => {
      await using workspace = await Workspace.create();
      const yaml = `${MINIMAL}mailboxes: [{ host: '${host}', user: u, password: p, security: none }]`;
      assert.deepEqual(await workspace.problems(yaml), [
        'mailboxes[0].security: none would send the password in clear text, and the host is not this machine: use tls or starttls',
      ]);
    });
  }
});

describe('the days after which one is reminded of an export', () => {
  const days = (list: string) => `${MINIMAL}notices: { started_reminder_days: ${list} }`;

  it('may be fractions, or none', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual((await workspace.load(days('[0.5, 2]'))).config.notices.startedReminderDays, [0.5, 2]);
    assert.deepEqual((await workspace.load(days('[]'))).config.notices.startedReminderDays, []);
  });

  it('may come from the environment, separated by commas', async () => {
    await using workspace = await Workspace.create();
    const set = (text: string) => ({ CHATKEEP_NOTICES_STARTED_REMINDER_DAYS: text });
    assert.deepEqual((await workspace.load(MINIMAL, set('1, 2.5'))).config.notices.startedReminderDays, [1, 2.5]);
    assert.deepEqual(await workspace.problems(MINIMAL, set('1,soon')), [
      'CHATKEEP_NOTICES_STARTED_REMINDER_DAYS: must be numbers, separated by commas',
    ]);
  });

  it('are up to five, ascending, and within a month', async () => {
    await using workspace = await Workspace.create();
    const problem = async (list: string) => (await workspace.problems(days(list)))[0];
    assert.equal(await problem('[3, 3]'), 'notices.started_reminder_days: put them in ascending order');
    assert.match((await problem('[0]')) ?? '', /^notices\.started_reminder_days\[0\]: must be more than 0/);
    assert.match((await problem('[31]')) ?? '', /^notices\.started_reminder_days\[0\]: must be at most 30/);
    assert.match((await problem('[1, 2, 3, 4, 5, 6]')) ?? '', /^notices\.started_reminder_days: /);
  });
});

describe('the way to sign in', () => {
  const mailbox = (keys: string) => `${MINIMAL}mailboxes: [{ host: h, user: ada/1, ${keys} }]`;
  const oauth2 = 'oauth2: { provider: google, client_id: c }';

  it('may be a command', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(mailbox('password_command: [pass, show, mail]'));
    assert.deepEqual(config.mailboxes[0]?.passwordCommand, ['pass', 'show', 'mail']);
    assert.equal(config.mailboxes[0].password, undefined);
  });

  it('may be consent, kept in the state directory under the mailbox’s name, whatever that is', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('secret', 'geheim');
    const { config } = await workspace.load(
      mailbox('oauth2: { provider: google, client_id: c, client_secret_file: secret }'),
    );
    const way = config.mailboxes[0]?.oauth2;
    assert.equal(way?.tokenFile, '/s/oauth/ada%2F1.json');
    assert.equal(way.clientSecret?.reveal(), 'geheim');
    assert.doesNotMatch(JSON.stringify(describeConfig(config)), /geheim/);
  });

  it('is one way only', async () => {
    await using workspace = await Workspace.create();
    const faults = {
      [`password: p, ${oauth2}`]: 'mailboxes[0].password and mailboxes[0].oauth2 are both ways to sign in: set one',
      [`password_command: [x], ${oauth2}`]:
        'mailboxes[0].password_command and mailboxes[0].oauth2 are both ways to sign in: set one',
      'password_file: f, password_command: [x]':
        'mailboxes[0].password_file and mailboxes[0].password_command are both ways to sign in: set one',
    };
    await workspace.write('f', 'p');
    for (const [keys, fault] of Object.entries(faults)) {
      assert.deepEqual(await workspace.problems(mailbox(keys)), [fault]);
    }
  });

  it('of the environment replaces that of the file', async () => {
    await using workspace = await Workspace.create();
    const load = async (env: NodeJS.ProcessEnv) =>
      (await workspace.load(mailbox('password: p'), env)).config.mailboxes[0];
    const byCommand = await load({ CHATKEEP_IMAP_PASSWORD_COMMAND: 'pass show mail' });
    assert.deepEqual(byCommand?.passwordCommand, ['pass', 'show', 'mail']);
    const byConsent = await load({
      CHATKEEP_IMAP_OAUTH2_PROVIDER: 'microsoft',
      CHATKEEP_IMAP_OAUTH2_CLIENT_ID: 'c',
      CHATKEEP_IMAP_OAUTH2_TENANT: 'consumers',
      CHATKEEP_IMAP_OAUTH2_TOKEN_FILE: 'token.json',
    });
    assert.deepEqual(byConsent?.oauth2, {
      provider: 'microsoft',
      clientId: 'c',
      tenant: 'consumers',
      tokenFile: workspace.path('token.json'),
    });
    assert.deepEqual(
      await workspace.problems(mailbox('password: p'), {
        CHATKEEP_IMAP_PASSWORD: 'p',
        CHATKEEP_IMAP_PASSWORD_COMMAND: 'x',
      }),
      ['CHATKEEP_IMAP_PASSWORD and CHATKEEP_IMAP_PASSWORD_COMMAND are both ways to sign in: set one'],
    );
  });

  it('sends tokens over encrypted connections only', async () => {
    await using workspace = await Workspace.create();
    const endpoint = (address: string) =>
      mailbox(`oauth2: { provider: google, client_id: c, token_endpoint: '${address}' }`);
    for (const address of [
      'http://login.example.org/',
      'http://127.0.0.1.example.org/',
      'https://u@h/',
      'x',
      'https://h/#a',
    ]) {
      assert.deepEqual(await workspace.problems(endpoint(address)), [
        'mailboxes[0].oauth2.token_endpoint: give an https address (http is taken for loopback addresses only), without user and #',
      ]);
    }
    await workspace.load(endpoint('https://login.example.org/token'));
    await workspace.load(endpoint('http://127.0.0.1:8080/token'));
  });
});

describe('a certificate’s fingerprint', () => {
  const hex = 'ab'.repeat(32);
  const mailbox = (keys: string) => `${MINIMAL}mailboxes: [{ host: localhost, user: u, password: p, ${keys} }]`;

  it('is taken as openssl prints it, and as bare digits', async () => {
    await using workspace = await Workspace.create();
    for (const fingerprint of [hex, hex.toUpperCase(), hex.match(/../g)?.join(':')]) {
      await workspace.load(mailbox(`fingerprint_sha256: '${fingerprint}'`));
    }
    for (const fingerprint of [hex.slice(2), `${hex}ab`, 'sha256:aa']) {
      assert.deepEqual(await workspace.problems(mailbox(`fingerprint_sha256: '${fingerprint}'`)), [
        'mailboxes[0].fingerprint_sha256: give 64 hex digits, with or without colons',
      ]);
    }
  });

  it('does not stand beside an authority, nor where there is no encryption', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems(mailbox(`fingerprint_sha256: ${hex}, security: none`)), [
      'mailboxes[0].fingerprint_sha256: there is no certificate where security is none: use starttls, or take it out',
    ]);
    const [problem] = await workspace.problems(mailbox(`fingerprint_sha256: ${hex}, ca_file: x`));
    assert.equal(
      problem,
      'mailboxes[0].fingerprint_sha256 and mailboxes[0].ca_file are both set, and the fingerprint alone would count: set one',
    );
  });
});

describe('secrets', () => {
  it('come from files, one line end cut off', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('password', ' pass word \r\n');
    await workspace.write('address', '\uFEFFntfy://topic\n');
    const { config, warnings } = await workspace.load(
      `${MINIMAL}mailboxes: [{ host: h, user: u, password_file: password }]\nnotify: [{ url_file: address }]`,
    );
    assert.equal(config.mailboxes[0]?.password?.reveal(), ' pass word ');
    assert.equal(config.notify[0]?.url.reveal(), 'ntfy://topic');
    assert.deepEqual(warnings, []);
  });

  it('of the environment win over the file, in whatever form', async () => {
    await using workspace = await Workspace.create();
    const password = async (yaml: string, env: NodeJS.ProcessEnv) =>
      (await workspace.load(`${MINIMAL}mailboxes: [{ host: h, user: u, ${yaml} }]`, env)).config.mailboxes[0]?.password;
    const inFile = await workspace.write('password', 'from a file');
    const byVariable = await password('password_file: /nowhere', { CHATKEEP_IMAP_PASSWORD: 'direct' });
    const byVariableFile = await password('password: direct', { CHATKEEP_IMAP_PASSWORD_FILE: inFile });
    assert.equal(byVariable?.reveal(), 'direct');
    assert.equal(byVariableFile?.reveal(), 'from a file');
  });

  it('print as [redacted] when the configuration is shown', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(
      `${MINIMAL}mailboxes: [${MAILBOX}]\nnotify: [ntfy://geheim]\nheartbeat: { service: ['https://hc-ping.com/a'], captures: [{ url: 'https://hc-ping.com/b' }] }`,
    );
    const shown = describeConfig(config);
    assert.deepEqual(shown, {
      backup_dir: '/b',
      state_dir: '/s',
      mailboxes: [
        {
          host: 'imap.example.org',
          security: 'tls',
          user: 'ada',
          search_every_minutes: 5,
          look_back_days: 7,
          name: 'ada',
          port: 993,
          password: '[redacted]',
        },
      ],
      notices: { authenticity: 'require', dns_servers: [], started_reminder_days: [3, 7] },
      download: {
        logins: [],
        check_logins_hours: 24,
        extra_origins: [],
        stall_seconds: 60,
        connections: 4,
        remind_hours_left: [12, 6, 1],
      },
      archive: { max_entries: 2_000_000, max_unpacked_gb: 500, max_ratio: 200 },
      offsite: [],
      verify: { every_days: 7, sample_percent: 25 },
      keep: {},
      prune: 'by_hand',
      reminder: { after_days: 30, again_days: 7, except: [] },
      disk: { warn_free_percent: 0 },
      notify: [{ url: '[redacted]' }],
      heartbeat: { service: ['[redacted]'], captures: ['[redacted]'], every_minutes: 5 },
      log: { level: 'info', format: 'auto' },
    });
  });

  it('are refused when both the secret and its file are set', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}mailboxes: [{ host: h, user: u, password: p, password_file: f }]
notify: [{ url: ntfy://a, url_file: f }]`;
    assert.deepEqual(await workspace.problems(yaml), [
      'both mailboxes[0].password and mailboxes[0].password_file are set: set one',
      'both notify[0].url and notify[0].url_file are set: set one',
    ]);
    const env = { CHATKEEP_NOTIFY: 'ntfy://a', CHATKEEP_NOTIFY_FILE: await workspace.write('n', 'ntfy://b') };
    assert.deepEqual(await workspace.problems(MINIMAL, env), [
      'both CHATKEEP_NOTIFY and CHATKEEP_NOTIFY_FILE are set: set one',
    ]);
  });

  it('are refused when their file cannot be used, and the reason is told', async () => {
    await using workspace = await Workspace.create();
    await mkdir(workspace.path('directory'));
    await workspace.write('empty', '\n');
    await workspace.write('lines', 'one\ntwo\n');
    await workspace.write('binary', Uint8Array.of(0xff, 0xfe, 0x00));
    await workspace.write('large', 'x'.repeat(70_000));
    const faults = {
      missing: 'cannot be read: there is no such file',
      directory:
        'cannot be used: it is a directory, not a file (Docker makes a directory where the file to be mounted is missing)',
      empty: 'is empty',
      lines: 'holds more than one line: leave only the secret in it',
      binary: 'does not hold UTF-8 text',
      large: 'cannot be used: it is too large to be a secret',
    };
    for (const [name, fault] of Object.entries(faults)) {
      const yaml = `${MINIMAL}mailboxes: [{ host: h, user: u, password_file: ${name} }]`;
      assert.deepEqual(await workspace.problems(yaml), [
        `mailboxes[0].password_file: ${workspace.path(name)} ${fault}`,
      ]);
    }
    assert.deepEqual(await workspace.problems(MINIMAL, { CHATKEEP_NOTIFY_FILE: 'missing' }), [
      `CHATKEEP_NOTIFY_FILE: ${workspace.path('missing')} cannot be read: there is no such file`,
    ]);
  });
});

describe('what an address asks for', () => {
  const addressWith = (wishes: string) => `${MINIMAL}mailboxes: [${MAILBOX}]\nnotify: [{ url: ntfy://a, ${wishes} }]`;

  it('is taken from the file: events, the least level, quiet hours', async () => {
    await using workspace = await Workspace.create();
    const yaml = addressWith('events: [expired, needs-login], min_level: warning, quiet_hours: "22:00-07:00"');
    const [address] = (await workspace.load(yaml)).config.notify;
    assert.deepEqual(address?.events, ['expired', 'needs-login']);
    assert.equal(address.minLevel, 'warning');
    assert.equal(address.quietHours, '22:00-07:00');
  });

  it('is everything at any time unless told', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}mailboxes: [${MAILBOX}]\nnotify: [ntfy://a, { url: ntfy://b }]`;
    for (const address of (await workspace.load(yaml)).config.notify) {
      assert.equal(address.events, undefined);
      assert.equal(address.minLevel, undefined);
      assert.equal(address.quietHours, undefined);
    }
  });

  for (const { wishes, problem } of [
    { wishes: 'events: [expird]', problem: /^notify\[0\]\.events\[0\]: must be one of .*: did you mean `expired`\?$/ },
    { wishes: 'events: []', problem: /^notify\[0\]\.events: / },
    { wishes: 'events: expired', problem: /^notify\[0\]\.events: must be a list/ },
    {
      wishes: 'min_level: warnin',
      problem: /^notify\[0\]\.min_level: must be one of info, success, warning, failure: did you mean `warning`\?$/,
    },
    { wishes: 'min_levle: warning', problem: /^notify\[0\]: unknown key `min_levle`: did you mean `min_level`\?$/ },
    ...['"22-7"', '"24:00-07:00"', '"22:00"', '"07:00-07:00"', '""'].map((hours) => ({
      wishes: `quiet_hours: ${hours}`,
      problem: /^notify\[0\]\.quiet_hours: give a stretch of the day: "22:00-07:00", in quotes$/,
    })),
  ]) {
    it(`is refused as { ${wishes} }, and what is right is said`, async () => {
      await using workspace = await Workspace.create();
      const problems = await workspace.problems(addressWith(wishes));
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', problem);
    });
  }
});

describe('problems', () => {
  it('are told all at once, each with the key or variable as it was written', async () => {
    await using workspace = await Workspace.create();
    const yaml = `
state_dir: 5
mailboxs: []
mailboxes:
  - { host: h, port: 70000, security: tsl, pasword_file: x }
  - { host: h, user: u, password_file: /nowhere/password }
notices: { dns_servers: [dns.example.org] }
download: { logins: [{ type: carrier-pigeon }, { type: cookies }], extra_origins: ['http://x'], ca_file: nowhere.pem }
archive: { max_entries: 1.5 }
notify: [5, { urll: x }]
log: debug
`;
    const env = { CHATKEEP_DOWNLOAD_STALL_SECONDS: 'soon', CHATKEEP_ACCOUNT: 'a/b', CHATKEEP_IMPA_HOST: 'x' };
    assert.deepEqual(await workspace.problems(yaml, env), [
      'unknown variable CHATKEEP_IMPA_HOST: did you mean CHATKEEP_IMAP_HOST?',
      'CHATKEEP_DOWNLOAD_STALL_SECONDS: must be a number',
      'backup_dir: is missing: set it, or CHATKEEP_BACKUP_DIR',
      'state_dir: must be a text, and YAML reads it as a number: put it in quotes',
      'CHATKEEP_ACCOUNT: use letters, digits and . _ @ + - only, and start with a letter or digit',
      'mailboxes[0].port: must be at most 65535',
      'mailboxes[0].security: must be one of tls, starttls, none: did you mean `tls`?',
      'mailboxes[0].user: is missing: set it',
      'mailboxes[0]: unknown key `pasword_file`: did you mean `password_file`?',
      'notices.dns_servers[0]: give an IP address, with a port if need be: 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53',
      'download.logins[0].type: must be one of bearer, cookies, command, browser',
      'download.logins[1].file: is missing: set it',
      'download.extra_origins[0]: give an origin: https://host or https://host:port, without a path',
      'archive.max_entries: must be a whole number, not one with a fraction',
      'notify[0]: must be a text, or keys and values',
      'notify[1]: unknown key `urll`: did you mean `url`?',
      'log: must be keys and values, not a text',
      'unknown key `mailboxs`: did you mean `mailboxes`?',
      'mailboxes[1].password_file: /nowhere/password cannot be read: there is no such file',
      `download.ca_file: ${workspace.path('nowhere.pem')} cannot be read: there is no such file`,
    ]);
  });

  it('name the variables when there is no file', async () => {
    const env = { CHATKEEP_IMAP_HOST: 'h', CHATKEEP_IMAP_PORT: '0' };
    assert.deepEqual(await problemsOf(loadConfig({ env, defaultPath: '/nowhere/chatkeep.yaml' })), [
      'CHATKEEP_BACKUP_DIR: is missing: set it',
      'CHATKEEP_IMAP_PORT: must be at least 1',
      'CHATKEEP_IMAP_USER: is missing: set it',
      'CHATKEEP_IMAP_PASSWORD: is missing: set it, or better CHATKEEP_IMAP_PASSWORD_FILE',
    ]);
  });

  it('name the flag when the command line is wrong', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems(MINIMAL, {}, { overrides: { 'log.format': 'yaml' } }), [
      '--log-format: must be one of auto, json, pretty',
    ]);
  });

  it('are lines of an error of class config, under a head that counts them', async () => {
    await using workspace = await Workspace.create();
    await assert.rejects(workspace.load('state_dir: /s'), (error) => {
      assert(error instanceof ChatkeepError);
      assert.equal(error.class, 'config');
      assert.match(error.message, /^There is 1 problem in the configuration:\nbackup_dir: is missing/);
      return true;
    });
  });

  it('tell line and column of what is not YAML', async () => {
    await using workspace = await Workspace.create();
    const path = workspace.path('chatkeep.yaml');
    const faults = {
      'account: a\naccount: b': 'line 2, column 1: the key `account` stands here for the second time: keep one',
      'log:\n\tlevel: info': 'line 2, column 1: a tab is used to indent: use spaces',
      'account: a: b': 'line 1, column 10: there are two `: ` in one line: put the value in quotes',
      'log: { level: info': 'line 1, column 19: the indentation does not fit the lines above',
      'account: "a': 'line 1, column 12: a quote, bracket or colon is missing',
      'account: @a':
        'line 1, column 10: a value begins with, or holds, a character that means something in YAML: put it in single quotes',
    };
    for (const [yaml, fault] of Object.entries(faults)) {
      assert.deepEqual(await workspace.problems(yaml), [`${path}: ${fault}`]);
    }
    assert.deepEqual(await workspace.problems('account: *a'), [
      `${path}: an *alias names no &anchor, or aliases are too many: put a value that begins with * in quotes`,
    ]);
    assert.deepEqual(await workspace.problems('- a'), [
      `${path}: must hold keys and values, as config/chatkeep.example.yaml does`,
    ]);
  });

  it('tell of a file that was named and is not there', async () => {
    assert.deepEqual(await problemsOf(loadConfig({ path: '/nowhere/a.yaml', env: {} })), [
      '--config: /nowhere/a.yaml cannot be read: there is no such file',
    ]);
    assert.deepEqual(await problemsOf(loadConfig({ env: { CHATKEEP_CONFIG: '/nowhere/b.yaml' } })), [
      'CHATKEEP_CONFIG: /nowhere/b.yaml cannot be read: there is no such file',
    ]);
  });

  it('refuse CHATKEEP_IMAP_* when the file has several mailboxes', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}mailboxes: [{ host: h, user: a, password: p }, { host: h, user: b, password: p }]`;
    assert.deepEqual(await workspace.problems(yaml, { CHATKEEP_IMAP_HOST: 'x', CHATKEEP_IMAP_USER: 'y' }), [
      'CHATKEEP_IMAP_HOST, CHATKEEP_IMAP_USER: the file has 2 mailboxes, and the environment can speak of one only: put these settings in the file',
    ]);
  });

  it('refuse two mailboxes of one name', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}mailboxes: [${MAILBOX}, { host: h, user: x, password: p, name: ada }]`;
    assert.deepEqual(await workspace.problems(yaml), [
      'mailboxes[1]: is called the same as mailboxes[0] (the name is the user unless set): give one of them a `name` of its own',
    ]);
  });

  it('refuse an extra origin that is no address', async () => {
    await using workspace = await Workspace.create();
    const yaml = `${MINIMAL}download: { extra_origins: ['https://a:99999', 'https://[::1', 'https://a\\b', 'https://ok.test'] }`;
    const advice = 'give an origin: https://host or https://host:port, without a path';
    assert.deepEqual(
      await workspace.problems(yaml),
      [0, 1, 2].map((index) => `download.extra_origins[${index}]: ${advice}`),
    );
  });

  it('refuse directories that are the same', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems('backup_dir: /a/b\nstate_dir: /a/./b/\ndrop_dir: /a/b'), [
      'state_dir: is the same directory as backup_dir: give it one of its own',
      'drop_dir: is the same directory as backup_dir: give it one of its own',
      'drop_dir: is the same directory as state_dir: give it one of its own',
    ]);
  });

  it('refuse a directory that lies where it would be copied or deleted with another', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems('backup_dir: /b\nstate_dir: /b/.state'), [
      'state_dir: lies inside backup_dir, where only snapshots belong: links and logins would be copied wherever the backups are: move it out',
    ]);
    assert.deepEqual(await workspace.problems('state_dir: /s', { CHATKEEP_BACKUP_DIR: '/s/backups' }), [
      'CHATKEEP_BACKUP_DIR: lies inside state_dir, which can be deleted at any time, and the snapshots would go with it: move it out',
    ]);
    assert.deepEqual(await workspace.problems('backup_dir: /b\nstate_dir: /s', { CHATKEEP_DROP_DIR: '/b/drop' }), [
      'CHATKEEP_DROP_DIR: lies inside backup_dir, where only snapshots belong: move it out',
    ]);
    assert.deepEqual(await workspace.problems('backup_dir: /b\nstate_dir: /s\ndrop_dir: /s/downloads/x'), [
      'drop_dir: lies inside state_dir, where Chatkeep deletes what it does not need any more: move it out',
    ]);
  });

  it('refuse that by way of a symbolic link, too, and of what is not there yet', async () => {
    await using workspace = await Workspace.create();
    await mkdir(workspace.path('disk'));
    await symlink(workspace.path('disk'), workspace.path('backups'));
    assert.deepEqual(await workspace.problems('backup_dir: backups\nstate_dir: disk/new/state'), [
      'state_dir: lies inside backup_dir, where only snapshots belong: links and logins would be copied wherever the backups are: move it out',
    ]);
    assert.deepEqual(await workspace.problems('backup_dir: backups\nstate_dir: disk'), [
      'state_dir: is the same directory as backup_dir: give it one of its own',
    ]);
  });

  it('refuse backups and state where dropped exports are deleted', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await workspace.problems('backup_dir: /d/backups\nstate_dir: /d/state\ndrop_dir: /d'), [
      'backup_dir: lies inside drop_dir, where exports are deleted once they were taken in: move it out',
      'state_dir: lies inside drop_dir, where exports are deleted once they were taken in: move it out',
    ]);
  });

  it('take directories that are named alike, side by side', async () => {
    await using workspace = await Workspace.create();
    assert.ok(await workspace.load('backup_dir: /b\nstate_dir: /b..x\ndrop_dir: /bb'));
  });

  it('refuse hours of reminders that are not in descending order, or outside of the link’s life', async () => {
    await using workspace = await Workspace.create();
    const problemsOf = (hours: string) => workspace.problems(`${MINIMAL}download: { remind_hours_left: ${hours} }`);
    for (const hours of ['[1, 6, 12]', '[6, 6]']) {
      assert.deepEqual(await problemsOf(hours), [
        'download.remind_hours_left: give hours in descending order, each once: [12, 6, 1]',
      ]);
    }
    for (const hours of ['[24]', '[0]', '[-1]', '[soon]', '6'])
      assert.equal((await problemsOf(hours)).length, 1, hours);
    assert.deepEqual(await workspace.problems(MINIMAL, { CHATKEEP_DOWNLOAD_REMIND_HOURS_LEFT: '12, soon' }), [
      'CHATKEEP_DOWNLOAD_REMIND_HOURS_LEFT: must be numbers, separated by commas',
    ]);
    assert.deepEqual(
      (await workspace.load(`${MINIMAL}download: { remind_hours_left: [] }`)).config.download.remindHoursLeft,
      [],
    );
  });

  it('refuse a ca_file that is no certificate in PEM form', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('ca.der', Uint8Array.of(0x30, 0x82));
    await workspace.write('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const yaml = `${MINIMAL}mailboxes: [{ host: h, user: u, password: p, ca_file: ca.der }]\ndownload: { ca_file: broken.pem }`;
    assert.deepEqual(await workspace.problems(yaml), [
      `mailboxes[0].ca_file: ${workspace.path('ca.der')} is not a certificate in PEM form (-----BEGIN CERTIFICATE-----): convert it`,
      `download.ca_file: ${workspace.path('broken.pem')} holds a broken certificate: export it anew`,
    ]);
  });

  it('never show a value that could be secret, whatever the file is', async () => {
    await using workspace = await Workspace.create();
    const secret = 'k7Gq2ZpW';
    const places = fc.constantFrom(
      (text: string) => `mailboxes: [{ host: h, user: u, password: ${text} }]`,
      (text: string) => `mailboxes: [{ host: h, user: u, password_file: x, port: ${text} }]`,
      (text: string) => `notify: [${text}]`,
      (text: string) => `notify:\n  - url: ${text}\n  - url_file: [${text}]`,
      (text: string) => `notify: ${text}\nlog: ${text}`,
    );
    const decorations = fc.constantFrom(
      '',
      '*',
      '&',
      '!',
      '@',
      '`',
      '"',
      "'",
      '{',
      '[',
      '%',
      ': ',
      '\t',
      '- ',
      '#',
      '|',
    );
    await fc.assert(
      fc.asyncProperty(places, decorations, decorations, async (place, before, after) => {
        const loading = workspace.load(`${MINIMAL}${place(`${before}${secret}${after}`)}`, {
          CHATKEEP_IMAP_PORT: secret,
        });
        assert(!(await problemsOf(loading)).join('\n').includes(secret));
      }),
    );
  });

  it('are all that loading ever ends with', async () => {
    await using workspace = await Workspace.create();
    const known = fc.constantFrom(
      'backup_dir',
      'mailboxes',
      'notify',
      'download',
      'logins',
      'log',
      'password_file',
      'url',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, true, 1, -0.5, '', 'x'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(known, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const environment = fc.dictionary(
      fc.constantFrom('CHATKEEP_IMAP_HOST', 'CHATKEEP_NOTIFY', 'CHATKEEP_LOG_LEVEL', 'CHATKEEP_DOWNLOAD_COOKIES_FILE'),
      fc.constantFrom('', 'x', '1'),
    );
    await fc.assert(
      fc.asyncProperty(tree, environment, async (content, env) => {
        await workspace.load(JSON.stringify(content), env).catch((error: unknown) => {
          if (!(error instanceof ChatkeepError)) throw error;
        });
      }),
    );
    assert.deepEqual(await workspace.problems('a: &a { b: *a }'), [
      'backup_dir: is missing: set it, or CHATKEEP_BACKUP_DIR',
      'unknown key `a`: known are backup_dir, state_dir, drop_dir, account, mailboxes, notices, download, archive, offsite, verify, keep, prune, reminder, disk, notify, heartbeat, listen, web, log',
    ]);
  });
});

describe('warnings', () => {
  const warningsOf = async (workspace: Workspace, yaml: string, env: NodeJS.ProcessEnv = {}) =>
    (await workspace.load(MINIMAL + yaml, env)).warnings;

  it('tell of guards that were lowered', async () => {
    await using workspace = await Workspace.create();
    const yaml = "notices: { authenticity: warn }\ndownload: { extra_origins: ['https://127.0.0.1:8443'] }";
    assert.deepEqual(await warningsOf(workspace, yaml), [
      'notices.authenticity: with warn, links in forged emails are followed too: use require unless you are testing',
      'download.extra_origins: links may lead to https://127.0.0.1:8443 too, inside your network as well, and logins are sent there: meant for tests and proxies',
    ]);
  });

  it('tell that nothing is pruned where no rule is set', async () => {
    await using workspace = await Workspace.create();
    assert.match((await warningsOf(workspace, 'prune: after_commit')).join(), /^prune: nothing is pruned/);
    assert.deepEqual(await warningsOf(workspace, 'prune: after_commit\nkeep: { last: 5 }'), []);
    assert.deepEqual(await warningsOf(workspace, 'prune: after_commit', { CHATKEEP_KEEP_LAST: '5' }), []);
  });

  it('tell of a password in the environment', async () => {
    await using workspace = await Workspace.create();
    const env = { CHATKEEP_IMAP_HOST: 'h', CHATKEEP_IMAP_USER: 'u', CHATKEEP_IMAP_PASSWORD: 'p' };
    assert.match(
      (await warningsOf(workspace, '', env)).join(),
      /^CHATKEEP_IMAP_PASSWORD: a password in the environment/,
    );
  });

  it('tell of files with secrets that others can read', async () => {
    await using workspace = await Workspace.create();
    const secret = await workspace.write('password', 'p');
    const cookies = await workspace.write('cookies.txt', '');
    await chmod(secret, 0o640);
    await chmod(cookies, 0o604);
    const yaml = `mailboxes: [{ host: h, user: u, password_file: password }]\ndownload: { logins: [{ type: cookies, file: cookies.txt }] }`;
    assert.deepEqual(await warningsOf(workspace, yaml), [
      `mailboxes[0].password_file: ${secret} is open to other users: chmod 600 ${secret}`,
      `download.logins[0].file: ${cookies} is open to other users: chmod 600 ${cookies}`,
    ]);
    const path = await workspace.write('chatkeep.yaml', '');
    await chmod(path, 0o644);
    assert.deepEqual(await warningsOf(workspace, 'notify: [ntfy://secret]'), [
      `the configuration holds secrets: ${path} is open to other users: chmod 600 ${path}`,
    ]);
    assert.deepEqual(await warningsOf(workspace, ''), []);
  });

  it('tell of a login that is not there yet, since it may come later', async () => {
    await using workspace = await Workspace.create();
    assert.deepEqual(await warningsOf(workspace, '', { CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: 'token' }), [
      `CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: ${workspace.path('token')} cannot be read at present: there is no such file`,
    ]);
  });
});

describe('the loaded configuration', () => {
  it('is frozen at every depth', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(`${MINIMAL}mailboxes: [${MAILBOX}]\nnotify: [ntfy://a]`);
    const unfrozen: string[] = [];
    const visit = (value: unknown, name: string) => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(name);
      for (const [key, item] of Object.entries(value)) visit(item, `${name}.${key}`);
    };
    visit(config, 'config');
    assert.deepEqual(unfrozen, []);
  });
});

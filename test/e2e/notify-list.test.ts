import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSqliteJournal } from '../../src/capture/index.ts';
import { makePrivateDirectory } from '../../src/lib/files.ts';
import { MESSAGE, serviceAt } from '../notify/support.ts';
import { chatkeep } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

const DEAD = 'json://127.0.0.1:9/hook-geheim';
const YAML = `
notify:
  - ${DEAD}
  - url: ntfy://ada:geheim@ntfy.example.org/topic-geheim
    events: [expired, needs-login]
    min_level: warning
    quiet_hours: "22:00-07:00"
`;

describe('chatkeep notify list', () => {
  it('shows of each address what it is told, what waits for it and why, and no secret', async () => {
    await using directory = await tempDir();
    const { path } = directory;
    const [config, stateDir] = [join(path, 'chatkeep.yaml'), join(path, 'state')];
    await writeFile(config, `backup_dir: ${path}/backups\nstate_dir: ${stateDir}\n${YAML}`, { mode: 0o600 });
    await makePrivateDirectory(stateDir);
    const { id } = serviceAt(DEAD);
    {
      await using journal = openSqliteJournal(join(stateDir, 'journal.sqlite'));
      await journal.record({ notifications: [{ message: MESSAGE, recipients: [id] }] });
      const due = await journal.due(MESSAGE.at, [id]);
      await journal.postponed(
        due.map((delivery) => delivery.id),
        MESSAGE.at + 1,
        'webhook at 127.0.0.1:9 could not be reached (ECONNREFUSED)',
      );
    }

    const { code, stdout, stderr } = await chatkeep(['--config', config, 'notify', 'list'], {});
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      `webhook at 127.0.0.1:9
  is told: everything
  1 message waits to be delivered, the oldest since 2026-11-21 19:05 UTC. Last failure: webhook at 127.0.0.1:9 could not be reached (ECONNREFUSED).
ntfy at ntfy.example.org
  is told: expired, needs-login; from the level warning; held back 22:00-07:00
  Nothing waits to be delivered.
`,
    );
    const json = await chatkeep(['--config', config, 'notify', 'list', '--json'], {});
    assert.doesNotMatch(json.stdout, /geheim/);
    assert.deepEqual(
      JSON.parse(json.stdout).map(({ label, waiting }: { label: string; waiting: number }) => [label, waiting]),
      [
        ['webhook at 127.0.0.1:9', 1],
        ['ntfy at ntfy.example.org', 0],
      ],
    );
  });
});

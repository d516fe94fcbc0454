/** The thread of reading-thread.ts: reads whatever it is given, and answers with what came of it. */
import { parentPort } from 'node:worker_threads';
import { authservIdOf, parseAuthenticationResults } from '../../src/notice/authentication-results.ts';
import { linksOfText, readHtml } from '../../src/notice/body.ts';
import { readSender } from '../../src/notice/headers.ts';
import { readLink } from '../../src/notice/links.ts';
import { openai } from '../../src/notice/providers/openai.ts';
import { RECEIVED, read, resolveTxt } from './messages.ts';
import type { Outcome, Reader } from './reading-thread.ts';

const AUTHSERV_ID = 'mx.test';
const NOTHING = { link: undefined, lookups: 0, hops: 0 } as const;

type Read = Omit<Outcome, 'cpuMs'>;

const READERS: Readonly<Record<Reader, (input: Buffer) => Promise<Read>>> = {
  async message(source) {
    let lookups = 0;
    let hops = 0;
    const notice = await read(source, {
      authservId: AUTHSERV_ID,
      resolveTxt: (name) => {
        lookups += 1;
        return resolveTxt(name);
      },
      followRedirect: async () => {
        hops += 1;
        return undefined;
      },
    });
    return { kind: notice.kind, link: notice.kind === 'ready' ? notice.link.reveal() : undefined, lookups, hops };
  },
  async results(input) {
    const value = input.toString('latin1');
    parseAuthenticationResults(value);
    return { kind: authservIdOf(value) === undefined ? 'nameless' : 'named', ...NOTHING };
  },
  async sender(input) {
    return { kind: readSender([{ name: 'from', value: input.toString('latin1') }]).kind, ...NOTHING };
  },
  async links(input) {
    const text = input.toString('utf8');
    const { hrefs, text: shown } = readHtml(text);
    const links = [...hrefs.slice(0, 100), ...[text, shown].flatMap((each) => linksOfText(each)).flat()];
    const context = { provider: openai, receivedAt: RECEIVED, extraOrigins: [] };
    const readings = links.map((link) => readLink(link, context));
    const found = readings.find((reading) => reading.kind === 'export');
    return { kind: found === undefined ? 'none' : 'export', ...NOTHING, link: found?.href };
  },
};

parentPort?.on('message', ({ reader, input }: { readonly reader: Reader; readonly input: Uint8Array }) => {
  void answer(reader, Buffer.from(input));
});

async function answer(reader: Reader, input: Buffer): Promise<void> {
  const before = process.threadCpuUsage();
  try {
    const read = await READERS[reader](input);
    const { user, system } = process.threadCpuUsage(before);
    parentPort?.postMessage({ ...read, cpuMs: (user + system) / 1000 } satisfies Outcome);
  } catch (error) {
    parentPort?.postMessage(error);
  }
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const receivedSchema = z.looseObject({
  event: z.string(),
  level: z.string(),
  title: z.string(),
  body: z.string(),
  data: z.record(z.string(), z.unknown()),
});

/** A message as a webhook receives it. */
export type Received = z.output<typeof receivedSchema>;

export interface Webhook extends AsyncDisposable {
  /** The notification address that leads here. */
  readonly address: string;
  readonly received: readonly Received[];
  /** Resolves with the first message of an event, past or to come. */
  next(event: string, patienceMs?: number): Promise<Received>;
  of(event: string): Received[];
}

/** A receiver of JSON notifications. */
export async function startWebhook(): Promise<Webhook> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push(receivedSchema.parse(JSON.parse(Buffer.concat(chunks).toString())));
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `json://127.0.0.1:${port}/hook/s3cr3t-of-the-webhook`,
    received,
    of: (event) => received.filter((message) => message.event === event),
    async next(event, patienceMs = 60_000) {
      const until = performance.now() + patienceMs;
      for (;;) {
        const found = received.find((message) => message.event === event);
        if (found !== undefined) return found;
        if (performance.now() > until) {
          throw new Error(
            `No "${event}" came, only: ${received.map((message) => message.event).join(', ') || 'nothing'}`,
          );
        }
        await delay(20);
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

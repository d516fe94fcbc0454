import * as z from 'zod';
import { Secret } from '../lib/secret.ts';
import type { Awaited } from './awaited.ts';
import type { Capture } from './capture.ts';

const optional = <T extends z.ZodType>(schema: T) => schema.nullable().transform((value) => value ?? undefined);

const archive = z.object({
  path: z.string(),
  afterwards: z.enum(['delete', 'keep']),
  from: z.enum(['download', 'user']),
});

const leftover = z.object({ path: z.string(), sha256: z.string() });

const state = z.discriminatedUnion('name', [
  z.object({ name: z.literal('found') }),
  z.object({ name: z.literal('downloading'), attempt: z.number() }),
  z.object({
    name: z.literal('waiting'),
    until: z.number(),
    attempt: z.number(),
    reason: z.string(),
    next: z.discriminatedUnion('name', [
      z.object({ name: z.literal('download') }),
      z.object({ name: z.literal('unpack'), archive }),
    ]),
  }),
  z.object({
    name: z.literal('needs-login'),
    since: z.number(),
    until: z.number(),
    attempt: z.number(),
    reason: z.string(),
    logins: z.string(),
  }),
  z.object({ name: z.literal('unpacking'), archive, attempt: z.number() }),
  z.object({ name: z.literal('committed'), at: z.number(), snapshot: z.string(), leftover: optional(leftover) }),
  z.object({ name: z.literal('duplicate'), at: z.number(), of: z.string(), leftover: optional(leftover) }),
  z.object({ name: z.literal('unchanged'), at: z.number(), since: z.string(), leftover: optional(leftover) }),
  z.object({ name: z.literal('refused'), at: z.number(), reason: z.string(), kept: optional(z.string()) }),
  z.object({ name: z.literal('expired'), at: z.number() }),
]);

const origin = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('notice'),
    provider: z.string(),
    mailbox: z.string(),
    messageId: optional(z.string()),
    receivedAt: z.number(),
    proof: z.string(),
    deadline: z.number(),
    link: optional(z.string()).transform((text) => (text === undefined ? undefined : new Secret(text))),
  }),
  z.object({ kind: z.literal('file'), name: z.string() }),
]);

const troubleKind = z.enum(['login', 'download', 'storage', 'failure']);

const trouble = z.object({
  kind: troubleKind,
  since: z.number(),
  // Before there were reminders, all trouble had been told of when it was recorded, and no more was known of it.
  attempts: z.number().default(1),
  lastAt: z.number().optional(),
  detail: z.string().default(''),
  tellAt: optional(z.number()).prefault(null),
});

const told = z.partialRecord(troubleKind, z.number());

const captureSchema = z.object({
  id: z.string(),
  exportId: optional(z.string()),
  origin,
  exportTime: optional(z.number()),
  account: optional(z.string()),
  foundAt: z.number(),
  damagedArchives: z.number(),
  waitedMs: z.number().default(0),
  trouble: optional(trouble),
  told: told.optional(),
  state,
});

function captureOf(record: z.output<typeof captureSchema>): Capture {
  const { trouble, told = trouble === undefined ? {} : { [trouble.kind]: trouble.since } } = record;
  return { ...record, told, trouble: trouble && { ...trouble, lastAt: trouble.lastAt ?? trouble.since } };
}

/** A capture as the journal keeps it. The link is in it in plain text: the journal's file is private (0600). */
export function encodeCapture(capture: Capture): string {
  const { origin } = capture;
  const plain = origin.kind === 'notice' ? { ...origin, link: origin.link?.reveal() } : origin;
  return JSON.stringify({ ...capture, origin: plain }, (_key, value: unknown) => value ?? null);
}

/**
 * A capture from the journal.
 * @throws ZodError if the text is not a capture
 */
export function decodeCapture(text: string): Capture {
  return captureOf(captureSchema.parse(JSON.parse(text)));
}

const awaitedSchema = z.object({
  mailbox: z.string(),
  provider: z.string(),
  cameAt: optional(z.number()),
  requests: z.array(z.object({ askedAt: z.number(), seenAt: z.number(), remindedAt: optional(z.number()) })),
}) satisfies z.ZodType<Awaited>;

/** What is awaited, as the journal keeps it. */
export function encodeAwaited(awaited: Awaited): string {
  return JSON.stringify(awaited, (_key, value: unknown) => value ?? null);
}

/**
 * What is awaited, from the journal.
 * @throws ZodError if the text is something else
 */
export function decodeAwaited(text: string): Awaited {
  return awaitedSchema.parse(JSON.parse(text));
}

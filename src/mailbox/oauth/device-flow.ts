import * as z from 'zod';
import type { OAuth2Config } from '../../config/index.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from '../../lib/clock.ts';
import { MailboxError } from '../trouble.ts';
import type { PostForm } from './http.ts';
import { authorityOf } from './providers.ts';
import { clientFields, OAuthRefusal, refusalOf, requestTokens, type Tokens } from './token-request.ts';

/** Where an authority does not say how often it may be asked (RFC 8628 section 3.2). */
const USUAL_INTERVAL_MS = 5 * SECOND_MS;
/** Added with each `slow_down` (RFC 8628 section 3.5). */
const SLOWER_BY_MS = 5 * SECOND_MS;
/** Nobody is asked to wait longer than this between two questions. */
const MOST_INTERVAL_MS = 5 * MINUTE_MS;

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

/** RFC 8628 section 3.2; `verification_url` is what Google calls it. */
const deviceAnswer = z
  .object({
    device_code: z.string().min(1),
    user_code: z.string().regex(/^[\x21-\x7e ]{1,50}$/),
    verification_uri: z.url({ protocol: /^https?$/ }).optional(),
    verification_url: z.url({ protocol: /^https?$/ }).optional(),
    expires_in: z.coerce.number().positive(),
    interval: z.coerce.number().positive().optional().catch(undefined),
  })
  .transform((answer, context) => {
    const address = answer.verification_uri ?? answer.verification_url;
    if (address !== undefined) return { ...answer, address };
    context.addIssue({ code: 'custom', message: 'no address' });
    return z.NEVER;
  });

/** What the user has to do: open the address anywhere, and type in the code. */
export interface DevicePrompt {
  readonly address: string;
  readonly code: string;
  /** Until when, ms UTC. */
  readonly expiresAt: number;
}

export interface FlowContext {
  readonly oauth2: OAuth2Config;
  readonly post: PostForm;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Asks for consent by the device authorization grant (RFC 8628), and waits until the user has answered.
 *
 * @throws OAuthRefusal with the code `access_denied`, `expired_token` or another; MailboxError `unreachable`
 */
export async function consentByDevice(context: FlowContext, prompt: (prompt: DevicePrompt) => void): Promise<Tokens> {
  const { clock, signal } = context;
  const begun = await begin(context);
  const expiresAt = clock.now() + begun.expires_in * SECOND_MS;
  prompt({ address: begun.address, code: begun.user_code, expiresAt });
  const grant = { grant_type: GRANT_TYPE, device_code: begun.device_code };
  let intervalMs = begun.interval === undefined ? USUAL_INTERVAL_MS : begun.interval * SECOND_MS;
  for (;;) {
    await clock.sleep(intervalMs, signal);
    if (clock.now() >= expiresAt) throw new OAuthRefusal('expired_token', 'The code was not used in time.');
    try {
      return await requestTokens(context.oauth2, grant, context);
    } catch (error) {
      intervalMs = Math.min(MOST_INTERVAL_MS, intervalAfter(error, intervalMs));
    }
  }
}

async function begin({ oauth2, post, signal }: FlowContext): Promise<z.output<typeof deviceAnswer>> {
  const { deviceEndpoint, scope } = authorityOf(oauth2);
  const form = { ...clientFields(oauth2), scope };
  const answer = await post(deviceEndpoint, form, signal);
  const begun = deviceAnswer.safeParse(answer.body).data;
  if (answer.status === 200 && begun !== undefined) return begun;
  throw refusalOf(deviceEndpoint, answer, Object.values(form));
}

/** How long to wait before the next question, ms. Throws what ends the waiting. */
function intervalAfter(error: unknown, intervalMs: number): number {
  // RFC 8628 section 3.5 wants the pace halved where the answer did not come.
  if (error instanceof MailboxError && error.trouble.kind === 'unreachable') return intervalMs * 2;
  if (!(error instanceof OAuthRefusal)) throw error;
  if (error.code === 'authorization_pending') return intervalMs;
  if (error.code === 'slow_down') return intervalMs + SLOWER_BY_MS;
  throw error;
}

import { type Address, addressError, parametersOf, partsOfPath } from '../address.ts';
import { fitted } from '../fitted.ts';
import { type HttpAnswer, type HttpRequest, httpDestination } from '../http.ts';
import { SIGNS } from '../level.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Slack';

/** https://docs.slack.dev/reference/block-kit/blocks */
const MOST_HEADER_CHARACTERS = 150;
const MOST_SECTION_CHARACTERS = 3000;

export const slack = {
  name: NAME,
  schemes: ['slack'],
  /** Takes `https://hooks.slack.com/services/A/B/C`, too. */
  isNative: (text: string) => /^https?:\/\/hooks\.slack\.com(:443)?\/services\//i.test(text),
  open(address: Address): Destination[] {
    parametersOf(NAME, address, [], ['image', 'footer', 'blocks', 'botname', 'color', 'title', 'icon', 'threadts']);
    const url = `https://hooks.slack.com/services/${tokensOf(address).join('/')}`;
    return [httpDestination(NAME, (message) => slackRequest(url, message), { faultIn })];
  },
};

/**
 * Of three forms: Apprise `slack://A/B/C`, Shoutrrr `slack://hook:A-B-C@webhook`, and pasted. In Apprise's, a name of the
 * bot may stand before an @; it is the webhook's own here.
 */
function tokensOf(address: Address): string[] {
  const parts = partsOfPath(NAME, address);
  if (/^xox[a-z]$/i.test(address.user) || /^xox[a-z]-/i.test(address.hostname)) {
    throw addressError(
      NAME,
      'has the token of a bot, and Chatkeep writes to incoming webhooks only: make one in Slack',
    );
  }
  const tokens = tokenParts(address, parts);
  if (tokens.length > 3) {
    throw addressError(NAME, 'names a channel, and a webhook writes to its own: leave the channel out');
  }
  if (tokens.length < 3 || !tokens.every((token) => /^[A-Za-z0-9]+$/.test(token))) {
    throw addressError(
      NAME,
      "is not of the form slack://A/B/C: copy the webhook's URL from the settings of the Slack app",
    );
  }
  return tokens;
}

function tokenParts({ scheme, user, password, hostname }: Address, parts: string[]): string[] {
  if (scheme !== 'slack') return parts.slice(1);
  return hostname === 'webhook' && user === 'hook' ? password.split('-') : [hostname, ...parts];
}

/**
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: plain text in blocks, so that nothing in it
 * is markup; `text` is what a phone shows.
 */
function slackRequest(url: string, { level, title, body }: Message): HttpRequest {
  const head = `${SIGNS[level]} ${title}`;
  const text = (most: number, content: string) => {
    return { type: 'plain_text', emoji: false, text: fitted(content, { most, written: escaped }) };
  };
  return {
    url,
    body: {
      json: {
        text: fitted(head, { most: MOST_SECTION_CHARACTERS, written: escaped }),
        mrkdwn: false,
        unfurl_links: false,
        unfurl_media: false,
        blocks: [
          { type: 'header', text: text(MOST_HEADER_CHARACTERS, head) },
          { type: 'section', text: text(MOST_SECTION_CHARACTERS, body) },
        ],
      },
    },
  };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** https://docs.slack.dev/messaging/formatting-message-text#escaping: mentions and links begin with a <. */
function escaped(character: string): string {
  return ENTITIES[character] ?? character;
}

const FAULTS: Readonly<Record<string, string>> = {
  no_service: 'has removed or switched off this webhook: make a new one',
  no_service_id: 'does not know this webhook: copy its URL again',
  no_team: 'does not know the workspace of this webhook: copy its URL again',
  team_disabled: 'has switched off the workspace of this webhook',
  invalid_token: 'does not accept the token of this webhook: copy its URL again',
  channel_not_found: 'does not find the channel of this webhook: make a new one',
  channel_is_archived: "has archived this webhook's channel: make a webhook for another one",
  action_prohibited: "does not let this webhook write: an administrator's rule forbids it",
  posting_to_general_channel_denied: 'does not let this webhook write to the general channel',
};

function faultIn({ status, text }: HttpAnswer): string | undefined {
  return status >= 400 ? FAULTS[text.trim()] : undefined;
}

import type { Format } from './page.ts';

/** All that is known of a conversation, for programs. */
export const json: Format = {
  extension: '.json',
  render({ conversation, readable, linkTo }) {
    const { account, id, presence, firstSeen, lastSeen } = conversation;
    const withLinks = (_key: string, value: unknown) =>
      isAsset(value) ? { id: value.id, name: value.name, type: value.type.mime, path: linkTo(value) ?? null } : value;
    return `${JSON.stringify({ account, presence, firstSeen, lastSeen, ...readable, id }, withLinks, 2)}\n`;
  },
};

type Linked = Parameters<Parameters<Format['render']>[0]['linkTo']>[0];

function isAsset(value: unknown): value is Linked {
  return typeof value === 'object' && value !== null && 'type' in value && 'file' in value && 'name' in value;
}

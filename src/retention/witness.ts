import { identityOf, isSound, type SnapshotPlace } from '../snapshot/index.ts';
import type { ContentReader } from './contents.ts';
import { areConversationsSound } from './inventories.ts';
import type { Witness } from './plan.ts';

/** Believes what was written down when the snapshots were made: enough to show what would go. */
export function writtenWitness(reader: ContentReader): Witness {
  return { contentsOf: (snapshot) => reader.read(snapshot), holds: async () => true };
}

/**
 * Believes its eyes only: before something is deleted, what stays for it is read and found sound. Nothing is read twice,
 * and a file that both snapshots share needs no reading: deleting one of its names takes nothing away.
 */
export function readingWitness(reader: ContentReader, signal: AbortSignal): Witness {
  const sound = new Map<string, Promise<boolean>>();
  const once = (key: string, look: () => Promise<boolean>): Promise<boolean> => {
    const known = sound.get(key) ?? look();
    sound.set(key, known);
    return known;
  };
  const hasSoundConversations = (snapshot: SnapshotPlace) =>
    once(snapshot.id, () => areConversationsSound(snapshot, signal));
  return {
    async contentsOf(snapshot) {
      const contents = await reader.read(snapshot);
      return contents !== undefined && (await hasSoundConversations(snapshot)) ? contents : undefined;
    },
    async holds(file, content, own) {
      const [identity, ownIdentity] = [await identityOf(file), await identityOf(own)];
      if (identity === undefined) return false;
      return identity === ownIdentity || once(identity, () => isSound(file, content, signal));
    },
  };
}

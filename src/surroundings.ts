import { compareInventoriesApart, takeStockApart } from './chatgpt/index.ts';
import type { CompareStock } from './comparing.ts';
import type { Config, MailboxConfig } from './config/index.ts';
import { createTransport, type DownloadPlace, type Transport } from './download/index.ts';
import { type Clock, type Random, systemClock } from './lib/clock.ts';
import type { Secret } from './lib/secret.ts';
import { type ConnectMailbox, imapConnector, type SignIn } from './mailbox/index.ts';
import { createTxtResolver, type ResolveTxt } from './notice/index.ts';
import { type HeartbeatAddress, openHeartbeat, parseAddress, type Service } from './notify/index.ts';
import type { TakeStock } from './retention/index.ts';

/** What lies around Chatkeep: time, chance, networks, other processes. Handed in, so that months can be tried in seconds. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** The way to where exports come from. */
  openTransport(places: readonly DownloadPlace[], config: Config): Promise<Transport>;
  /** The way to a mailbox. */
  mailboxConnector(mailbox: MailboxConfig, signIn: SignIn): ConnectMailbox;
  txtResolver(config: Config): ResolveTxt;
  /** The ways to people: what a notification address stands for. */
  openServices(address: Secret): Service[];
  /** The way to a machine that watches over this one: what a heartbeat address stands for. */
  openHeartbeat(address: Secret): HeartbeatAddress;
  /** Reads what is in an unpacked export. */
  readonly takeStock: TakeStock;
  /** Compares what is in two of them. */
  readonly compareStock: CompareStock;
}

/** The world as it is. */
export const realSurroundings: Surroundings = {
  clock: systemClock,
  random: Math.random,
  openTransport: (places, { download }) => createTransport({ places, caFile: download.caFile }),
  mailboxConnector: (mailbox, signIn) => imapConnector(mailbox, { signIn }),
  txtResolver: ({ notices }) => createTxtResolver([...notices.dnsServers]),
  openServices: parseAddress,
  openHeartbeat,
  takeStock: takeStockApart,
  compareStock: compareInventoriesApart,
};

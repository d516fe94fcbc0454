import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A cable to what might be another machine; it can be cut: packets are dropped then, without a word. */
export interface Cable extends AsyncDisposable {
  /** Of the far end. */
  readonly address: string;
  /** What a command line begins with that is to run at the far end. */
  readonly command: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** An address that leads to this machine for as long as it is held, and that nobody else has. */
export interface BorrowedAddress extends AsyncDisposable {
  readonly address: string;
}

/**
 * Gives this machine an address that counts as one of the public internet: of 3ffe::/16, which went back to the IANA for
 * good (RFC 3701). Needs root and iproute2.
 */
export function borrowPublicAddress(): Promise<BorrowedAddress> {
  return borrow('3ffe');
}

/** Gives this machine one more private address (RFC 4193). Needs root and iproute2. */
export function borrowPrivateAddress(): Promise<BorrowedAddress> {
  return borrow('fd99');
}

async function borrow(firstGroup: string): Promise<BorrowedAddress> {
  const groups = Array.from({ length: 7 }, () => Math.floor(Math.random() * 0xffff + 1).toString(16));
  const address = [firstGroup, ...groups].join(':');
  await run('/usr/sbin/ip', ['address', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
  return {
    address,
    async [Symbol.asyncDispose]() {
      await run('/usr/sbin/ip', ['address', 'del', `${address}/128`, 'dev', 'lo']);
    },
  };
}

/** Lays a cable between this machine and a network namespace of its own. Needs root, iproute2 and iptables. */
export async function layCable(): Promise<Cable> {
  const name = uniqueName();
  const third = 1 + Math.floor(Math.random() * 250);
  const fourth = 4 * Math.floor(Math.random() * 60);
  const [here, there] = [`10.213.${third}.${fourth + 1}`, `10.213.${third}.${fourth + 2}`];
  const ip = (...args: string[]) => run('/usr/sbin/ip', args);
  const inside = (...args: string[]) => run('/usr/sbin/ip', ['netns', 'exec', name, ...args]);
  await ip('netns', 'add', name);
  await ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
  await ip('address', 'add', `${here}/30`, 'dev', `${name}a`);
  await ip('link', 'set', `${name}a`, 'up');
  await inside('/usr/sbin/ip', 'address', 'add', `${there}/30`, 'dev', `${name}b`);
  await inside('/usr/sbin/ip', 'link', 'set', `${name}b`, 'up');
  await inside('/usr/sbin/ip', 'link', 'set', 'lo', 'up');
  return {
    address: there,
    command: ['/usr/sbin/ip', 'netns', 'exec', name],
    cut: async () => {
      await inside('/usr/sbin/iptables', '-I', 'INPUT', '-j', 'DROP');
      await inside('/usr/sbin/iptables', '-I', 'OUTPUT', '-j', 'DROP');
    },
    mend: async () => {
      await inside('/usr/sbin/iptables', '-F');
    },
    async [Symbol.asyncDispose]() {
      await ip('netns', 'del', name);
    },
  };
}

/** A network of its own, with nothing but a loopback interface, in which processes can be run. */
export interface Island extends AsyncDisposable {
  /** What a command line begins with that is to run there. */
  readonly command: readonly string[];
}

export interface IslandOptions {
  /** What the system may hold of a connection, on its way out and on its way in, each; else as the machine has it. */
  readonly socketBytes?: number;
  /** The share of packets that are lost. */
  readonly loss?: number;
}

/** Makes an island. Needs root, iproute2 and iptables. */
export async function openIsland({ socketBytes, loss }: IslandOptions = {}): Promise<Island> {
  const name = uniqueName();
  const ip = (...args: string[]) => run('/usr/sbin/ip', args);
  const inside = (...args: string[]) => ip('netns', 'exec', name, ...args);
  await ip('netns', 'add', name);
  await inside('/usr/sbin/ip', 'link', 'set', 'lo', 'up');
  if (socketBytes !== undefined) {
    // Several packets have to fit in.
    await inside('/usr/sbin/ip', 'link', 'set', 'lo', 'mtu', '9000');
    for (const way of ['rmem', 'wmem']) {
      await inside('/usr/sbin/sysctl', '-q', '-w', `net.ipv4.tcp_${way}=4096 ${socketBytes / 2} ${socketBytes}`);
    }
  }
  if (loss !== undefined) {
    const rule = ['INPUT', '-p', 'tcp', '-m', 'statistic', '--mode', 'random', '--probability', String(loss)];
    await inside('/usr/sbin/iptables', '-A', ...rule, '-j', 'DROP');
  }
  return {
    command: ['/usr/sbin/ip', 'netns', 'exec', name],
    async [Symbol.asyncDispose]() {
      await ip('netns', 'del', name);
    },
  };
}

/** At most 12 characters: the names of interfaces are made of it. */
function uniqueName(): string {
  return `ck${process.pid.toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`.slice(0, 12);
}

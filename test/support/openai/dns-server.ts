import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type OptAnswer, type Packet } from 'dns-packet';

/** One resource record. */
export type DnsRecord = Exclude<Answer, OptAnswer>;

/** `up` answers; `servfail` says that it cannot (RFC 1035 RCODE 2); `down` never answers. */
export type DnsMode = 'up' | 'servfail' | 'down';

/** A DNS server on UDP, authoritative for every name: what it does not hold does not exist (NXDOMAIN). */
export interface DnsServer {
  /** `ADDRESS:PORT`, as `dns.Resolver.setServers` takes it. */
  readonly address: string;
  mode: DnsMode;
  /** The questions that came in, in order, whatever the mode: `TXT s1._domainkey.example.com`. */
  readonly queries: readonly string[];
  /** Puts one TXT record at `name` in the place of those that were there. */
  setTxt(name: string, value: string): void;
  /** Puts a record in the place of those of the same name and type. */
  set(record: DnsRecord): void;
  /** Puts a record beside those of the same name and type. */
  add(record: DnsRecord): void;
  /** The next question for this name and type is answered with this record alone, and those after it as before. */
  setOnce(record: DnsRecord): void;
  /** Takes every record of `name` away. */
  remove(name: string): void;
  /** Frees the port; a second call waits for the first. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a DNS server starts out. */
export interface DnsServerOptions {
  readonly records?: readonly DnsRecord[];
  /** Address to listen on; else 127.0.0.1. */
  readonly host?: string;
  /** Else one of the system's choosing. */
  readonly port?: number;
}

const RCODE = { noError: 0, servfail: 2, nxdomain: 3 } as const;
/** A character-string of a TXT record holds no more (RFC 1035 section 3.3). */
const CHARACTER_STRING_BYTES = 255;
const TTL_SECONDS = 60;
/** A CNAME may lead to a CNAME; a circle ends here. */
const LONGEST_CNAME_CHAIN = 8;

/** Starts a DNS server. */
export async function startDnsServer({
  records = [],
  host = '127.0.0.1',
  port = 0,
}: DnsServerOptions = {}): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const zone = new Zone();
  for (const record of records) zone.add(record);
  const queries: string[] = [];
  let closing: Promise<void> | undefined;

  const server: DnsServer = {
    get address() {
      return `${host}:${socket.address().port}`;
    },
    mode: 'up',
    queries,
    setTxt: (name, value) => zone.set({ type: 'TXT', name, ttl: TTL_SECONDS, data: characterStrings(value) }),
    set: (record) => zone.set(record),
    add: (record) => zone.add(record),
    setOnce: (record) => zone.setOnce(record),
    remove: (name) => zone.remove(name),
    close() {
      closing ??= new Promise((resolve) => socket.close(resolve));
      return closing;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };

  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const query = decode(message);
    queries.push(...(query.questions ?? []).map(({ type, name }) => `${type} ${name}`));
    if (server.mode === 'down') return;
    const reply = server.mode === 'servfail' ? response(query, RCODE.servfail, []) : zone.reply(query);
    socket.send(encode(reply), from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return server;
}

/** The records of every name, names compared without case (RFC 4343). */
class Zone {
  readonly #records = new Map<string, DnsRecord[]>();
  readonly #once: DnsRecord[] = [];

  add(record: DnsRecord): void {
    this.#records.set(keyOf(record.name), [...this.#at(record.name), record]);
  }

  set(record: DnsRecord): void {
    const others = this.#at(record.name).filter(({ type }) => type !== record.type);
    this.#records.set(keyOf(record.name), [...others, record]);
  }

  setOnce(record: DnsRecord): void {
    this.#once.push(record);
  }

  remove(name: string): void {
    this.#records.delete(keyOf(name));
  }

  reply(query: Packet): Packet {
    const question = query.questions?.[0];
    if (question === undefined) return response(query, RCODE.noError, []);
    const once = this.#once.findIndex(
      ({ name, type }) => keyOf(name) === keyOf(question.name) && type === question.type,
    );
    if (once !== -1) return response(query, RCODE.noError, this.#once.splice(once, 1));
    const known = this.#records.has(keyOf(question.name));
    return response(query, known ? RCODE.noError : RCODE.nxdomain, this.#answers(question.name, question.type));
  }

  /** The records asked for, and the aliases that lead to them (RFC 1034 section 3.6.2). */
  #answers(name: string, type: string, chain = 0): DnsRecord[] {
    const here = this.#at(name);
    const wanted = here.filter((record) => record.type === type);
    const alias = here.find((record) => record.type === 'CNAME');
    if (wanted.length > 0 || alias === undefined || chain === LONGEST_CNAME_CHAIN) return wanted;
    return [alias, ...this.#answers(String(alias.data), type, chain + 1)];
  }

  #at(name: string): DnsRecord[] {
    return this.#records.get(keyOf(name)) ?? [];
  }
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function response(query: Packet, rcode: number, answers: DnsRecord[]): Packet {
  return {
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: AUTHORITATIVE_ANSWER | rcode,
    questions: query.questions,
    answers,
  };
}

function characterStrings(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const count = Math.max(1, Math.ceil(bytes.length / CHARACTER_STRING_BYTES));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * CHARACTER_STRING_BYTES, (index + 1) * CHARACTER_STRING_BYTES),
  );
}

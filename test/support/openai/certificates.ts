import { createHash, generateKeyPair, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import ipaddr from 'ipaddr.js';
import { DAY_MS, HOUR_MS } from '../../../src/lib/clock.ts';
import * as der from './der.ts';

/** A certificate and its private key (PKCS#8), both as PEM. */
export interface IssuedCertificate {
  readonly keyPem: string;
  readonly certPem: string;
}

/** A certificate authority of one's own, alive as long as the object is. */
export interface Authority {
  /** The root certificate, for clients to trust. */
  readonly certPem: string;
  /** A server certificate for these DNS names and IP addresses, valid for 30 days from an hour ago. */
  issue(options: { readonly hosts: readonly string[] }): Promise<IssuedCertificate>;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const AUTHORITY_NAME = 'Chatkeep test authority';
const LIFETIME_MS = 30 * DAY_MS;

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/**
 * Makes a new root with which server certificates can be issued: ECDSA P-256 with SHA-256, in the profile of RFC 5280.
 * Nothing but Node.js is needed, so that it works wherever the tests and the demo do.
 */
export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys();
  const root = certificate({
    subject: AUTHORITY_NAME,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      critical(OID.basicConstraints, der.sequence(der.yes(), der.integer(Buffer.of(0)))),
      critical(OID.keyUsage, KEY_USAGE.keyCertSignAndCrlSign),
      extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(keys.publicKey))),
    ],
  });
  return { certPem: root, issue: ({ hosts }) => issue(keys, hosts) };
}

async function issue(authority: KeyPair, hosts: readonly string[]): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const certPem = certificate({
    subject: hosts[0] ?? 'no name',
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      critical(OID.basicConstraints, der.sequence()),
      critical(OID.keyUsage, KEY_USAGE.digitalSignature),
      extension(OID.extendedKeyUsage, der.sequence(der.oid(OID.serverAuth))),
      extension(OID.subjectAltName, der.sequence(...hosts.map(generalName))),
      extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(keys.publicKey))),
      extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(authority.publicKey)))),
    ],
  });
  return { certPem, keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Bits counted from the left (RFC 5280 section 4.2.1.3): digitalSignature is 0, keyCertSign 5, cRLSign 6. */
const KEY_USAGE = {
  digitalSignature: der.bitString(Buffer.of(0b1000_0000), 7),
  keyCertSignAndCrlSign: der.bitString(Buffer.of(0b0000_0110), 1),
} as const;

const SIGNATURE_ALGORITHM = der.sequence(der.oid(OID.ecdsaWithSha256));
const VERSION_3 = der.explicit(0, der.integer(Buffer.of(2)));
const SERIAL_BYTES = 16;

interface CertificateParts {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly extensions: Buffer[];
}

/** A certificate of RFC 5280 section 4.1, as PEM, issued by the authority. */
function certificate({ subject, publicKey, signingKey, extensions }: CertificateParts): string {
  const toBeSigned = der.sequence(
    VERSION_3,
    der.integer(Buffer.concat([Buffer.of(1), randomBytes(SERIAL_BYTES - 1)])),
    SIGNATURE_ALGORITHM,
    name(AUTHORITY_NAME),
    validity(),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, signingKey);
  return new X509Certificate(der.sequence(toBeSigned, SIGNATURE_ALGORITHM, der.bitString(signature))).toString();
}

function generateKeys(): Promise<KeyPair> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

function name(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.utf8String(commonName))));
}

/** It began an hour ago, so that a clock a little behind (a container's, a virtual machine's) takes it. */
function validity(): Buffer {
  const notBefore = Date.now() - HOUR_MS;
  return der.sequence(der.utcTime(notBefore), der.utcTime(notBefore + LIFETIME_MS));
}

function extension(id: string, value: Buffer): Buffer {
  return der.sequence(der.oid(id), der.octetString(value));
}

function critical(id: string, value: Buffer): Buffer {
  return der.sequence(der.oid(id), der.yes(), der.octetString(value));
}

/** A DNS name (tag 2) or an IP address (tag 7) of a subjectAltName (RFC 5280 section 4.2.1.6). */
function generalName(host: string): Buffer {
  return isIP(host) === 0
    ? der.implicit(2, Buffer.from(host))
    : der.implicit(7, Buffer.from(ipaddr.parse(host).toByteArray()));
}

/** Any function of the key serves (RFC 5280 section 4.2.1.2). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

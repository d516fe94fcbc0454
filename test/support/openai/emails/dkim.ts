import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';

/** The sender's domain and selector since 2025. */
export const DKIM_DOMAIN = 'tm.openai.com';
export const DKIM_SELECTOR = 's1';

/** A key pair to sign test mail with. */
export interface DkimKey {
  /** PKCS #8, PEM. */
  readonly privateKeyPem: string;
  /** The TXT record that publishes the public key (RFC 6376 section 3.6.1); longer than one DNS string of 255 bytes. */
  readonly dnsTxt: string;
}

/** One signature to be made. */
export interface DkimSignature {
  readonly privateKeyPem: string;
  /** `d=`; tm.openai.com unless told. */
  readonly domain?: string;
  /** `s=`; s1 unless told. */
  readonly selector?: string;
  /** `l=`: only so many bytes of the body are signed. */
  readonly bodyLength?: number;
  /** `x=` */
  readonly expires?: Date;
}

/** A fresh RSA key of 2048 bits. */
export function createDkimKey(): DkimKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    dnsTxt: `v=DKIM1; k=rsa; p=${publicDer.toString('base64')}`,
  };
}

/** The DNS name of a key's record: `s1._domainkey.tm.openai.com`. */
export function dkimRecordName(domain = DKIM_DOMAIN, selector = DKIM_SELECTOR): string {
  return `${selector}._domainkey.${domain}`;
}

/**
 * The message with the signatures before it (RFC 6376), the first one on top.
 *
 * @throws Error if a signature cannot be made
 */
export async function signed(message: Buffer, signatures: readonly DkimSignature[], signTime: Date): Promise<Buffer> {
  const headers = await Promise.all(signatures.map((signature) => signatureHeader(message, signature, signTime)));
  return Buffer.concat([Buffer.from(headers.join('')), message]);
}

async function signatureHeader(message: Buffer, signature: DkimSignature, signTime: Date): Promise<string> {
  const { signatures, errors } = await dkimSign(message, {
    signingDomain: signature.domain ?? DKIM_DOMAIN,
    selector: signature.selector ?? DKIM_SELECTOR,
    privateKey: signature.privateKeyPem,
    canonicalization: 'relaxed/relaxed',
    signTime,
    ...(signature.expires === undefined ? {} : { expires: signature.expires }),
    signatureData: [
      {
        signingDomain: signature.domain ?? DKIM_DOMAIN,
        selector: signature.selector ?? DKIM_SELECTOR,
        privateKey: signature.privateKeyPem,
        ...(signature.bodyLength === undefined ? {} : { maxBodyLength: signature.bodyLength }),
      },
    ],
  });
  const [error] = errors;
  if (error !== undefined) throw error.err;
  return signatures;
}

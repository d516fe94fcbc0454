import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { connect, createServer, rootCertificates } from 'node:tls';
import { type Authority, createAuthority, type IssuedCertificate } from './certificates.ts';

describe('the certificate authority', () => {
  it('issues certificates for names and addresses', async () => {
    const authority = await createAuthority();
    const { certPem } = await authority.issue({ hosts: ['localhost', '127.0.0.1', '::1'] });
    const certificate = new X509Certificate(certPem);
    assert.ok(certificate.checkHost('localhost'));
    assert.ok(certificate.checkIP('127.0.0.1'));
    assert.ok(certificate.checkIP('::1'));
    assert.equal(certificate.checkHost('example.com'), undefined);
  });

  it('signs them, and is a certificate authority where they are not', async () => {
    const authority = await createAuthority();
    const root = new X509Certificate(authority.certPem);
    const issued = new X509Certificate((await authority.issue({ hosts: ['localhost'] })).certPem);
    assert.ok(issued.checkIssued(root));
    assert.ok(issued.verify(root.publicKey));
    assert.deepEqual([root.ca, issued.ca], [true, false]);
    assert.deepEqual(issued.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('gives each its own serial number and a PKCS#8 key that fits', async () => {
    const authority = await createAuthority();
    const first = await authority.issue({ hosts: ['localhost'] });
    const second = await authority.issue({ hosts: ['localhost'] });
    assert.match(first.keyPem, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.ok(new X509Certificate(first.certPem).checkPrivateKey(createPrivateKey(first.keyPem)));
    assert.notEqual(new X509Certificate(first.certPem).serialNumber, new X509Certificate(second.certPem).serialNumber);
  });

  it('is valid now', async () => {
    const { certPem } = await createAuthority();
    const { validFromDate, validToDate } = new X509Certificate(certPem);
    assert.ok(validFromDate.getTime() < Date.now() && Date.now() < validToDate.getTime());
  });

  it('is trusted by a TLS client that was handed its root, and by no other', async () => {
    const authority = await createAuthority();
    const issued = await authority.issue({ hosts: ['localhost'] });
    assert.equal(await handshake(issued, [authority.certPem]), 'trusted');
    assert.equal(await handshake(issued, [(await createAuthority()).certPem]), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    assert.equal(await handshake(issued, [...rootCertificates]), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});

async function handshake({ keyPem, certPem }: IssuedCertificate, ca: Authority['certPem'][]): Promise<string> {
  const server = createServer({ key: keyPem, cert: certPem }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const verdict = socket.authorized ? 'trusted' : String(socket.authorizationError);
  socket.destroy();
  server.close();
  await once(server, 'close');
  return verdict;
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback, isNearby } from '../../src/lib/loopback.ts';

describe('a host', () => {
  for (const host of ['localhost', 'LocalHost', '127.0.0.1', '127.255.255.254', '::1', '[::1]', '::ffff:127.0.0.1']) {
    it(`is this machine: ${host}`, () => assert(isLoopback(host)));
  }
  for (const host of ['', '0.0.0.0', '128.0.0.1', '192.168.0.1', '::', '::2', 'localhost.example.org', 'example.org']) {
    it(`is not known to be this machine: "${host}"`, () => assert(!isLoopback(host)));
  }

  const nearby = ['localhost', '127.0.0.1', '[::1]', 'browser', 'host.docker.internal', 'NAS.local', 'nas.home.arpa'];
  for (const host of [...nearby, '10.0.0.1', '172.31.0.1', '192.168.0.1', '169.254.0.1', '100.64.0.1', 'fd00::1']) {
    it(`is of a network around this machine: ${host}`, () => assert(isNearby(host)));
  }
  for (const host of [
    '1.1.1.1',
    '172.32.0.1',
    '::ffff:1.1.1.1',
    '2606:4700::1',
    'example.org',
    'local.example.org',
    '0.0.0.0',
  ]) {
    it(`may be far away: ${host}`, () => assert(!isNearby(host)));
  }
});

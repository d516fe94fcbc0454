import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback } from '../../src/lib/loopback.ts';

describe('a host', () => {
  for (const host of ['localhost', 'LocalHost', '127.0.0.1', '127.255.255.254', '::1', '[::1]', '::ffff:127.0.0.1']) {
    it(`is this machine: ${host}`, () => assert(isLoopback(host)));
  }
  for (const host of ['', '0.0.0.0', '128.0.0.1', '192.168.0.1', '::', '::2', 'localhost.example.org', 'example.org']) {
    it(`is not known to be this machine: "${host}"`, () => assert(!isLoopback(host)));
  }
});

/**
 * For `node --import`: random bytes that are the same in every run, so that temporary files have the same names, and a
 * call can be told by the path that it concerns.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

let drawn = 0;
crypto.randomBytes = ((size: number) =>
  crypto
    .createHash('shake256', { outputLength: size })
    .update(`draw ${drawn++}`)
    .digest()) as typeof crypto.randomBytes;
syncBuiltinESMExports();

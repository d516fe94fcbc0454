/** All tests of the image in one process: they share one engine and its images, and none waits for it beside another. */
import { after, before } from 'node:test';
import { takeEngine } from '../support/docker/engine.ts';
import './service.ts';
import './web-page.ts';
import './deployment.ts';
import './wrong-starts.ts';

let engine: AsyncDisposable;
before(async () => {
  engine = await takeEngine();
});
after(() => engine[Symbol.asyncDispose]());

/** Samples of what people are told, so that they can see how it will look at their service. */
export type { SampleSetting } from './examples.ts';
export { SAMPLES, type Sample, sampleNamed, sampleOf } from './samples.ts';

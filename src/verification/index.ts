/** Snapshots are read again and again, a part at a time, and people told of what is damaged. */
export { rememberSample, selectorOf, takeSample } from './sample.ts';

/** How things are, gathered and put into words, for every page that tells it. */
export { gatherStatus, type StatusSources } from './gather.ts';
export {
  type CaptureItem,
  captureItems,
  type Kept,
  type Named,
  type Overview,
  overviewOf,
  type Problem,
  type Status,
} from './overview.ts';

/** Which snapshots are kept: by a policy, and by what is in them. */
export { Inventories, type InventoriesOptions, type TakeStock } from './inventories.ts';
export { pruned } from './messages.ts';
export type { Decision } from './plan.ts';
export { FEWEST_KEPT, isKeepAll, KEEP_RULES, type KeepPolicy, type KeepRule } from './policy.ts';
export { type PruneOptions, type PrunePlan, planPruneOf, prune } from './prune.ts';
export { Pruner, type PrunerOptions } from './pruner.ts';
export { formatUnique, type Unique } from './unique.ts';

/** The factory by which a store gets a B+tree engine. */
import { EngineCode } from '@phantom/kv';
import type { EngineFactory } from '@phantom/store';
import { BtreeEngine } from './btree-engine.js';
import { type BtreeOptions, resolveOptions } from './options.js';
import { salvageBtree } from './salvage.js';
import { SharedTrees } from './shared-trees.js';

/** A B+tree for the spaces of EngineCode.Btree: `openStore(directory, { engines: [btree()] })`. */
export function btree(options: BtreeOptions = {}): EngineFactory {
  resolveOptions(options);
  return {
    code: EngineCode.Btree,
    name: 'btree',
    open: (context) => BtreeEngine.open(context, options),
    salvage: salvageBtree,
    attach: (context) => new SharedTrees(context),
  };
}

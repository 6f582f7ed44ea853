/** The factory by which a store gets an LSM-tree engine. */
import { EngineCode } from '@phantom/kv';
import type { EngineFactory } from '@phantom/store';
import { LsmEngine } from './lsm-engine.js';
import { type LsmOptions, resolveOptions } from './options.js';
import { salvageLsm } from './salvage.js';
import { SharedVersions } from './shared-versions.js';

/** An LSM-tree for the spaces of EngineCode.Lsm: `openStore(directory, { engines: [lsm()] })`. 22023 for bad options. */
export function lsm(options: LsmOptions = {}): EngineFactory {
  resolveOptions(options);
  return {
    code: EngineCode.Lsm,
    name: 'lsm',
    open: (context) => LsmEngine.open(context, options),
    salvage: salvageLsm,
    attach: (context) => new SharedVersions(context),
  };
}

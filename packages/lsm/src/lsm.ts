/** The factory by which a store gets an LSM-tree engine. */
import { EngineCode } from '@phantom/kv';
import { prepareLz4 } from '@phantom/runs';
import type { EngineFactory } from '@phantom/store';
import { LsmEngine } from './lsm-engine.js';
import { type LsmOptions, resolveOptions } from './options.js';
import { SharedVersions } from './shared-versions.js';

/** An LSM-tree for the spaces of EngineCode.Lsm: `openStore(directory, { engines: [lsm()] })`. 22023 for bad options. */
export function lsm(options: LsmOptions = {}): EngineFactory {
  const { compression, bottomCompression } = resolveOptions(options);
  return {
    code: EngineCode.Lsm,
    name: 'lsm',
    prepare: () => {
      if (compression === 'lz4' || bottomCompression === 'lz4') prepareLz4();
    },
    open: (context) => LsmEngine.open(context, options),
    attach: (context) => new SharedVersions(context),
  };
}

import { describe, it } from 'vitest';
import { EngineCode } from '../src/index.js';
import { MemoryEngine } from '../src/memory.js';
import { engineConformance } from '../src/testing/index.js';

engineConformance({
  name: 'memory',
  code: EngineCode.Memory,
  open: () => Promise.resolve(new MemoryEngine()),
  describe,
  it,
});

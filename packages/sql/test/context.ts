/** An evaluation context for tests of types and functions: fixed clock, UTC unless said otherwise. */
import type { EvaluationContext } from '../src/functions/registry.js';
import { builtinTypeCatalog } from '../src/types/type-catalog.js';

/** 2024-02-29 12:34:56.789012 UTC. */
const NO_LOCKS: EvaluationContext['advisory'] = {
  lock: () => true,
  unlock: () => false,
  unlockAll: () => undefined,
  sleep: () => undefined,
};

const NO_ROUTINES: EvaluationContext['routines'] = {
  *execute() {
    return null;
  },
  call: () => null,
  rows: () => [],
  triggerDepth: 0,
};

const NO_BYTES = new Uint8Array(0);
const NO_LARGE_OBJECTS: EvaluationContext['largeObjects'] = {
  create: (oid) => oid,
  fromBytes: (oid) => oid,
  open: () => 0,
  close: () => 0,
  read: () => NO_BYTES,
  write: () => 0,
  seek: () => 0,
  tell: () => 0,
  truncate: () => 0,
  unlink: () => 1,
  get: () => NO_BYTES,
  put: () => undefined,
  refuseFiles: (name) => {
    throw new Error(name);
  },
  comment: () => null,
};

export const NOW_MICROS = 762525296789012;

export function testContext(overrides: Partial<EvaluationContext> = {}): EvaluationContext {
  return {
    timeZone: 'UTC',
    dateStyle: 'ISO',
    dateOrder: 'MDY',
    intervalStyle: 'postgres',
    byteaOutput: 'hex',
    xmlOption: 'content',
    extraFloatDigits: 1,
    transactionMicros: NOW_MICROS,
    statementMicros: NOW_MICROS,
    types: builtinTypeCatalog,
    clockMicros: () => NOW_MICROS,
    random: () => 0.5,
    filesReadMicros: undefined,
    reloadServer: () => false,
    seedRandom: () => undefined,
    advisory: NO_LOCKS,
    routines: NO_ROUTINES,
    largeObjects: NO_LARGE_OBJECTS,
    *callElsewhere(call, args) {
      return call.here(args, this);
    },
    backendPid: 1,
    connection: undefined,
    signalBackend: () => false,
    createRestorePoint: () => 1,
    exportSnapshot: () => '',
    resetStatements: () => undefined,
    transactionId: 1,
    sequenceRow: () => ({ lastValue: 1, isCalled: false, reservedCount: 0 }),
    cursorKey: () => new Uint8Array(0),
    currentUser: 'alice',
    sessionUser: 'alice',
    currentDatabase: 'shop',
    currentSchema: 'public',
    searchPath: ['pg_catalog', 'public'],
    notifier: { processId: 1, notify: () => undefined, listening: () => [] },
    setting: (name) => (name === 'client_encoding' ? 'UTF8' : `value of ${name}`),
    setSetting: (_name, value) => value,
    sequence: () => 1,
    catalog: undefined,
    ...overrides,
  };
}

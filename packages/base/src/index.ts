/** @phantom/base: bytes, checksums, errors, clock, random, and the ports for metrics, traces, logs and scratch files. */
export { AssertionError, assert, unreachable } from './assert.js';
export { ByteReader } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export {
  commonPrefixBytes,
  compareBytes,
  compareKeys,
  copyBytes,
  discriminator,
  equalBytes,
  readU16,
  readU32,
  readU32BE,
  readU64,
  readVarint,
  safeU64,
  toHex,
  varintBytes,
  writeU16,
  writeU32,
  writeU32BE,
  writeU64,
  writeVarint,
} from './bytes.js';
export { type Checksums, loadChecksums } from './checksum.js';
export { type Clock, ManualClock, systemClock } from './clock.js';
export {
  type ErrorFamily,
  type ErrorFields,
  INSPECT,
  PhantomError,
  SqlState,
  corruptionError,
  familyOf,
  ioError,
  isPhantomError,
  isCorruption,
  isShortage,
  outcomeUnknownError,
  unsupportedError,
} from './errors.js';
export {
  IDENTITY_BYTES,
  type Identity,
  foreignFileError,
  identityText,
  newIdentity,
  readIdentity,
  sameIdentity,
} from './identity.js';
export { EntryFile, EntryFileReader } from './entry-file.js';
export { type LogFields, type Logger, silentLogger } from './log.js';
export {
  type Counter,
  type Gauge,
  type Histogram,
  type MetricSample,
  type Metrics,
  MetricsRegistry,
} from './metrics.js';
export { turnOneBit } from './one-bit.js';
export { type OptionNames, checkOptions, optionNames } from './option-names.js';
export { Random } from './random.js';
export type { Scratch, ScratchFile } from './scratch.js';
export { SpareMemory } from './spare-memory.js';
export { ThreadPriority, helpersStandBack, standBack } from './thread-priority.js';
export {
  type AttributeValue,
  type Span,
  type SpanAttributes,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type TraceContext,
  type Tracer,
  childSpan,
  contextOf,
  failSpan,
  remoteSpan,
  rootSpan,
  spanOf,
  traced,
  tracedSteps,
} from './tracing.js';
export { SLICE_MS, eventLoop } from './turn.js';
export { MemoryBudget, type MemoryHolder, MemoryPool, MemoryShare } from './working-memory.js';

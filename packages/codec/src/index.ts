/** @phantom/codec: values that JavaScript lacks, and the bytes of keys, rows and documents. */
export { codeGenerationAllowed } from './code-generation.js';
export { POWERS_OF_TEN, bigPowerOfTen, canonicalInteger, digitsOf, divideRounded } from './decimal-digits.js';
export {
  decimalExp,
  decimalLn,
  decimalLnTo,
  decimalLog,
  decimalPower,
  decimalSqrt,
  decimalSqrtTo,
  integerSquareRoot,
} from './decimal-math.js';
export {
  DECIMAL_DIGITS_MAX,
  DECIMAL_RESULT_SCALE_MAX,
  DECIMAL_SCALE_MAX,
  DECIMAL_SIGNIFICANT_MIN,
  Decimal,
  decimalLeadingDigit,
  decimalWeight,
  divisionScale,
} from './decimal.js';
export { type DocumentCopier, copierOf } from './document-copier.js';
export { DocumentDecoder } from './document-decoder.js';
export { type DocumentRules, DocumentEncoder } from './document-encoder.js';
export { DOCUMENT_DEPTH_MAX, type NodeKind } from './document-format.js';
export { FieldPlaces, readPlaces, writePatched } from './document-patch.js';
export {
  type DocumentValue,
  arrayElement,
  eachStructure,
  entryKey,
  entryStart,
  entryValue,
  nodeCount,
  nodeEnd,
  nodeKind,
  nodeText,
  nodeValue,
  objectField,
  scalarValue,
} from './document-reader.js';
export {
  type DocumentStructure,
  STRUCTURE_NAME_BYTES,
  type StructureStore,
  defineStructure,
  missingStructure,
  structureName,
} from './document-structure.js';
export { ObjectId, Uuid, newObjectId } from './document-values.js';
export { type DocumentWriteOptions, compareObjectKeys, writeNode, writeRawNode } from './document-writer.js';
export { Interval, MICROS_PER_DAY, MICROS_PER_SECOND, TimeTz } from './interval.js';
export { Jsonb } from './jsonb.js';
export { appendKeyDocument, appendKeyPlain } from './document-key.js';
export {
  KeyReader,
  appendKeyBytes,
  appendKeyDecimal,
  appendKeyFloat,
  appendKeyInteger,
  appendKeyText,
} from './key-bytes.js';
export {
  type EncodedRange,
  type KeyBound,
  type KeyCode,
  type KeyColumn,
  exactKey,
  hasKey,
  keyCode,
  keyPrefixEnd,
} from './keycode.js';
export { KEPT, type RowCodec, rowCodec, writeVariableHead } from './row-codec.js';
export {
  ROW_BITMAP_OFFSET,
  ROW_COLUMNS_MAX,
  ROW_VERSION_MAX,
  ROW_WIDE,
  type RowLayout,
  checkRow,
  isNullColumn,
  rowLayout,
  rowVersion,
  variableEnd,
  variableStart,
} from './row-layout.js';
export { isTextAmong, isTextHeadedBy, isTextOfPieces } from './row-text.js';
export { type RowSourceNames, columnSource, isNullSource, readHelpers } from './row-source.js';
export {
  type EnumLabels,
  type RecordStorage,
  StorageKind,
  type StorageType,
  corruptValue,
  fixedBytes,
} from './storage.js';
export { TextBytes, compareText, readUtf8, utf8Bytes, utf8BytesMax, writeUtf8 } from './text-bytes.js';
export { appendValue, readValue } from './value-codec.js';
export { Json, type RecordShape, SqlArray, SqlMultirange, SqlRange, SqlRecord } from './value.js';

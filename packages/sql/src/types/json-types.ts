/** json (text, checked) and jsonb (a document). */
import { PhantomError } from '@phantom/base';
import { Json, Jsonb, StorageKind } from '@phantom/codec';
import { builtinType } from './base-type.js';
import { compareJsonb, jsonbKey } from './json-order.js';
import { checkJson, formatJson, parseJson } from './json-text.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { getText, putText } from './wire.js';

export const jsonType: SqlType = builtinType<Json>(TypeOid.json, {
  storage: { kind: StorageKind.Json },
  input: (text) => {
    checkJson(text);
    return new Json(text);
  },
  output: (value) => value.text,
  compare: undefined,
});

/** Version byte of jsonb's binary form. */
const JSONB_VERSION = 1;

export const jsonbType: SqlType = builtinType<Jsonb>(TypeOid.jsonb, {
  storage: { kind: StorageKind.Jsonb },
  input: (text) => Jsonb.of(parseJson(text)),
  output: (value) => formatJson(value.value()),
  receive: (bytes, start, end) => {
    if (bytes[start] !== JSONB_VERSION || start >= end) {
      throw new PhantomError('XX000', `unsupported jsonb version number ${bytes[start] ?? 0}`, { family: 'input' });
    }
    return Jsonb.of(parseJson(getText(bytes, start + 1, end)));
  },
  send: (value, writer) => {
    writer.u8(JSONB_VERSION);
    putText(writer, formatJson(value.value()));
  },
  compare: compareJsonb,
  hashKey: jsonbKey,
});

export const jsonTypes: readonly SqlType[] = [jsonType, jsonbType];

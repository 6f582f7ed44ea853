/** jsonpath: a path of the SQL/JSON language, kept as the text that PostgreSQL shows it by. */
import { formatJsonPath } from '../functions/jsonpath/path-text.js';
import { parseJsonPath } from '../functions/jsonpath/path-syntax.js';
import { TEXT_STORAGE, builtinType } from './base-type.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { getText, putText } from './wire.js';

const VERSION = 1;

export const jsonpathType: SqlType = builtinType<string>(TypeOid.jsonpath, {
  storage: TEXT_STORAGE,
  input: (text) => formatJsonPath(parseJsonPath(text)),
  receive: (bytes, start, end) => formatJsonPath(parseJsonPath(getText(bytes, start + 1, end))),
  send: (value, writer) => {
    writer.u8(VERSION);
    putText(writer, value);
  },
  compare: undefined,
});

/**
 * The messages of clients, read: one function for each, from a reader that is aimed at the body. All of them check the whole
 * message before anything is done with it: 08P01 for bytes that are missing or left over, 22021 for text that is not UTF-8.
 */
import { PhantomError } from '@phantom/base';
import type { MessageReader } from './message-reader.js';
import { Format, PROTOCOL_VIOLATION } from './protocol.js';

/** What Describe and Close name. */
export type NamedKind = 'statement' | 'portal';

export interface StartupMessage {
  /** Code or protocol version; see StartupCode. */
  readonly code: number;
  /** Only for a protocol version: names as they were sent. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Only for CancelRequest. */
  readonly processId: number;
  readonly secretKey: Uint8Array;
}

export interface ParseMessage {
  readonly statement: string;
  readonly text: string;
  /** Oids the client declares; 0 leaves a type open. */
  readonly parameterTypes: readonly number[];
}

/**
 * Bind is the hot one: one object is filled again and again. Values stay where they are: `valueStarts[i]` and `valueBytes[i]`
 * (-1: NULL) say where in the reader's buffer.
 */
export class BindMessage {
  portal = '';
  statement = '';
  valueCount = 0;
  readonly parameterFormats: number[] = [];
  readonly valueStarts: number[] = [];
  readonly valueBytes: number[] = [];
  readonly resultFormats: number[] = [];

  /** Format of a parameter: none given is text, one is for all. */
  parameterFormat(index: number): number {
    return formatAt(this.parameterFormats, index);
  }

  /** Format of a result column, likewise. */
  resultFormat(index: number): number {
    return formatAt(this.resultFormats, index);
  }
}

function formatAt(formats: readonly number[], index: number): number {
  if (formats.length === 0) return Format.Text;
  return formats.length === 1 ? (formats[0] as number) : (formats[index] as number);
}

export interface ExecuteMessage {
  readonly portal: string;
  /** 0: all rows. */
  readonly rowsMax: number;
}

export interface NamedMessage {
  readonly kind: NamedKind;
  readonly name: string;
}

export interface SaslInitialMessage {
  readonly mechanism: string;
  readonly response: string;
}

/** Places of values that are kept for the next Bind. */
const VALUES_KEPT_MAX = 1024;
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();
const NO_BYTES = new Uint8Array(0);
/** Bytes of a cancel key that a newer protocol may send. */
const CANCEL_KEY_BYTES_MAX = 256;

/** The first message of a connection. */
export function readStartup(reader: MessageReader): StartupMessage {
  const code = reader.i32();
  if (code >> 16 === 1234) {
    if (code !== 80877102) {
      reader.finish();
      return { code, parameters: NO_PARAMETERS, processId: 0, secretKey: NO_BYTES };
    }
    const processId = reader.i32();
    const bytes = reader.remaining;
    if (bytes < 4 || bytes > CANCEL_KEY_BYTES_MAX)
      throw new PhantomError(PROTOCOL_VIOLATION, 'invalid length of cancel request');
    const at = reader.skip(bytes);
    return { code, parameters: NO_PARAMETERS, processId, secretKey: reader.buffer.subarray(at, at + bytes) };
  }
  // Another major version may be laid out in any way.
  if (code >> 16 !== 3) return { code, parameters: NO_PARAMETERS, processId: 0, secretKey: NO_BYTES };
  const parameters = new Map<string, string>();
  for (;;) {
    const name = reader.string();
    if (name === '') break;
    parameters.set(name, reader.string());
  }
  reader.finish();
  return { code, parameters, processId: 0, secretKey: NO_BYTES };
}

export function readQuery(reader: MessageReader): string {
  const text = reader.string();
  reader.finish();
  return text;
}

export function readParse(reader: MessageReader): ParseMessage {
  const statement = reader.string();
  const text = reader.string();
  const count = reader.u16();
  const parameterTypes: number[] = [];
  for (let i = 0; i < count; i++) parameterTypes.push(reader.u32());
  reader.finish();
  return { statement, text, parameterTypes };
}

/** Fills `into`; its offsets are of the reader's buffer. */
export function readBind(reader: MessageReader, into: BindMessage): void {
  into.portal = reader.string();
  into.statement = reader.string(into.statement);
  readFormats(reader, into.parameterFormats);
  readValues(reader, into, 'bind', 'parameters');
  readFormats(reader, into.resultFormats);
  reader.finish();
}

/** The values of a message, behind the formats that they are in. */
function readValues(reader: MessageReader, into: BindMessage, message: string, what: string): void {
  const count = reader.u16();
  const { parameterFormats, valueStarts, valueBytes } = into;
  if (parameterFormats.length > 1 && parameterFormats.length !== count) {
    throw new PhantomError(
      PROTOCOL_VIOLATION,
      `${message} message has ${parameterFormats.length} ${what.slice(0, -1)} formats but ${count} ${what}`,
    );
  }
  into.valueCount = count;
  if (valueStarts.length > VALUES_KEPT_MAX) valueStarts.length = valueBytes.length = 0;
  for (let i = 0; i < count; i++) {
    const bytes = reader.i32();
    if (bytes < -1) throw new PhantomError(PROTOCOL_VIOLATION, `invalid length of a parameter in ${message} message`);
    valueBytes[i] = bytes;
    valueStarts[i] = bytes === -1 ? reader.at : reader.skip(bytes);
  }
}

/** The message of a function call: fills `into` with the arguments and the format of the result; the function's number. */
export function readFunctionCall(reader: MessageReader, into: BindMessage): number {
  const oid = reader.u32();
  into.portal = into.statement = '';
  readFormats(reader, into.parameterFormats);
  readValues(reader, into, 'function call', 'arguments');
  into.resultFormats.length = 1;
  into.resultFormats[0] = readFormat(reader);
  reader.finish();
  return oid;
}

function readFormats(reader: MessageReader, into: number[]): void {
  const count = reader.u16();
  // To set a length costs as much as the rest of this, also where it is set to what it is.
  if (into.length > count) into.length = count;
  for (let i = 0; i < count; i++) into[i] = readFormat(reader);
}

function readFormat(reader: MessageReader): number {
  const format = reader.i16();
  if (format === Format.Text || format === Format.Binary) return format;
  throw new PhantomError('22023', `unsupported format code: ${format}`);
}

export function readExecute(reader: MessageReader): ExecuteMessage {
  const portal = reader.string();
  const rowsMax = reader.i32();
  reader.finish();
  // PostgreSQL takes a negative limit for none.
  return { portal, rowsMax: rowsMax > 0 ? rowsMax : 0 };
}

/** Describe and Close. */
export function readNamed(reader: MessageReader): NamedMessage {
  const letter = reader.u8();
  const name = reader.string();
  reader.finish();
  if (letter === 0x53) return { kind: 'statement', name };
  if (letter === 0x50) return { kind: 'portal', name };
  throw new PhantomError(PROTOCOL_VIOLATION, `invalid subtype ${letter} of a Describe or Close message`);
}

export function readSaslInitial(reader: MessageReader): SaslInitialMessage {
  const mechanism = reader.string();
  const bytes = reader.i32();
  if (bytes < -1) throw new PhantomError(PROTOCOL_VIOLATION, 'invalid length of a SASL response');
  const at = reader.skip(Math.max(bytes, 0));
  reader.finish();
  return { mechanism, response: reader.buffer.toString('latin1', at, at + Math.max(bytes, 0)) };
}

/** SASLResponse: the rest of the message, which SCRAM keeps in ASCII. */
export function readSaslResponse(reader: MessageReader): string {
  const at = reader.skip(reader.remaining);
  return reader.buffer.toString('latin1', at, reader.end);
}

/** Messages without a body. */
export function readEmpty(reader: MessageReader): void {
  reader.finish();
}

/** The messages we send, one function for each. Rows are written by row-encoder.ts. */
import type { ErrorFields } from '@phantom/base';
import type { MessageWriter } from './message-writer.js';
import { AuthenticationKind, Backend } from './protocol.js';

/** How bad a message is: ERROR ends the statement, FATAL the connection; the others are notices. */
export type Severity = 'ERROR' | 'FATAL' | 'WARNING' | 'NOTICE' | 'INFO' | 'LOG' | 'DEBUG';

/** What an error or a notice says. */
export interface Report extends ErrorFields {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
}

/** A column as RowDescription tells of it. */
export interface ColumnDescription {
  readonly name: string;
  readonly tableOid: number;
  readonly column: number;
  readonly typeOid: number;
  /** Bytes of the type; -1 varies, -2 a C string. */
  readonly typeLength: number;
  readonly typmod: number;
  readonly format: number;
}

function writeEmpty(writer: MessageWriter, type: number): void {
  writer.begin(type);
  writer.end();
}

export function writeAuthenticationOk(writer: MessageWriter): void {
  writer.begin(Backend.Authentication);
  writer.i32(AuthenticationKind.Ok);
  writer.end();
}

/** Asks for SASL by one of the mechanisms. */
export function writeAuthenticationSasl(writer: MessageWriter, mechanisms: readonly string[]): void {
  writer.begin(Backend.Authentication);
  writer.i32(AuthenticationKind.Sasl);
  for (const mechanism of mechanisms) writer.string(mechanism);
  writer.u8(0);
  writer.end();
}

/** A further or the last word of the server in a SASL exchange. */
export function writeAuthenticationSaslData(writer: MessageWriter, kind: number, data: string): void {
  writer.begin(Backend.Authentication);
  writer.i32(kind);
  writer.utf8(data);
  writer.end();
}

/** Answers a newer minor version, or options that are not known. */
export function writeNegotiateProtocolVersion(
  writer: MessageWriter,
  minor: number,
  unknownOptions: readonly string[],
): void {
  writer.begin(Backend.NegotiateProtocolVersion);
  writer.i32(minor);
  writer.i32(unknownOptions.length);
  for (const option of unknownOptions) writer.string(option);
  writer.end();
}

export function writeParameterStatus(writer: MessageWriter, name: string, value: string): void {
  writer.begin(Backend.ParameterStatus);
  writer.string(name);
  writer.string(value);
  writer.end();
}

export function writeBackendKeyData(writer: MessageWriter, processId: number, secretKey: Uint8Array): void {
  writer.begin(Backend.BackendKeyData);
  writer.i32(processId);
  writer.bytes.bytes(secretKey);
  writer.end();
}

/** `status`: one of ReadyStatus. */
export function writeReadyForQuery(writer: MessageWriter, status: number): void {
  writer.begin(Backend.ReadyForQuery);
  writer.u8(status);
  writer.end();
}

export function writeParseComplete(writer: MessageWriter): void {
  writeEmpty(writer, Backend.ParseComplete);
}

export function writeBindComplete(writer: MessageWriter): void {
  writeEmpty(writer, Backend.BindComplete);
}

export function writeCloseComplete(writer: MessageWriter): void {
  writeEmpty(writer, Backend.CloseComplete);
}

export function writeNoData(writer: MessageWriter): void {
  writeEmpty(writer, Backend.NoData);
}

export function writeEmptyQueryResponse(writer: MessageWriter): void {
  writeEmpty(writer, Backend.EmptyQueryResponse);
}

export function writePortalSuspended(writer: MessageWriter): void {
  writeEmpty(writer, Backend.PortalSuspended);
}

export function writeCommandComplete(writer: MessageWriter, tag: string): void {
  writer.begin(Backend.CommandComplete);
  writer.string(tag);
  writer.end();
}

export function writeNotificationResponse(
  writer: MessageWriter,
  processId: number,
  channel: string,
  payload: string,
): void {
  writer.begin(Backend.NotificationResponse);
  writer.i32(processId);
  writer.string(channel);
  writer.string(payload);
  writer.end();
}

export function writeParameterDescription(writer: MessageWriter, typeOids: readonly number[]): void {
  writer.begin(Backend.ParameterDescription);
  writer.i16(typeOids.length);
  for (const oid of typeOids) writer.i32(oid);
  writer.end();
}

export function writeRowDescription(writer: MessageWriter, columns: readonly ColumnDescription[]): void {
  writer.begin(Backend.RowDescription);
  writer.i16(columns.length);
  for (const column of columns) {
    writer.string(column.name);
    writer.i32(column.tableOid);
    writer.i16(column.column);
    writer.i32(column.typeOid);
    writer.i16(column.typeLength);
    writer.i32(column.typmod);
    writer.i16(column.format);
  }
  writer.end();
}

/** Letters of the fields of errors and notices, in the order in which PostgreSQL sends them. */
const FIELD_LETTERS: readonly (readonly [keyof Report, string])[] = [
  ['severity', 'S'],
  ['severity', 'V'],
  ['code', 'C'],
  ['message', 'M'],
  ['detail', 'D'],
  ['hint', 'H'],
  ['position', 'P'],
  ['where', 'W'],
  ['schema', 's'],
  ['table', 't'],
  ['column', 'c'],
  ['dataType', 'd'],
  ['constraint', 'n'],
  ['routine', 'R'],
];

/** An ErrorResponse for ERROR and FATAL, a NoticeResponse for everything milder. */
export function writeReport(writer: MessageWriter, report: Report): void {
  const isError = report.severity === 'ERROR' || report.severity === 'FATAL';
  writer.begin(isError ? Backend.ErrorResponse : Backend.NoticeResponse);
  for (const [name, letter] of FIELD_LETTERS) {
    const value = report[name];
    if (value === undefined) continue;
    writer.u8(letter.charCodeAt(0));
    writer.string(String(value));
  }
  writer.u8(0);
  writer.end();
}

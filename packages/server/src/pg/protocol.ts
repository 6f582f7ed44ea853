/**
 * Numbers of PostgreSQL's frontend/backend protocol, version 3 ("Message Formats" in its manual). They are on the wire for
 * good.
 *
 *   start-up   | length i32 | code i32 | body ...          the only messages without a type byte
 *   after it   | type u8 | length i32 | body ...           the length counts itself and the body, not the type
 *
 * Everything is big-endian. A string ends with a zero byte. A value is a length (-1: NULL) and so many bytes.
 */

/** First four bytes of a start-up message: what the client wants. */
export const StartupCode = {
  /** Protocol 3.0: major in the upper 16 bits, minor in the lower. */
  Version3: 196608,
  CancelRequest: 80877102,
  SslRequest: 80877103,
  GssEncryptionRequest: 80877104,
} as const;

/** Types of what clients send. */
export const Frontend = {
  Bind: 0x42, // B
  Close: 0x43, // C
  Describe: 0x44, // D
  Execute: 0x45, // E
  FunctionCall: 0x46, // F
  Flush: 0x48, // H
  Parse: 0x50, // P
  Query: 0x51, // Q
  Sync: 0x53, // S
  Terminate: 0x58, // X
  /** These two go both ways. */
  CopyDone: 0x63, // c
  CopyData: 0x64, // d
  CopyFail: 0x66, // f
  /** Password, SASLInitialResponse and SASLResponse. */
  Authentication: 0x70, // p
} as const;

/** Types of what we send. */
export const Backend = {
  ParseComplete: 0x31, // 1
  BindComplete: 0x32, // 2
  CloseComplete: 0x33, // 3
  CommandComplete: 0x43, // C
  DataRow: 0x44, // D
  ErrorResponse: 0x45, // E
  CopyInResponse: 0x47, // G
  CopyOutResponse: 0x48, // H
  EmptyQueryResponse: 0x49, // I
  BackendKeyData: 0x4b, // K
  NotificationResponse: 0x41, // A
  NoticeResponse: 0x4e, // N
  Authentication: 0x52, // R
  ParameterStatus: 0x53, // S
  RowDescription: 0x54, // T
  ReadyForQuery: 0x5a, // Z
  NoData: 0x6e, // n
  PortalSuspended: 0x73, // s
  ParameterDescription: 0x74, // t
  NegotiateProtocolVersion: 0x76, // v
  FunctionCallResponse: 0x56, // V
} as const;

/** First number of an Authentication message. */
export const AuthenticationKind = { Ok: 0, Sasl: 10, SaslContinue: 11, SaslFinal: 12 } as const;

/** How a value is written. */
export const Format = { Text: 0, Binary: 1 } as const;

/** Character of ReadyForQuery. */
export const ReadyStatus = {
  idle: 0x49, // I
  transaction: 0x54, // T
  failed: 0x45, // E
} as const;

/** 08P01: what a client gets that does not keep to the protocol. */
export const PROTOCOL_VIOLATION = '08P01';

/** The body of POST /v1/query, read and checked. */
import type { IncomingMessage } from 'node:http';
import { parseExactJson } from '@phantom/db/session';
import { HttpError } from './answer.js';

export interface QueryRequest {
  /** One statement. */
  readonly sql: string;
  /** Values of $1, $2, ...; numbers that a double would round are NumberText. */
  readonly parameters: readonly unknown[];
  /** How rows are shown: by the names of their columns, or in their order. */
  readonly rows: 'objects' | 'arrays';
  /** Longest run; undefined: as the server has it. */
  readonly timeoutMs: number | undefined;
}

const NAMES = new Set(['sql', 'parameters', 'rows', 'timeoutMs']);
const TIMEOUT_MS_MAX = 2_147_483_647;

/** Reads the whole body. HttpError with 413 past the limit, 415 for what is not JSON by its type, or is compressed. */
export async function readBody(request: IncomingMessage, bodyBytesMax: number): Promise<string> {
  // A page of another site can send texts and forms without being asked, and JSON only if it is let.
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new HttpError(415, 'the body has to be application/json');
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new HttpError(415, `the body may not be compressed: "${encoding}" is not supported`, {
      'accept-encoding': 'identity',
    });
  const tooLong = (): HttpError =>
    new HttpError(413, `the body is longer than ${bodyBytesMax} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLong();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyBytesMax) throw tooLong();
    chunks.push(chunk as Buffer);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpError(400, 'the body is not UTF-8');
  }
}

/** Checks the text of a body; HttpError with 400 that says what is wrong with it. */
export function parseQueryRequest(text: string): QueryRequest {
  let body: unknown;
  try {
    body = parseExactJson(text);
  } catch (error) {
    throw wrong(`the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong('the body has to be an object');
  const unknown = Object.keys(body).find((name) => !NAMES.has(name));
  if (unknown !== undefined) throw wrong(`"${unknown}" is not known; there are ${[...NAMES].join(', ')}`);
  const { sql, parameters = [], rows = 'objects', timeoutMs } = body as Record<string, unknown>;
  if (typeof sql !== 'string') throw wrong('"sql" has to be a text');
  if (!Array.isArray(parameters)) throw wrong('"parameters" has to be an array');
  if (rows !== 'objects' && rows !== 'arrays') throw wrong('"rows" has to be "objects" or "arrays"');
  if (timeoutMs !== undefined && !isTimeout(timeoutMs)) {
    throw wrong(`"timeoutMs" has to be a whole number from 1 to ${TIMEOUT_MS_MAX}`);
  }
  return { sql, parameters: parameters as unknown[], rows, timeoutMs };
}

function isTimeout(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= TIMEOUT_MS_MAX;
}

function wrong(message: string): HttpError {
  return new HttpError(400, message);
}

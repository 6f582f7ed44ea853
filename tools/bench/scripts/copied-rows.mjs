/** Rows in the text format of COPY, in pieces: what PostgreSQL, PGlite and DuckDB load fastest. */
import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { Readable } from 'node:stream';

const PIECE_CHARACTERS = 256 * 1024;

/** Lines of tab-separated values, about so many characters at a time. */
export function* copyText(rows, piece = PIECE_CHARACTERS) {
  let lines = [];
  let characters = 0;
  for (const row of rows) {
    const line = `${row.map(escaped).join('\t')}\n`;
    lines.push(line);
    characters += line.length;
    if (characters < piece) continue;
    yield lines.join('');
    lines = [];
    characters = 0;
  }
  if (lines.length > 0) yield lines.join('');
}

const SPECIAL = /[\\\t\n\r]/g;
const ESCAPES = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(value) {
  if (value === null) return '\\N';
  return typeof value === 'number' ? String(value) : value.replaceAll(SPECIAL, (character) => ESCAPES[character]);
}

/** Runs `use` with the name of a file that has the rows, and removes it. */
export async function withCopyFile(file, rows, use) {
  try {
    const out = createWriteStream(file);
    Readable.from(copyText(rows)).pipe(out);
    await once(out, 'finish');
    await use(file);
  } finally {
    rmSync(file, { force: true });
  }
}

/** COPY FROM STDIN as a query of the client `pg`, which has none of its own: it hands its connection to whoever asks for one. */
export function copyFromStdin(client, table, rows) {
  return new Promise((resolve, reject) => {
    let failure;
    const send = async (connection) => {
      try {
        for (const text of copyText(rows)) {
          connection.sendCopyFromChunk(Buffer.from(text));
          if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain');
        }
        connection.endCopyFrom();
      } catch (error) {
        connection.sendCopyFail(String(error));
      }
    };
    client.query({
      submit: (connection) => connection.query(`copy ${table} from stdin`),
      handleCopyInResponse: (connection) => void send(connection),
      handleError: (error) => {
        failure = error;
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => (failure === undefined ? resolve() : reject(failure)),
    });
  });
}

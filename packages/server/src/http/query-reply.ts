/**
 * How the result of a statement goes to the client: as one JSON object, or line by line.
 *
 *   application/json        {"fields":[...],"rows":[...],"command":"SELECT 2","rowCount":2}      once all of it is there
 *   application/x-ndjson    {"fields":[...]}                                                     rows as they come
 *                           {"id":1,"name":"Ada"}
 *                           ...
 *                           {"command":"SELECT 2","rowCount":2}      or  {"error":{...}}
 *
 * The last line says that the statement is committed. A client that does not read the lines holds up its query; a whole
 * object has a limit. Who takes nothing for too long is cut off: what the query has pinned is let go then.
 */
import type { ServerResponse } from 'node:http';
import { PhantomError } from '@phantom/base';
import type { FetchOutcome, RowBatch } from '@phantom/db/session';
import type { Outlet } from '../fetch-rows.js';
import { errorBody, statusOf } from './answer.js';
import type { JsonRows } from './json-rows.js';

export interface QueryReply extends Outlet {
  /** Tells the columns; rows follow. */
  begin(fields: readonly { readonly name: string; readonly type: string }[]): void;
  rows(batch: RowBatch, rows: JsonRows): void;
  /** All is done, and committed. */
  end(outcome: FetchOutcome): void;
  /** The statement has failed. */
  fail(error: PhantomError): void;
}

abstract class Reply implements QueryReply {
  protected readonly response: ServerResponse;
  protected fields = '';
  private bytes = 0;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  get producedBytes(): number {
    return this.bytes;
  }

  begin(fields: readonly { readonly name: string; readonly type: string }[]): void {
    this.fields = `"fields":${JSON.stringify(fields)}`;
  }

  rows(batch: RowBatch, rows: JsonRows): void {
    for (let r = 0; r < batch.count; r++) {
      const text = rows.text(batch, r);
      this.bytes += text.length;
      this.row(text);
    }
  }

  fail(error: PhantomError): void {
    this.send(statusOf(error), 'application/json', `${JSON.stringify({ error: errorBody(error) })}\n`);
  }

  protected send(status: number, type: string, body: string): void {
    this.response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    this.response.end(body);
  }

  protected abstract row(text: string): void;
  abstract end(outcome: FetchOutcome): void;
  abstract relieve(): Promise<void> | undefined;
}

/** One object. */
export class WholeReply extends Reply {
  private readonly texts: string[] = [];
  private readonly bytesMax: number;

  constructor(response: ServerResponse, bytesMax: number) {
    super(response);
    this.bytesMax = bytesMax;
  }

  protected row(text: string): void {
    if (this.producedBytes > this.bytesMax) {
      throw new PhantomError('54000', `the result is longer than ${this.bytesMax} characters`, {
        hint: 'Ask for it line by line: Accept: application/x-ndjson.',
        data: { bytesMax: this.bytesMax },
      });
    }
    this.texts.push(text);
  }

  relieve(): undefined {
    return undefined;
  }

  end({ tag, count }: FetchOutcome): void {
    const head = `{${this.fields},"rows":[`;
    const tail = `],"command":${JSON.stringify(tag)},"rowCount":${count}}\n`;
    this.send(200, 'application/json', head + this.texts.join(',') + tail);
  }
}

export const LINES_TYPE = 'application/x-ndjson';

/** Cuts off a client that does not take what has been written within the time; the function ends the watch. */
export function cutUnread(response: ServerResponse, timeoutMs: number): () => void {
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  const end = (): void => {
    clearTimeout(timer);
    response.off('finish', end).off('close', end);
  };
  if (response.writableFinished || response.destroyed) end();
  else response.on('finish', end).on('close', end);
  return end;
}

/** Lines. Nothing is sent before the first piece of rows is there, so that what fails early has its status. */
export class LinesReply extends Reply {
  private pending = '';
  private readonly unreadTimeoutMs: number;

  constructor(response: ServerResponse, unreadTimeoutMs: number) {
    super(response);
    this.unreadTimeoutMs = unreadTimeoutMs;
  }

  override begin(fields: readonly { readonly name: string; readonly type: string }[]): void {
    super.begin(fields);
    this.pending = `{${this.fields}}\n`;
  }

  protected row(text: string): void {
    this.pending += `${text}\n`;
  }

  relieve(): Promise<void> | undefined {
    // Nobody reads what comes next.
    if (this.response.destroyed) throw new PhantomError('08006', 'the connection was closed by the client');
    if (this.write()) return undefined;
    const read = cutUnread(this.response, this.unreadTimeoutMs);
    return new Promise((resolve) => {
      const goOn = (): void => {
        read();
        this.response.off('drain', goOn).off('close', goOn);
        resolve();
      };
      this.response.on('drain', goOn).on('close', goOn);
    });
  }

  end({ tag, count }: FetchOutcome): void {
    this.pending += `{"command":${JSON.stringify(tag)},"rowCount":${count}}\n`;
    this.write();
    this.response.end();
  }

  override fail(error: PhantomError): void {
    if (!this.response.headersSent) {
      super.fail(error);
      return;
    }
    this.pending += `${JSON.stringify({ error: errorBody(error) })}\n`;
    this.write();
    this.response.end();
  }

  private write(): boolean {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': LINES_TYPE });
    const text = this.pending;
    this.pending = '';
    return this.response.write(text);
  }
}

/** A client that speaks the protocol message by message, so that tests can say exactly what is on the wire. */
import { type Socket, connect } from 'node:net';

/** A message of the server: its letter, its body, and what tests ask of the common ones. */
export interface WireMessage {
  readonly type: string;
  readonly body: Buffer;
}

export const cstring = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.from([0])]);
export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
};
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export function frame(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

export function startup(parameters: Record<string, string>, version = 196608): Buffer {
  const parts = Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)]);
  const body = Buffer.concat([int32(version), ...parts, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const request = (code: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(body.length + 4), body]);
};

export const query = (text: string): Buffer => frame('Q', cstring(text));
export const parse = (text: string, name = '', types: number[] = []): Buffer =>
  frame('P', cstring(name), cstring(text), int16(types.length), Buffer.concat(types.map(int32)));
export function bind(
  values: (string | Buffer | null)[] = [],
  { portal = '', statement = '', formats = [] as number[], results = [] as number[] } = {},
): Buffer {
  const encoded = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value as Buffer);
    return [int32(bytes.length), bytes];
  });
  return frame(
    'B',
    cstring(portal),
    cstring(statement),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    Buffer.concat(encoded),
    int16(results.length),
    ...results.map(int16),
  );
}
export const describe = (kind: 'S' | 'P', name = ''): Buffer => frame('D', Buffer.from(kind), cstring(name));
export const execute = (rowsMax = 0, portal = ''): Buffer => frame('E', cstring(portal), int32(rowsMax));
export const close = (kind: 'S' | 'P', name = ''): Buffer => frame('C', Buffer.from(kind), cstring(name));
export const sync = (): Buffer => frame('S');
export const flush = (): Buffer => frame('H');
export const terminate = (): Buffer => frame('X');

/** Fields of an error or a notice by letter. */
export function reportFields(message: WireMessage): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of message.body.toString('utf8').split('\0')) if (part !== '') fields[part.charAt(0)] = part.slice(1);
  return fields;
}

/** Values of a DataRow: bytes, or null. */
export function rowValues(message: WireMessage): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  let at = 2;
  for (let i = message.body.readUInt16BE(0); i > 0; i--) {
    const bytes = message.body.readInt32BE(at);
    at += 4;
    values.push(bytes < 0 ? null : message.body.subarray(at, at + bytes));
    at += Math.max(bytes, 0);
  }
  return values;
}

export class WireClient {
  readonly socket: Socket;
  readonly messages: WireMessage[] = [];
  /** Answers to SSLRequest and GSSENCRequest. */
  readonly letters: string[] = [];
  closed = false;
  private bytes: Buffer = Buffer.alloc(0);
  private lettersExpected = 0;
  private waiters: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.received(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  /** Connects without a word. */
  static open(port: number): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new WireClient(socket)));
    });
  }

  /** Speaks over a socket that is connected already. */
  static over(socket: Socket): WireClient {
    return new WireClient(socket);
  }

  /** Connects and starts a session. */
  static async start(port: number, parameters: Record<string, string> = {}): Promise<WireClient> {
    const client = await WireClient.open(port);
    client.send(startup({ user: 'phantom', database: 'phantom', ...parameters }));
    await client.ready();
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Asks for encryption; the answer is one letter. */
  async letter(code: number): Promise<string> {
    this.lettersExpected++;
    const count = this.letters.length;
    this.send(request(code));
    await this.until(() => this.letters.length > count);
    return this.letters[count] as string;
  }

  /** Messages up to and with the next ReadyForQuery, which are taken out. */
  ready(): Promise<WireMessage[]> {
    return this.take('Z');
  }

  /** Messages up to and with the next one of a type, which are taken out. Fewer when the connection closed. */
  async take(type: string): Promise<WireMessage[]> {
    await this.until(() => this.messages.some((message) => message.type === type));
    const index = this.messages.findIndex((message) => message.type === type);
    return this.messages.splice(0, index < 0 ? this.messages.length : index + 1);
  }

  /** All messages until the server closed. */
  async rest(): Promise<WireMessage[]> {
    await this.until(() => false);
    return this.messages.splice(0);
  }

  /** Sends and awaits the next ReadyForQuery. */
  ask(...frames: Buffer[]): Promise<WireMessage[]> {
    this.send(...frames);
    return this.ready();
  }

  end(): void {
    this.socket.destroy();
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.closed) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }

  private received(chunk: Buffer): void {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    while (this.lettersExpected > 0 && this.bytes.length > 0) {
      this.lettersExpected--;
      this.letters.push(String.fromCharCode(this.bytes[0] as number));
      this.bytes = this.bytes.subarray(1);
    }
    while (this.bytes.length >= 5) {
      const end = this.bytes.readInt32BE(1) + 1;
      if (this.bytes.length < end) break;
      this.messages.push({ type: String.fromCharCode(this.bytes[0] as number), body: this.bytes.subarray(5, end) });
      this.bytes = this.bytes.subarray(end);
    }
    this.wake();
  }
}

/** The letters of messages, in order: the shape of a conversation. */
export const shape = (messages: readonly WireMessage[]): string => messages.map((message) => message.type).join('');

/** A reader of write batches, written from docs/formats/write-batch.md alone: it knows nothing of the package. */

/** Operations as text, `KIND KEY VALUE` in hexadecimal, with a note in brackets behind them. Throws for what a reader must refuse. */
export function readWriteBatch(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw new Error('cut off');
  if (bytes[0] !== 1 || view.getUint16(2, true) !== 0) throw new Error('another format');
  const engines = bytes[1] as number;
  const operations: string[] = [];
  let at = 8;
  const field = (): Uint8Array => {
    const length = readVarint();
    if (at + length > bytes.length) throw new Error('a field runs past the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const readVarint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut off');
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (byte === 0 && factor > 1) throw new Error('not the shortest form');
      return value;
    }
  };
  let note: string | undefined;
  while (at < bytes.length) {
    const kind = bytes[at++] as number;
    if (kind === 4) {
      if (note !== undefined) throw new Error('two notes');
      note = hex(field());
      continue;
    }
    if (kind < 1 || kind > 4) throw new Error(`no operation is of kind ${kind}`);
    const key = field();
    if (key.length === 0) throw new Error('an empty key');
    if ((engines & (1 << ((key[0] as number) >> 4))) === 0) throw new Error('an engine that the header does not name');
    const value = kind === 2 ? '' : hex(field());
    operations.push(`${kind} ${hex(key)} ${value}${note === undefined ? '' : ` [${note}]`}`);
    note = undefined;
  }
  if (note !== undefined) throw new Error('a note at the end');
  if (operations.length !== view.getUint32(4, true)) throw new Error('the number of operations is another');
  return operations;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

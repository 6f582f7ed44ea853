/** Names of fields as they stand in stored documents, for those who read some fields alone. */
const UTF8 = new TextEncoder();
/** Names whose bytes are kept. */
const NAMES_MAX = 4096;
const known = new Map<string, Uint8Array>();

/** The names in UTF-8; nobody may write to them. */
export function fieldBytes(names: Iterable<string>): readonly Uint8Array[] {
  const bytes: Uint8Array[] = [];
  for (const name of names) bytes.push(known.get(name) ?? encoded(name));
  return bytes;
}

function encoded(name: string): Uint8Array {
  const bytes = UTF8.encode(name);
  if (known.size < NAMES_MAX) known.set(name, bytes);
  return bytes;
}

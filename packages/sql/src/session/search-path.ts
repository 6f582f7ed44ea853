/** The search_path setting as text. */

/** Names of a search_path setting: comma-separated, quoted where need be, `$user` replaced. */
export function parsePath(text: string, user: string): string[] {
  const names: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^\s,"]+))\s*(?:,|$)/gy;
  for (let match = pattern.exec(text); match !== null && match[0] !== ''; match = pattern.exec(text)) {
    const name = match[1] === undefined ? (match[2] as string).toLowerCase() : match[1].replaceAll('""', '"');
    if (name !== '') names.push(name === '$user' ? user : name);
  }
  return names;
}

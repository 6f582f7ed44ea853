/** What XML 1.0 (fifth edition, section 2.2 and 2.3) lets stand where: characters, names, white space. */

/** Space, tab, line feed, carriage return. */
export function isXmlSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

/** The code unit may stand in XML text; halves of pairs may, since texts here are well-formed UTF-16. */
export function isXmlCharacter(code: number): boolean {
  return code >= 0x20 ? code < 0xfffe : code === 0x09 || code === 0x0a || code === 0x0d;
}

/** The code point may begin a name. */
export function isNameStart(code: number): boolean {
  if (code < 0x80) {
    return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code === 0x3a;
  }
  return (
    (code >= 0xc0 && code <= 0x2ff && code !== 0xd7 && code !== 0xf7) ||
    (code >= 0x370 && code <= 0x1fff && code !== 0x37e) ||
    code === 0x200c ||
    code === 0x200d ||
    (code >= 0x2070 && code <= 0x218f) ||
    (code >= 0x2c00 && code <= 0x2fef) ||
    (code >= 0x3001 && code <= 0xd7ff) ||
    (code >= 0xf900 && code <= 0xfdcf) ||
    (code >= 0xfdf0 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0xeffff)
  );
}

/** The code point may stand in a name behind its beginning. */
export function isNameCharacter(code: number): boolean {
  if (code < 0x80) return isNameStart(code) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e;
  return isNameStart(code) || code === 0xb7 || (code >= 0x300 && code <= 0x36f) || code === 0x203f || code === 0x2040;
}

/** Where the name that begins at `start` ends; `start` itself when none begins there. */
export function nameEnd(text: string, start: number): number {
  let code = text.codePointAt(start);
  if (code === undefined || !isNameStart(code)) return start;
  let at = start;
  while (code !== undefined && isNameCharacter(code)) {
    at += code > 0xffff ? 2 : 1;
    code = text.codePointAt(at);
  }
  return at;
}

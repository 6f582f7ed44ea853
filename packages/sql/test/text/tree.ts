/**
 * Syntax trees as text that a person can review: `(kind field=value ...)`. What is undefined, false or empty is left out,
 * and so are positions; names stand bare, or in quotes when they were quoted. Numbers, strings, columns, operators and
 * types without more to say stand as themselves.
 */
const WIDTH = 110;

function isName(value: object): value is { text: string; quoted: boolean } {
  return 'text' in value && 'quoted' in value && 'position' in value;
}

function isShown(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** Leaves that are clear without their kind. */
function showLeaf(value: object): string | undefined {
  const node = value as {
    kind?: string;
    text?: string;
    value?: string;
    names?: unknown[];
    index?: number;
    name?: unknown[];
  };
  if (isName(value)) return value.quoted ? `"${value.text}"` : value.text;
  if (node.kind === 'number') return String(node.text);
  if (node.kind === 'string' && 'value' in node) return `'${node.value}'`;
  if (node.kind === 'column') return showFlat(node.names);
  if (node.kind === 'parameter') return `$${node.index}`;
  const fields = shownFields(value);
  if ('symbol' in value && fields.length === 1) return String(value.symbol);
  if (node.kind === 'type-name' && fields.length === ('system' in value && value.system === true ? 2 : 1)) {
    return showFlat(node.name);
  }
  // An item of a list that has nothing but its value.
  if (node.kind === undefined && 'value' in value && fields.length === 1 && typeof value.value === 'object') {
    return showFlat(value.value);
  }
  return undefined;
}

/** The tree, broken over lines where it does not fit into one. */
export function showTree(value: unknown, indent = ''): string {
  const flat = showFlat(value);
  if (flat.length + indent.length <= WIDTH || typeof value !== 'object' || value === null) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + showTree(item, inner)).join('\n')}\n${indent}]`;
  }
  const shown = shownFields(value);
  if (kindOf(value) === '' && shown.length === 1 && shown[0]?.[0] === 'value') return showTree(shown[0][1], indent);
  const fields = shown.map(([name, field]) => `${inner}${name}=${showTree(field, inner)}`);
  return `(${kindOf(value)}\n${fields.join('\n')})`;
}

function kindOf(value: object): string {
  return 'kind' in value ? String(value.kind) : '';
}

function shownFields(value: object): [string, unknown][] {
  return Object.entries(value).filter(([name, field]) => name !== 'kind' && name !== 'position' && isShown(field));
}

function showFlat(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    const names = value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && isName(item));
    return names ? value.map(showFlat).join('.') : `[${value.map(showFlat).join(' ')}]`;
  }
  const leaf = showLeaf(value);
  if (leaf !== undefined) return leaf;
  const fields = shownFields(value).map(([name, field]) => `${name}=${showFlat(field)}`);
  return `(${[kindOf(value), ...fields].filter((part) => part !== '').join(' ')})`;
}

/** The tree without positions, for comparison. */
export function withoutPositions(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutPositions);
  const entries = Object.entries(value).filter(
    ([name]) => name !== 'position' && !name.endsWith('Span') && name !== 'span',
  );
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutPositions(field)]));
}

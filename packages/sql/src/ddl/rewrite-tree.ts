/** Copies of syntax trees with some nodes replaced; what stays the same is shared. */

/** A node of the syntax tree, seen as a plain object. */
export type TreePart = Readonly<Record<string, unknown>>;

/** The tree with each node for which `change` gives another one in its place, from the root down. */
export function rewriteTree<T>(node: T, change: (part: TreePart) => TreePart | object | undefined): T {
  return copy(node, change) as T;
}

function copy(node: unknown, change: (part: TreePart) => TreePart | object | undefined): unknown {
  if (Array.isArray(node)) {
    let changed = false;
    const items = node.map((item) => {
      const made = copy(item, change);
      if (made !== item) changed = true;
      return made;
    });
    return changed ? items : node;
  }
  if (typeof node !== 'object' || node === null) return node;
  const replaced = change(node as TreePart) ?? node;
  let result: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(replaced)) {
    const made = copy(value, change);
    if (made === value) continue;
    result ??= { ...replaced };
    result[key] = made;
  }
  return result ?? replaced;
}

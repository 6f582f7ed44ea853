/** Tagged templates: values are always parameters, never text. */

/** `select ${a} + ${b}` as `select $1 + $2`. */
export function templateText(strings: TemplateStringsArray): string {
  let text = strings[0] ?? '';
  for (let i = 1; i < strings.length; i++) text += `$${i}${strings[i] ?? ''}`;
  return text;
}

/** Whether this process may make functions from text (`--disallow-code-generation-from-strings` forbids it). */
let allowed: boolean | undefined;

/** True when `new Function` works here; asked once. */
export function codeGenerationAllowed(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function('return 1')() === 1;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

import { isPhantomError } from '@phantom/base';

/** SQLSTATE of what the action throws, `value` when it returns, the error's own name when it is none of ours. */
export function outcome(action: () => unknown): string {
  try {
    action();
    return 'value';
  } catch (error) {
    return isPhantomError(error) ? (error as unknown as { code: string }).code : String(error);
  }
}

/** What a reader of any bytes may end in. */
export const VALUE_OR_CORRUPTION = /^(value|XX001)$/;

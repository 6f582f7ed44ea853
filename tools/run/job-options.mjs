// Options of jobs that take some.
import { parseArgs } from 'node:util';

/**
 * Options of a job as parseArgs describes them. `--help` prints the usage and ends the process; so does what is no option, with the
 * error and code 1.
 */
export function jobOptions(usage, options, args) {
  try {
    const { values } = parseArgs({ args, options: { ...options, help: { type: 'boolean' } } });
    if (values.help !== true) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${error.message}\n${usage}`);
    process.exit(1);
  }
}

/** A number above zero; anything else ends the process. */
export function positiveNumber(usage, name, text) {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  console.error(`--${name} ${text}: a number above zero is wanted\n${usage}`);
  process.exit(1);
}

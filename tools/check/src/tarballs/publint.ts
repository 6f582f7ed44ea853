/** publint's rules over the installed packages: wrong paths, conditions in the wrong order, formats that belie their name. */
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { verdict, type Verdict } from './verdict.js';

/** One verdict for each name, over what npm unpacked into the project. */
export function checkWithPublint(project: string, names: readonly string[]): Promise<Verdict[]> {
  return Promise.all(
    names.map(async (name) => {
      const { messages, pkg } = await publint({
        pkgDir: join(project, 'node_modules', name),
        pack: false,
        level: 'warning',
      });
      const lines = messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
      return verdict(`publint ${name}`, lines.length === 0 ? undefined : lines.join('\n'));
    }),
  );
}

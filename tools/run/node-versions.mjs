// The suite under another Node, which comes as an npm package (a plain binary without scripts) into `.tools`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installTool } from './bootstrap.mjs';
import { runGates } from './gates.mjs';
import { environment, onWindows, root } from './process.mjs';

/** Tests and the tarball gate with that Node first in PATH. */
export async function testUnderNode(version) {
  const platform = onWindows ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const home = join(root, '.tools', `node-${version}`);
  const bin = join(home, 'node_modules', name, 'bin');
  if (!existsSync(bin)) {
    console.log(`Fetching Node ${version} into .tools`);
    await installTool(home, `${name}@${version}`);
  }
  const env = environment({ PHANTOM_NODE: `v${version}` }, [bin]);
  await runGates(['unit', 'tarballs'], [], env);
}

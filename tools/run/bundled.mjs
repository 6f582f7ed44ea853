// What of others lies in our own builds: libraries that are copied into them are in no manifest that ships, but their flaws do.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

/** `.../node_modules/.pnpm/@scope+name@1.2.3_peers/node_modules/@scope/name/...`: the name stands behind the last folder of modules. */
const PLACE = /\/\.pnpm\/([^/]+)\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** Names with versions, sorted, as the source maps of the builds tell of them. Throws where something has not been built. */
export function bundledPackages() {
  const found = new Set();
  for (const folder of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, folder))) {
      const built = join(root, folder, name, 'dist');
      const maps = existsSync(built) ? readdirSync(built).filter((file) => file.endsWith('.map')) : [];
      if (maps.length === 0) throw new Error(`${folder}/${name} has not been built: npm run build`);
      for (const file of maps) {
        for (const source of JSON.parse(readFileSync(join(built, file), 'utf8')).sources) {
          const bundled = bundledPackage(source);
          if (bundled !== undefined) found.add(bundled);
        }
      }
    }
  }
  return [...found].toSorted();
}

/** `name@version` of the package that a source is from; undefined for one of ours. */
function bundledPackage(source) {
  const [, folder, name] = PLACE.exec(source) ?? [];
  if (folder === undefined) return undefined;
  const version = /^(\d[^_(]*)/.exec(folder.slice(name.length + 1))?.[1];
  return `${name}@${version}`;
}

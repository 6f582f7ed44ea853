/** The files of the dashboard as they lie beside the program, for the server to hand out. */
import { readFileSync } from 'node:fs';
import type { StaticFile, StaticFiles } from '@phantom/server';

const FILES = {
  '/dashboard': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/dashboard/app.js': { name: 'app.js', type: 'text/javascript; charset=utf-8' },
  '/dashboard/style.css': { name: 'style.css', type: 'text/css; charset=utf-8' },
  '/dashboard/icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
} as const;

/** Reads them from the folder `dashboard` in `place`, the folder of the program; ENOENT when they were not built. */
export function dashboardFiles(place: URL): StaticFiles {
  return new Map(
    Object.entries(FILES).map(([path, { name, type }]): [string, StaticFile] => [
      path,
      { type, body: readFileSync(new URL(`dashboard/${name}`, place), 'utf8') },
    ]),
  );
}

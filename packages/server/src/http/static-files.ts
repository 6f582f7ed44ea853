/**
 * The files of the dashboard, as they are. They hold nothing of the data, so anybody may have them; what they show they ask for with a
 * token.
 *
 * The policy that goes with them leaves a browser nothing to do but what stands in these files: scripts and styles from here and no others,
 * none inside of the page, requests to this server alone, no frames, no forms, no base.
 */
import { HttpError, type Answer } from './answer.js';

/** One file by its path, such as `/dashboard/app.js`. */
export interface StaticFile {
  readonly type: string;
  readonly body: string;
}

export type StaticFiles = ReadonlyMap<string, StaticFile>;

/** Where the page itself is. */
export const DASHBOARD_PATH = '/dashboard';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** The file of a path, or the way from `/` to the page; undefined when there is none of that path. */
export function staticAnswer(files: StaticFiles | undefined, path: string): Answer | undefined {
  if (files === undefined) return undefined;
  if (path === '/') throw new HttpError(302, `the dashboard is at ${DASHBOARD_PATH}`, { location: DASHBOARD_PATH });
  const file = files.get(path);
  return file === undefined ? undefined : { status: 200, type: file.type, body: file.body, headers: HEADERS };
}

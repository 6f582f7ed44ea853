/** The files of the dashboard: small, whole, and asking nobody but the daemon. */
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dashboardFiles } from '../src/dashboard-files.js';

const DIST = new URL('../dist/', import.meta.url);

describe('the files', () => {
  it('are small, whole, and name no other server', () => {
    const files = dashboardFiles(DIST);
    const page = files.get('/dashboard')?.body ?? '';
    for (const [, path] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(files.has(path as string), path).toBe(true);
    expect(page).not.toMatch(/<style|<script>|\son\w+=|style="/);
    let size = 0;
    for (const [path, { body }] of files) {
      size += body.length;
      const addresses = body.match(/(?:https?:)?\/\/[a-z][\w.-]+/gi) ?? [];
      expect(
        addresses.filter((address) => !address.includes('www.w3.org')),
        path,
      ).toEqual([]);
      expect(body, path).not.toMatch(/\beval\(|new Function|@import|innerHTML/);
    }
    expect(size).toBeLessThan(150_000);
  });

  it('are those that were built', () => {
    expect(statSync(new URL('dashboard/app.js', DIST)).size).toBeGreaterThan(1000);
    expect(readFileSync(new URL('dashboard/style.css', DIST), 'utf8')).toContain('prefers-color-scheme: dark');
  });
});

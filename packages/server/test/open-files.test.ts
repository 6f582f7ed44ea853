import type { LogFields, Logger } from '@phantom/base';
import { open } from '@phantom/db';
import { expect, it } from 'vitest';
import { FILES_BESIDE_CLIENTS, clientsWithoutFiles, openFilesMax } from '../src/open-files.js';
import { startServer } from '../src/server.js';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63432                63432                processes
Max open files            1024                 4096                 files
`;

it('the limit of open files is found where the system tells it', () => {
  expect(openFilesMax(LIMITS)).toBe(1024);
  expect(openFilesMax('')).toBeUndefined();
  expect(openFilesMax('Max open files            unlimited            unlimited            files')).toBeUndefined();
});

it('clients are counted for which there is no file', () => {
  expect(clientsWithoutFiles(1024 - FILES_BESIDE_CLIENTS, 1024)).toBe(0);
  expect(clientsWithoutFiles(1025 - FILES_BESIDE_CLIENTS, 1024)).toBe(1);
  expect(clientsWithoutFiles(100_000, undefined)).toBe(0);
});

it.runIf(process.platform === 'linux')('a server says so when it starts', async () => {
  const warnings: LogFields[] = [];
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_, fields = {}) => void warnings.push(fields),
  };
  const database = await open(':memory:');
  const filesMax = openFilesMax() as number;
  const most = await startServer(database, { pgPort: 0, connectionsMax: filesMax - FILES_BESIDE_CLIENTS, logger });
  expect(warnings).toEqual([]);
  await most.close();
  const server = await startServer(database, { pgPort: 0, connectionsMax: filesMax, logger });
  expect(warnings).toMatchObject([{ openFilesMax: filesMax, connectionsMax: filesMax, missing: FILES_BESIDE_CLIENTS }]);
  await server.close();
  await database.close();
});

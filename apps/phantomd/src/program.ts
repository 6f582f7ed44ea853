/** The commands and their arguments. Each command is loaded when it is run: `--help` costs none of them. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { unsupportedError } from '@phantom/base';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';

const DATA_DEFAULT = './phantom-data';
const PORT_MAX = 65_535;

/** Commands whose place is kept: each says what it will do, and that it does not yet. */
const PLANNED: readonly (readonly [name: string, description: string])[] = [
  ['backup', 'copy a running database, to be restored to any moment since'],
  ['restore', 'make a data directory from a backup'],
  ['repair', 'save what can be saved of a damaged data directory'],
  ['import', 'load rows from files'],
  ['export', 'write rows to files'],
  ['bench', 'measure this machine'],
];

/** The program; `exit` gets the code of the command that ran. Usage errors end the process with code 1, by commander. */
export function makeProgram(exit: (code: ExitCode) => void): Command {
  const program = new Command('phantomd')
    .description('Phantom-DB: a database that psql, pg and your ORM already speak to')
    .version(version())
    .showHelpAfterError();
  addServe(program, exit);
  addSql(program, exit);
  addCheck(program, exit);
  for (const [name, description] of PLANNED) addPlanned(program, name, description);
  return program;
}

function addServe(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('serve a data directory to clients; made on first start, with the database "phantom"')
    .requiredOption('--data <dir>', 'data directory')
    .option('--host <address>', 'address to listen on; others than loopback need TLS and passwords', '127.0.0.1')
    .option('--pg-port <port>', 'port of the PostgreSQL protocol; 0 picks a free one', parsePort, 5433)
    .option('--http-port <port>', 'port of /healthz, /readyz and /metrics; 0 picks a free one', parsePort, 8433)
    .addOption(
      new Option(
        '--durability <level>',
        'what a commit survives: fsync a power cut, os a crash of the process, memory nothing',
      )
        .choices(['fsync', 'os', 'memory'])
        .default('fsync'),
    )
    .option('--tls-cert <file>', 'certificate of the server, PEM')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-client-ca <file>', 'authorities that sign certificates of clients, PEM')
    .option('--auth-rules <file>', 'who may come in from where: rules in the manner of pg_hba.conf')
    .option('--superuser <name>', 'name of the superuser, made on first start (default: phantom)')
    .option('--sample-shop', 'fill an empty store with a small shop to try things on', false)
    .action(async (options) => {
      const { serve } = await import('./serve.js');
      exit(await serve(options));
    });
}

function addSql(program: Command, exit: (code: ExitCode) => void): void {
  const collect = (value: string, before: readonly string[]): string[] => [...before, value];
  program
    .command('sql')
    .description('run SQL, or type it: against a data directory, or against a server')
    .option('--data <dir>', `data directory to open in this process (default: ${DATA_DEFAULT})`)
    .option('--database <name>', 'database in the data directory', 'phantom')
    .addOption(new Option('--url <url>', 'server to connect to: postgres://user@host:port/database').conflicts('data'))
    .option('-c, --command <sql>', 'run this, in one transaction; may be given more than once', collect, [])
    .option(
      '-f, --file <file>',
      'run the statements of this file, "-" for stdin; may be given more than once',
      collect,
      [],
    )
    .addOption(new Option('--csv', 'print rows as CSV').conflicts('json'))
    .option('--json', 'print one JSON object for each statement')
    .action(async (options) => {
      const { sql } = await import('./sql/command.js');
      exit(
        await sql({
          ...(options.url === undefined ? { data: options.data ?? DATA_DEFAULT } : { url: options.url }),
          database: options.database,
          commands: options.command,
          files: options.file,
          format: options.json === true ? 'json' : options.csv === true ? 'csv' : 'aligned',
        }),
      );
    });
}

function addCheck(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('look through all files of a data directory and say what is wrong; exit code 3 when something is')
    .option('--data <dir>', 'data directory', DATA_DEFAULT)
    .option('--json', 'print one JSON object', false)
    .action(async (options) => {
      const { check } = await import('./check.js');
      exit(await check(options));
    });
}

function addPlanned(program: Command, name: string, description: string): void {
  program
    .command(name)
    .description(`${description} (not in this version)`)
    .option('--json', 'print one JSON object')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new CommandError(ExitCode.Failed, unsupportedError(`phantomd ${name}`));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > PORT_MAX)
    throw new InvalidArgumentError(`a port is a number from 0 to ${PORT_MAX}.`);
  return port;
}

/** Of the package: its manifest lies one folder up from here, whether this runs from sources or built. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

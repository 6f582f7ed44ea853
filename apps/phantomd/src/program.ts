/** The commands and their arguments. Each command is loaded when it is run: `--help` costs none of them. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { unsupportedError } from '@phantom/base';
import { type GivenFlags, resolveSettings } from './config/resolve.js';
import { SERVE_SETTINGS, SERVE_SETTING_NAMES, flagOf } from './config/serve-settings.js';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';
import type { OutputFormat } from './sql/format.js';
import type { RestoreArguments } from './restore.js';
import type { TargetOptions } from './sql/open-target.js';

const DATA_DEFAULT = './phantom-data';

/** Commands whose place is kept: each says what it will do, and that it does not yet. */
const PLANNED: readonly (readonly [name: string, description: string])[] = [['bench', 'measure this machine']];

/** The program; `exit` gets the code of the command that ran. Usage errors end the process with code 1, by commander. */
export function makeProgram(exit: (code: ExitCode) => void): Command {
  const program = new Command('phantomd')
    .description('Phantom-DB: a database that psql, pg and your ORM already speak to')
    .version(version())
    // All options of a command would push the error off the screen.
    .showHelpAfterError('Try --help behind the command.');
  addServe(program, exit);
  addConfig(program, exit);
  addToken(program, exit);
  addSql(program, exit);
  addImport(program, exit);
  addExport(program, exit);
  addCheck(program, exit);
  addRepair(program, exit);
  addBackup(program, exit);
  addRestore(program, exit);
  for (const [name, description] of PLANNED) addPlanned(program, name, description);
  return program;
}

function addServe(program: Command, exit: (code: ExitCode) => void): void {
  const command = program.command('serve').description('serve a data directory to clients');
  addSettings(command).action(async (flags: GivenFlags) => {
    const resolved = resolveSettings(flags, process.env);
    const { serve } = await import('./serve.js');
    exit(await serve(resolved));
  });
}

function addConfig(program: Command, exit: (code: ExitCode) => void): void {
  const command = program
    .command('config')
    .description('show the settings that "serve" would run with, and where each comes from');
  addSettings(command)
    .option('--json', 'print one array of JSON, with descriptions', false)
    .action(async ({ json, ...flags }: GivenFlags & { json: boolean }) => {
      const { showConfig } = await import('./config/command.js');
      exit(showConfig(resolveSettings(flags, process.env), json));
    });
}

/** The settings of `serve` as options, without defaults of commander's own: what was not given comes from elsewhere. */
function addSettings(command: Command): Command {
  for (const name of SERVE_SETTING_NAMES) {
    const { description, placeholder, fallback } = SERVE_SETTINGS[name];
    const option = placeholder === undefined ? flagOf(name) : `${flagOf(name)} <${placeholder}>`;
    const shown = fallback === undefined || fallback === false ? '' : ` (default: ${fallback})`;
    command.option(option, description + shown);
  }
  return command
    .option('--config <file>', 'settings in one object of JSON, by their names in "phantomd config"')
    .addHelpText(
      'after',
      '\nEach may also come from the environment: --pg-port as PHANTOM_PG_PORT. A flag wins over it, and it over the file.',
    );
}

function addToken(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('token')
    .description('make a token for HTTP: it is printed once, with the line that lets it in')
    .requiredOption('--role <name>', 'whom it acts as')
    .option('--database <name>', 'where', 'phantom')
    .option('--json', 'print one JSON object', false)
    .action(async ({ role, database, json }: { role: string; database: string; json: boolean }) => {
      const { makeToken } = await import('@phantom/server');
      const made = makeToken({ role, database });
      const text = `token: ${made.token}\nline for the file of --http-tokens: ${made.line}\n`;
      process.stdout.write(json ? `${JSON.stringify(made)}\n` : text);
      exit(ExitCode.Done);
    });
}

function addSql(program: Command, exit: (code: ExitCode) => void): void {
  const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
  addTarget(program.command('sql'))
    .description('run SQL, or type it: against a data directory, or against a server')
    .option(
      '-c, --command <sql>',
      'run this, in one transaction, or one line like "\\d t"; may be given more than once',
      collect,
    )
    .option('-f, --file <file>', 'run the statements of this file, "-" for stdin; may be given more than once', collect)
    .addOption(new Option('--csv', 'print rows as CSV').conflicts('json'))
    .addOption(new Option('--box', 'print rows in boxes').conflicts(['json', 'csv']))
    .option('--json', 'print one JSON object for each statement')
    .action(async (options) => {
      const { sql } = await import('./sql/command.js');
      exit(
        await sql({
          ...targetOf(options),
          commands: options.command ?? [],
          files: options.file ?? [],
          format: formatOf(options),
        }),
      );
    });
}

function formatOf({ json, csv, box }: { json?: boolean; csv?: boolean; box?: boolean }): OutputFormat {
  if (json === true) return 'json';
  if (csv === true) return 'csv';
  return box === true ? 'box' : 'aligned';
}

/** What a command works on: a directory, or a server. */
function addTarget(command: Command): Command {
  return command
    .option('--data <dir>', `data directory to open in this process (default: ${DATA_DEFAULT})`)
    .option('--database <name>', 'database in the data directory', 'phantom')
    .addOption(new Option('--url <url>', 'server to connect to: postgres://user@host:port/database').conflicts('data'));
}

function targetOf({ data, url, database }: Partial<TargetOptions>): TargetOptions {
  return { ...(url === undefined ? { data: data ?? DATA_DEFAULT } : { url }), database: database as string };
}

function addImport(program: Command, exit: (code: ExitCode) => void): void {
  addTarget(program.command('import'))
    .description(
      'load a file: rows of CSV, NDJSON or JSON into a table, a script such as pg_dump writes, or an SQLite database',
    )
    .argument('<file>', '"-" for stdin')
    .option('--table <name>', 'table for the rows, as SQL would name it; of an SQLite database the one to take')
    .addOption(
      new Option('--format <format>', 'default: by the name of the file').choices([
        'csv',
        'ndjson',
        'json',
        'sql',
        'sqlite',
      ]),
    )
    .option('--create', 'make the table, with columns and types as the records have them', false)
    .option('--no-header', 'CSV has no record with the names of its columns')
    .option('--columns <names>', 'columns of CSV without a header, with commas between them', (names) =>
      names.split(','),
    )
    .option('--delimiter <character>', 'between values of CSV (default: a tab in files named .tsv, else ",")')
    .option('--null <text>', 'what stands for NULL in CSV', '')
    .option('--encoding <name>', 'of the text, for example windows-1252 (default: UTF-8, or UTF-16 where it is marked)')
    .addOption(
      new Option('--on-error <choice>', 'a bad record ends the import and undoes it, or is left out and told of')
        .choices(['abort', 'skip'])
        .default('abort'),
    )
    .option('--report <file>', 'where to write what was left out, as NDJSON')
    .option('--json', 'print one JSON object', false)
    .action(async (file: string, options) => {
      const { importFile } = await import('./import/command.js');
      exit(await importFile({ ...options, ...targetOf(options), file }));
    });
}

function addExport(program: Command, exit: (code: ExitCode) => void): void {
  addTarget(program.command('export'))
    .description('write a table, or what a query answers, to a file')
    .option('--table <name>', 'table, as SQL would name it')
    .option('--query <sql>', 'a SELECT')
    .addOption(
      new Option(
        '--format <format>',
        'default: by the name of the file, else csv; sql is a COPY statement with its data',
      ).choices(['csv', 'ndjson', 'json', 'sql']),
    )
    .option('--delimiter <character>', 'between values of CSV (default: a tab in files named .tsv, else ",")')
    .option('--output <file>', '"-" for stdout', '-')
    .option('--json', 'print one JSON object with what was written', false)
    .action(async (options) => {
      const { exportRows } = await import('./export/command.js');
      exit(await exportRows({ ...options, ...targetOf(options) }));
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

function addRepair(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('repair')
    .description(
      'make a sound data directory of what can be read of a damaged one, which stays as it is; exit code 3 when something is lost',
    )
    .option('--data <dir>', 'data directory that nobody serves now', DATA_DEFAULT)
    .option('--to <dir>', 'where to: empty, or not there (default: the name of the data directory with "-repaired")')
    .option('--dry-run', 'look and report, and write nothing', false)
    .option('--log-past-damage', 'take whole commits of the log behind its first damage, too', false)
    .option('--json', 'print one JSON object', false)
    .action(async (options) => {
      const { repair } = await import('./repair.js');
      exit(await repair(options));
    });
}

function addBackup(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('backup')
    .description(
      'copy all databases into a directory that can be served like any other; it is read back before it counts',
    )
    .argument('<dir>', 'where to: empty, or not there; with --url as the server sees it')
    .option('--data <dir>', `data directory that nobody serves now (default: ${DATA_DEFAULT})`)
    .addOption(
      new Option(
        '--url <url>',
        'server that makes it while it serves: postgres://superuser@host:port/database',
      ).conflicts('data'),
    )
    .option('--json', 'print one JSON object', false)
    .action(async (out: string, { data, url, json }: { data?: string; url?: string; json: boolean }) => {
      const { backup } = await import('./backup.js');
      exit(await backup({ ...(url === undefined ? { data: data ?? DATA_DEFAULT } : { url }), out, json }));
    });
}

function addRestore(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('restore')
    .description('make a data directory from a backup, or of any moment from an archive; both stay as they are')
    .argument('[dir]', 'directory that "backup" made; with --archive the data directory to make')
    .option('--data <dir>', `data directory to make: empty, or not there (default: ${DATA_DEFAULT})`)
    .option('--archive <dir>', 'archive that "serve --archive-directory" keeps; without a target all that it has')
    .option('--to-time <time>', 'up to this moment, such as 2026-11-23T18:00:00Z (without a zone: local time)')
    .addOption(new Option('--to-seq <seq>', 'up to this commit').conflicts('toTime'))
    .addOption(
      new Option('--to-name <name>', 'up to the point that pg_create_restore_point made').conflicts([
        'toTime',
        'toSeq',
      ]),
    )
    .option('--json', 'print one JSON object', false)
    .action(async (dir: string | undefined, options: Omit<RestoreArguments, 'dir'>) => {
      const { chosenRestore } = await import('./restore.js');
      exit(await chosenRestore({ ...options, dir }, DATA_DEFAULT));
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

/** Of the package: its manifest lies one folder up from here, whether this runs from sources or built. */
function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** What HTTP offers, in OpenAPI 3.1. */
import { DASHBOARD_PAGES } from './dashboard-queries.js';

const error = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message'],
      properties: {
        code: { type: 'string', description: 'SQLSTATE; missing when the request was none' },
        message: { type: 'string' },
        detail: { type: 'string' },
        hint: { type: 'string' },
        position: { type: 'integer', description: 'Character of the statement, from 1' },
        schema: { type: 'string' },
        table: { type: 'string' },
        column: { type: 'string' },
        constraint: { type: 'string' },
        retryable: { type: 'boolean', description: 'The same request may succeed when it is sent again' },
      },
    },
  },
};

const fields = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'type'],
    properties: { name: { type: 'string' }, type: { type: 'string' } },
  },
};

const row = { oneOf: [{ type: 'object' }, { type: 'array' }] };

const refused = (description: string): object => ({ description, content: { 'application/json': { schema: error } } });

const said = (properties: object): object => ({
  'application/json': { schema: { type: 'object', required: ['status'], properties } },
});

const status = { status: { type: 'string' } };

/** The description, as GET /v1/openapi.json answers it. */
export const openApi = {
  openapi: '3.1.0',
  info: { title: 'Phantom-DB', version: '1', description: 'One statement a request, and what operators look at.' },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/v1/query': {
      post: {
        summary: 'Runs one statement in a transaction of its own, as the role and in the database of the token.',
        security: [{ token: [] }],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['sql'],
                additionalProperties: false,
                properties: {
                  sql: { type: 'string', examples: ['select * from product where price < $1'] },
                  parameters: { type: 'array', description: 'Values of $1, $2, ...; numbers keep every digit.' },
                  rows: { enum: ['objects', 'arrays'], default: 'objects' },
                  timeoutMs: { type: 'integer', minimum: 1, maximum: 2_147_483_647 },
                },
              },
            },
          },
        },
        responses: {
          200: {
            description:
              'The result, committed. Line by line where Accept asks for it: the fields, the rows, then the command or an error.',
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['fields', 'rows', 'command', 'rowCount'],
                  properties: {
                    fields,
                    rows: { type: 'array', items: row },
                    command: { type: 'string', examples: ['SELECT 2'] },
                    rowCount: { type: 'integer' },
                  },
                },
              },
              'application/x-ndjson': { schema: row },
            },
          },
          400: refused('The request, the statement or a value is wrong.'),
          401: refused('No token, or one that is not known.'),
          403: refused('The role may not do that.'),
          408: refused('The statement took too long.'),
          409: refused('Another transaction was first.'),
          413: refused('The request or its result is too long.'),
          415: refused('The body is not JSON, or is compressed.'),
          429: refused('All places are taken.'),
          500: refused('A defect, or a disk that fails.'),
          501: refused('There is no such feature.'),
          503: refused('The server stops or is starting up, or is out of memory or disk.'),
        },
      },
    },
    '/v1/dashboard': {
      get: {
        summary: 'What a page of the dashboard shows, as the role and in the database of the token.',
        security: [{ token: [] }],
        parameters: [
          { name: 'page', in: 'query', schema: { enum: Object.keys(DASHBOARD_PAGES), default: 'overview' } },
          {
            name: 'window',
            in: 'query',
            description: 'Seconds of history',
            schema: { type: 'integer', maximum: 3600 },
          },
          {
            name: 'since',
            in: 'query',
            description: 'Only history later than this, in ms',
            schema: { type: 'integer' },
          },
        ],
        responses: {
          200: { description: 'Metrics, their history, and the rows or the error of each statement.' },
          400: refused('There is no such page.'),
          401: refused('No token, or one that is not known.'),
          403: refused('There is no such role any more.'),
          429: refused('All places are taken.'),
          503: refused('The database is starting up.'),
        },
      },
    },
    '/v1/dashboard/check': {
      post: {
        summary: 'Reads all files and documents, and says what is wrong with them; for superusers.',
        security: [{ token: [] }],
        responses: {
          200: { description: 'How much was found, and the first of it.' },
          401: refused('No token, or one that is not known.'),
          403: refused('The role is no superuser.'),
          503: refused('The database is starting up.'),
        },
      },
    },
    '/healthz': {
      get: {
        summary: 'Whether the process answers.',
        responses: {
          200: {
            description: 'It does; and how many places of its files cannot be read, where some cannot.',
            content: said({ ...status, damagedPlaces: { type: 'integer' } }),
          },
        },
      },
    },
    '/readyz': {
      get: {
        summary: 'Whether the database takes writes.',
        responses: {
          200: { description: 'It does.', content: said(status) },
          503: { description: 'It does not.', content: said({ ...status, reason: { type: 'string' } }) },
        },
      },
    },
    '/metrics': {
      get: {
        summary: 'Metrics in the text format of Prometheus.',
        responses: { 200: { description: 'All of them.' }, 503: refused('The database is starting up.') },
      },
    },
  },
} as const;

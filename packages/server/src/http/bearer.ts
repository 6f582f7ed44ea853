/** Whose token a request brings. */
import type { IncomingMessage } from 'node:http';
import type { Access, AccessTokens } from '../auth/access-tokens.js';
import { HttpError } from './answer.js';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="phantomd"' };

/** What the token of a request opens; HttpError with 401 without a known one. */
export function accessOf(request: IncomingMessage, tokens: AccessTokens | undefined): Access {
  if (tokens === undefined)
    throw new HttpError(401, 'the server has been given no tokens, so nobody may ask', CHALLENGE);
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new HttpError(401, 'a bearer token is needed', CHALLENGE);
  const access = tokens.accessOf(token);
  if (access === undefined) throw new HttpError(401, 'the token is not known', CHALLENGE);
  return access;
}

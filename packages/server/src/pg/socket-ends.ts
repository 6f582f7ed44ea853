/** Both ends of a socket, as spans and sessions tell of them. */
import type { Socket } from 'node:net';
import type { SpanAttributes } from '@phantom/base';
import type { ConnectionEncryption, ConnectionEnds } from '@phantom/db/session';

/** From where a client comes, for its span. */
export function placeOf({ remoteAddress, remotePort }: Socket): SpanAttributes {
  if (remoteAddress === undefined || remotePort === undefined) return {};
  return { 'client.address': remoteAddress, 'client.port': remotePort };
}

/** Both ends of a socket, and how it is encrypted; undefined once it is closed. */
export function endsOf(
  { remoteAddress, remotePort, localAddress, localPort }: Socket,
  encryption: ConnectionEncryption | undefined,
): ConnectionEnds | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return {
    client: { address: remoteAddress, port: remotePort },
    server: { address: localAddress, port: localPort },
    encryption,
  };
}

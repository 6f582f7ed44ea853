/** Functions of PostgreSQL 15's pg_proc about sessions and the catalog. The form of a line is told in definitions.ts. */
export const catalogFunctionFacts = `
3035 pg_listening_channels - 25 sxr pg_listening_channels
3036 pg_notify 25,25 2278 v pg_notify
3296 pg_notification_queue_usage - 701 vx pg_notification_queue_usage
`;

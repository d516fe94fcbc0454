/** The configuration: schema, file, environment, secrets → one frozen {@link Config}. */
export { VARIABLES } from './environment.ts';
export { NOTIFICATION_EVENTS } from './events.ts';
export { DEFAULT_CONFIG_PATH } from './file.ts';
export { configJsonSchema, configJsonSchemaText } from './json-schema.ts';
export { type ConfigOverrides, type LoadedConfig, type LoadOptions, loadConfig } from './load.ts';
export type {
  AfterCommitConfig,
  Config,
  LoginConfig,
  MailboxConfig,
  MailboxSignIn,
  NotifyConfig,
  OAuth2Config,
  OffsiteConfig,
  RcloneConfig,
  ResticConfig,
  WebConfig,
} from './schema.ts';
export { describeConfig } from './shape.ts';

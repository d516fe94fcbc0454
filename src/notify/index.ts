/** Notifications to people: messages go from the outbox to the services of the configured addresses. */
export { digestOf } from './digest.ts';
export { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { serviceBack, serviceFailing, tellsOf } from './failing.ts';
export type { Fetch } from './fetch.ts';
export { type Beat, type HeartbeatAddress, openHeartbeat, RETRY_PAUSES_MS } from './heartbeats/index.ts';
export { type Message, messageSchema, type NotificationEvent, notificationEventSchema } from './message.ts';
export type { Delivery, Outbox } from './outbox.ts';
export { parseAddress } from './parse-address.ts';
export { DeliveryError, type RetryAdvice, type SendOptions, type Service } from './service.ts';
export { isWanted, type Subscription, type Wishes } from './wishes.ts';

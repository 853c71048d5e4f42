/* A program's side of the device protocol (PROTOCOL.md): what an app needs to talk with a board that runs the
   firmware. The app brings the connection, as a Link. */

export { Board, type BoardListener } from "./board";
export { type ClientListener, ProtocolClient } from "./client";
export { type Ack, type Link, NoAnswerError, type RunOptions } from "./commands";
export { Conversation, type ConversationListener } from "./conversation";
export { escapeLine } from "./escape";
export type { Progress } from "./fetching";
export { type DeviceStatus, parseEvent, parseStatus, parseText } from "./parse-line";
export { Restarted } from "./restart";
export { verifyCheckpoint } from "./verify-checkpoint";
export type * from "../gpt/training/events";
export type * from "../protocol/events";
export { type DeviceLine, LARGEST_ID } from "../protocol/lines";

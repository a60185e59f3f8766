/** Where it is said what became of notifications. No address, no label and no id goes there. */
export interface NotifyLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** What may be said of an error. */
  describe(error: unknown): object;
}

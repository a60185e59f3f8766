const noAnswer = (milliseconds: number) => new Error(`No answer within ${milliseconds} ms.`);

/** Rejects, with what `late` makes, where the work has not settled by then. It goes on, and may still be done. */
export async function within<T>(
  milliseconds: number,
  work: Promise<T>,
  late: (milliseconds: number) => Error = noAnswer,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(milliseconds)), milliseconds);
    timer.unref();
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

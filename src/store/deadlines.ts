/** What falls due, the earliest first: a binary heap, so that a look costs nothing while nothing is due. */
export interface Deadlines<T> {
  add(at: number, item: T): void;
  /** Removes and returns one item whose time has come, or undefined. */
  takeDue(now: number): T | undefined;
  clear(): void;
}

export function createDeadlines<T>(): Deadlines<T> {
  let heap: { at: number; item: T }[] = [];
  const timeAt = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY;

  function swap(a: number, b: number): void {
    const [left, right] = [heap[a], heap[b]];
    if (!left || !right) return;
    heap[a] = right;
    heap[b] = left;
  }

  return {
    add(at, item) {
      let index = heap.push({ at, item }) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (timeAt(parent) <= at) break;
        swap(index, parent);
        index = parent;
      }
    },
    takeDue(now) {
      const first = heap[0];
      if (!first || first.at > now) return undefined;
      swap(0, heap.length - 1);
      heap.pop();
      for (let index = 0; ; ) {
        const left = 2 * index + 1;
        const earlier = timeAt(left + 1) < timeAt(left) ? left + 1 : left;
        if (timeAt(earlier) >= timeAt(index)) break;
        swap(index, earlier);
        index = earlier;
      }
      return first.item;
    },
    clear() {
      heap = [];
    },
  };
}

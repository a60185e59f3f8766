/** Sentences as a list, which goes away where there are none. */
export function showWordList(list: HTMLElement, words: readonly string[]): void {
  list.hidden = words.length === 0;
  list.replaceChildren(
    ...words.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = sentence;
      return item;
    }),
  );
}

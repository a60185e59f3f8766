/** A link in "My links", newest first. */
export interface RememberedLink {
  readonly receiptFragment: string;
  readonly label: string;
}

/** Runs in a page of ours: what src/browser/my-links.ts would have kept. */
export function putLinks(links: readonly RememberedLink[]): void {
  const [createdAt, expiresAt] = [Date.now() - 3_600_000, Date.now() + 82_800_000].map((time) =>
    new Date(time).toISOString(),
  );
  const list = links.map(({ receiptFragment, label }) => ({
    receipt: receiptFragment,
    label,
    createdAt,
    expiresAt,
  }));
  localStorage.setItem("waxseal.links /", JSON.stringify(list));
}

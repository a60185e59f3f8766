import { formatReceiptFragment, parseReceiptFragment } from "../envelope/tokens.ts";

/**
 * "My links": receipts that a sender has asked this browser to keep. They stay in localStorage and go
 * nowhere else; a receipt can see what became of a secret and delete it, but not open it. Several
 * Waxseals under one origin, each below its own path, keep to themselves.
 */
const PLACE = new URL("..", import.meta.url).pathname;
const LINKS = `waxseal.links ${PLACE}`;
const REMEMBER = `waxseal.remember ${PLACE}`;
/** What doesn't fit any more is the oldest. */
const MOST = 500;
/** Characters. */
export const LONGEST_LABEL = 100;

export interface MyLink {
  /** What stands after `/r#`. */
  readonly receiptFragment: string;
  /** May be empty. */
  readonly label: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** The server has said that it doesn't know it any more, and is asked again only when told to. */
  readonly unknown: boolean;
}

/** What storage holds may be somebody else's, or an older or newer version's: what isn't ours is passed over. */
function parseLink(value: unknown): MyLink | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { receipt, label, createdAt, expiresAt, unknown } = value as Record<string, unknown>;
  if (typeof receipt !== "string" || typeof label !== "string") return undefined;
  const times = [createdAt, expiresAt].map((time) => new Date(typeof time === "string" ? time : Number.NaN));
  const [made, expires] = times;
  if (!made || !expires || times.some((time) => Number.isNaN(time.getTime()))) return undefined;
  const parsed = parseReceiptFragment(receipt);
  if (!parsed) return undefined;
  return {
    receiptFragment: formatReceiptFragment(parsed.id, parsed.proof),
    label: label.slice(0, LONGEST_LABEL),
    createdAt: made,
    expiresAt: expires,
    unknown: unknown === true,
  };
}

/** The newest first. Empty where storage is off. */
export function readLinks(): MyLink[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(LINKS) ?? "[]");
    const known = new Map<string, MyLink>();
    for (const value of Array.isArray(list) ? list : []) {
      const link = parseLink(value);
      if (link && !known.has(link.receiptFragment)) known.set(link.receiptFragment, link);
    }
    return [...known.values()].slice(0, MOST);
  } catch {
    return [];
  }
}

/** False where storage is off or full. */
export function canRemember(): boolean {
  return write(`${LINKS} try`, "") && write(`${LINKS} try`, undefined);
}

/** False where the browser won't keep it: storage that is off or full. */
function write(key: string, value: string | undefined): boolean {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

function writeLinks(links: readonly MyLink[]): boolean {
  const list = links.slice(0, MOST).map(({ receiptFragment, label, createdAt, expiresAt, unknown }) => ({
    receipt: receiptFragment,
    label,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ...(unknown && { unknown }),
  }));
  return write(LINKS, list.length > 0 ? JSON.stringify(list) : undefined);
}

/** Whether the person wants new links remembered. Off until they say so. */
export function isRemembering(): boolean {
  try {
    return localStorage.getItem(REMEMBER) === "yes";
  } catch {
    return false;
  }
}

/** False where the browser won't keep it. */
export function setRemembering(on: boolean): boolean {
  return write(REMEMBER, on ? "yes" : undefined);
}

/**
 * Keeps a receipt, or gives one that is kept another label. Does nothing unless the person opted in.
 * False where nothing was kept.
 */
export function rememberLink({
  label,
  receiptFragment,
  expiresAt,
}: Pick<MyLink, "label" | "receiptFragment" | "expiresAt">): boolean {
  if (!isRemembering()) return false;
  const links = readLinks();
  const known = links.find((link) => link.receiptFragment === receiptFragment);
  const link = {
    receiptFragment,
    label: label.trim().slice(0, LONGEST_LABEL),
    createdAt: known?.createdAt ?? new Date(),
    expiresAt,
    unknown: false,
  };
  return writeLinks(known ? links.map((other) => (other === known ? link : other)) : [link, ...links]);
}

export function noteUnknown(receiptFragment: string, unknown: boolean): void {
  writeLinks(
    readLinks().map((link) => (link.receiptFragment === receiptFragment ? { ...link, unknown } : link)),
  );
}

export function forgetLink(receiptFragment: string): boolean {
  return writeLinks(readLinks().filter((link) => link.receiptFragment !== receiptFragment));
}

/** Back to the beginning: no link is kept, and new ones aren't either. */
export function forgetAllLinks(): boolean {
  return write(LINKS, undefined) && setRemembering(false);
}

/** Calls back when another tab has changed the list. */
export function watchLinks(onChange: () => void): void {
  addEventListener("storage", ({ key }) => {
    if (key === LINKS || key === null) onChange();
  });
}

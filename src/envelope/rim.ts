import { idBytes, type SecretId } from "./tokens.ts";

const CENTRE = 60;

/**
 * The outline of a wax seal in a 120 × 120 box, as SVG path data: sixteen drops of wax, shaped by the
 * sixteen bytes of the public id. Sender and recipient see the same mark; the key has no part in it.
 * Without an id: an even rim.
 */
export function sealRim(id?: SecretId): string {
  const bytes = id ? idBytes(id) : new Uint8Array(16).fill(0x88);
  const points: [number, number][] = [];
  bytes.forEach((byte, drop) => {
    points.push(polar(drop, 51 + (byte >> 4) * 0.45));
    points.push(polar(drop + 0.5, 45.5 + (byte & 15) * 0.3));
  });
  const curves = points.map((point, i) => {
    const [x, y] = midpoint(point, points[(i + 1) % points.length] ?? point);
    return `Q${round(point[0])} ${round(point[1])} ${round(x)} ${round(y)}`;
  });
  const [startX, startY] = midpoint(points.at(-1) ?? [0, 0], points[0] ?? [0, 0]);
  return `M${round(startX)} ${round(startY)}${curves.join("")}Z`;
}

function polar(drop: number, radius: number): [number, number] {
  const angle = (drop / 16) * 2 * Math.PI;
  return [CENTRE + radius * Math.sin(angle), CENTRE - radius * Math.cos(angle)];
}

const midpoint = (a: readonly [number, number], b: readonly [number, number]): [number, number] => [
  (a[0] + b[0]) / 2,
  (a[1] + b[1]) / 2,
];

const round = (value: number) => Math.round(value * 10) / 10;

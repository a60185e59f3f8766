/** "1 MB", "1.3 MB": binary units under their everyday names, as file managers show them. */
export function formatBytes(bytes: number): string {
  if (bytes === 1) return "1 byte";
  const units = ["bytes", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // Rounded up, so that something just over the limit never reads as the limit itself.
  return `${Math.ceil(value * 10) / 10} ${units[unit]}`;
}

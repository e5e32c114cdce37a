// What is downloaded is made here: a file of NumPy's, a table, a text.

export function save(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export interface Member {
  name: string;
  dtype: string;
  shape: number[];
  bytes: ArrayBuffer;
}

/** An array as a .npy, version 1. */
function npy({ dtype, shape, bytes }: Member): Uint8Array<ArrayBuffer> {
  const dimensions = shape.map((length) => `${length},`).join(" ");
  const head = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const size = Math.ceil((10 + head.length + 1) / 64) * 64;
  const made = new Uint8Array(size + bytes.byteLength);
  made.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(made.buffer).setUint16(8, size - 10, true);
  made.set(new TextEncoder().encode(`${head.padEnd(size - 11)}\n`), 10);
  made.set(new Uint8Array(bytes), size);
  return made;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Arrays as a .npz: a ZIP whose members are stored as they are. */
export function npz(members: readonly Member[]): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const central: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const member of members) {
    const data = npy(member);
    const name = new TextEncoder().encode(`${member.name}.npy`);
    const fields = new DataView(new ArrayBuffer(26));
    // Version 2.0; names in UTF-8; stored; the first day that a ZIP can tell.
    [20, 0x800, 0, 0, 0x21].forEach((value, index) => {
      fields.setUint16(2 * index, value, true);
    });
    fields.setUint32(10, crc32(data), true);
    fields.setUint32(14, data.length, true);
    fields.setUint32(18, data.length, true);
    fields.setUint16(22, name.length, true);
    const shared = new Uint8Array(fields.buffer);
    const local = new Uint8Array([0x50, 0x4b, 3, 4, ...shared, ...name]);
    const where = new DataView(new ArrayBuffer(14));
    where.setUint32(10, offset, true);
    central.push(
      new Uint8Array([0x50, 0x4b, 1, 2, 20, 0, ...shared, ...new Uint8Array(where.buffer), ...name]),
    );
    parts.push(local, data);
    offset += local.length + data.length;
  }
  const size = central.reduce((sum, each) => sum + each.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, members.length, true);
  end.setUint16(10, members.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...central, new Uint8Array(end.buffer)], { type: "application/zip" });
}

export function csv(head: readonly string[], rows: Iterable<readonly (string | number)[]>): string {
  const lines = [head.join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return `${lines.join("\n")}\n`;
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function unsigned(values: readonly string[]): ArrayBuffer {
  return BigUint64Array.from(values, BigInt).buffer;
}

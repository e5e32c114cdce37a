import { Code, ConnectError } from "@connectrpc/connect";
import { crc32c } from "@node-rs/crc32";

import type { ResultChunk, ResultHeader } from "./gen/basicaer/v1/job_service_pb.js";

/** A part of a result on its way. */
export class Download {
  readonly #part: string;
  #header: ResultHeader | undefined;
  #data = new Uint8Array();
  #position = 0;

  constructor(part: string) {
    this.#part = part;
  }

  /** How many bytes have arrived. */
  get position(): number {
    return this.#position;
  }

  get complete(): boolean {
    return this.#header !== undefined && this.#position === this.#data.length;
  }

  get etag(): string {
    return this.#header?.etag ?? "";
  }

  /** Makes room at the first header; a later one repeats it, since the request had its etag. */
  begin(header: ResultHeader): void {
    if (this.#header) return;
    this.#header = header;
    this.#data = new Uint8Array(Number(header.array?.sizeBytes ?? 0));
  }

  add(chunk: ResultChunk): void {
    if (Number(chunk.offset) !== this.#position || crc32c(chunk.data) !== chunk.crc32c) {
      throw new ConnectError(
        `the chunk at ${chunk.offset} of ${this.#part} arrived damaged`,
        Code.Unavailable,
      );
    }
    this.#data.set(chunk.data, this.#position);
    this.#position += chunk.data.length;
  }

  /** Throws unless the whole has the checksum that the header gave. */
  check(): void {
    if (crc32c(this.#data) !== this.#header?.array?.crc32c) {
      throw new ConnectError(`${this.#part} differs from its checksum: read it again`, Code.DataLoss);
    }
  }

  bytes(): Uint8Array {
    return this.#data;
  }

  /** The elements of a complex array, real and imaginary parts by turns. */
  complex(): Float64Array {
    const view = new DataView(this.#data.buffer);
    const dtype = this.#header?.array?.dtype;
    switch (dtype) {
      case "<c16":
        return Float64Array.from({ length: this.#data.length / 8 }, (_, index) =>
          view.getFloat64(8 * index, true),
        );
      case "<c8":
        return Float64Array.from({ length: this.#data.length / 4 }, (_, index) =>
          view.getFloat32(4 * index, true),
        );
      default:
        throw new ConnectError(
          `${this.#part} has the dtype ${dtype}, which is not complex`,
          Code.InvalidArgument,
        );
    }
  }
}

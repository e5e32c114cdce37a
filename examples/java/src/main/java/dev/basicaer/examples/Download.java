package dev.basicaer.examples;

import com.google.protobuf.ByteString;
import dev.basicaer.v1.ResultChunk;
import dev.basicaer.v1.ResultHeader;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** A part of a result on its way. */
final class Download {
  private final String part;
  private ResultHeader header;
  private byte[] data;
  private int position;

  Download(String part) {
    this.part = part;
  }

  /** How many bytes have arrived. */
  int position() {
    return position;
  }

  boolean complete() {
    return header != null && position == data.length;
  }

  String etag() {
    return header == null ? "" : header.getEtag();
  }

  /** Makes room at the first header; a later one repeats it, since the request had its etag. */
  void begin(ResultHeader first) {
    if (header != null) {
      return;
    }
    long size = first.getArray().getSizeBytes();
    if (size < 0 || size > Integer.MAX_VALUE - 8) {
      throw Status.OUT_OF_RANGE
          .withDescription(part + " exceeds a Java array: read it in pieces, with read_limit")
          .asRuntimeException();
    }
    header = first;
    data = new byte[(int) size];
  }

  void add(ResultChunk chunk) {
    ByteString bytes = chunk.getData();
    if (chunk.getOffset() != position
        || crc32c(bytes.asReadOnlyByteBuffer()) != chunk.getCrc32C()) {
      throw Status.UNAVAILABLE
          .withDescription("the chunk at " + chunk.getOffset() + " of " + part + " arrived damaged")
          .asRuntimeException();
    }
    bytes.copyTo(data, position);
    position += bytes.size();
  }

  /** Throws unless the whole has the checksum that the header gave. */
  void check() {
    if (crc32c(ByteBuffer.wrap(data)) != header.getArray().getCrc32C()) {
      throw Status.DATA_LOSS
          .withDescription(part + " differs from its checksum: read it again")
          .asRuntimeException();
    }
  }

  byte[] bytes() {
    return data;
  }

  ComplexArray complex() {
    ByteBuffer buffer = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    String dtype = header.getArray().getDtype();
    boolean isDouble = dtype.equals("<c16");
    if (!isDouble && !dtype.equals("<c8")) {
      throw Status.INVALID_ARGUMENT
          .withDescription(part + " has the dtype " + dtype + ", which is not complex")
          .asRuntimeException();
    }
    double[] real = new double[data.length / (isDouble ? 16 : 8)];
    double[] imaginary = new double[real.length];
    for (int index = 0; index < real.length; index++) {
      real[index] = isDouble ? buffer.getDouble() : buffer.getFloat();
      imaginary[index] = isDouble ? buffer.getDouble() : buffer.getFloat();
    }
    return new ComplexArray(real, imaginary);
  }

  /** As the contract's fixed32 arrives in Java. */
  private static int crc32c(ByteBuffer bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return (int) checksum.getValue();
  }
}

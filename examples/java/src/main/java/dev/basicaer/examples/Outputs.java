package dev.basicaer.examples;

import dev.basicaer.v1.ClassicalOutput;
import dev.basicaer.v1.ClassicalType;
import dev.basicaer.v1.Counts;
import dev.basicaer.v1.ProgramResult;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The typed values that a program's outcomes hold, read from their bits. */
public final class Outputs {
  /**
   * What a program's outputs held, by their names, in some of its shots. A value is a String of
   * bits, the last one first, for bit and bit[n]; a Boolean, a BigInteger, a Double (of an angle in
   * radians), a double[] of real and imaginary part, or a List of these along each axis of an
   * array.
   */
  public record Outcome(Map<String, Object> values, long count) {}

  private final BigInteger bits;
  private int at;

  private Outputs(BigInteger bits, int at) {
    this.bits = bits;
    this.at = at;
  }

  /**
   * The values of a program's typed outputs, with how often they were seen together. Floats of 16
   * bits are not read.
   */
  public static List<Outcome> of(ProgramResult program) {
    Counts counts = program.getCounts();
    List<Outcome> seen = new ArrayList<>();
    for (int index = 0; index < counts.getCountsCount(); index++) {
      BigInteger bits = BigInteger.ZERO;
      for (int word = counts.getWordsPerOutcome() - 1; word >= 0; word--) {
        long part = counts.getOutcomes(index * counts.getWordsPerOutcome() + word);
        bits = bits.shiftLeft(64).or(new BigInteger(Long.toUnsignedString(part)));
      }
      Map<String, Object> values = new LinkedHashMap<>();
      for (ClassicalOutput output : program.getHeader().getOutputsList()) {
        Outputs reader = new Outputs(bits, output.getClbit());
        values.put(output.getName(), reader.array(output.getType(), output.getShapeList()));
      }
      seen.add(new Outcome(values, counts.getCounts(index)));
    }
    return seen;
  }

  private Object array(ClassicalType type, List<Integer> shape) {
    if (shape.isEmpty()) {
      return scalar(type);
    }
    List<Object> elements = new ArrayList<>();
    for (int index = 0; index < shape.get(0); index++) {
      elements.add(array(type, shape.subList(1, shape.size())));
    }
    return elements;
  }

  private Object scalar(ClassicalType type) {
    int size = type.getWidth() == 0 ? 64 : type.getWidth();
    return switch (type.getKind()) {
      case CLASSICAL_KIND_BIT -> {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < Math.max(type.getWidth(), 1); bit++) {
          text.append(take(1));
        }
        yield text.reverse().toString();
      }
      case CLASSICAL_KIND_BOOL -> take(1).signum() == 1;
      case CLASSICAL_KIND_UINT -> take(size);
      case CLASSICAL_KIND_INT -> {
        BigInteger value = take(size);
        yield value.testBit(size - 1) ? value.subtract(BigInteger.ONE.shiftLeft(size)) : value;
      }
      case CLASSICAL_KIND_ANGLE -> Math.scalb(take(size).doubleValue(), -size) * 2 * Math.PI;
      case CLASSICAL_KIND_FLOAT -> real(size);
      case CLASSICAL_KIND_COMPLEX -> new double[] {real(size), real(size)};
      default -> throw new IllegalArgumentException(type.getKind() + " is newer than this client");
    };
  }

  private double real(int size) {
    return switch (size) {
      case 64 -> Double.longBitsToDouble(take(64).longValue());
      case 32 -> Float.intBitsToFloat(take(32).intValue());
      default -> throw new IllegalArgumentException("a float has " + size + " bits");
    };
  }

  /** Reads bits as an integer and moves behind them. */
  private BigInteger take(int size) {
    BigInteger mask = BigInteger.ONE.shiftLeft(size).subtract(BigInteger.ONE);
    BigInteger value = bits.shiftRight(at).and(mask);
    at += size;
    return value;
  }
}

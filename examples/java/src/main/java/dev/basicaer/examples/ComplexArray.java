package dev.basicaer.examples;

/** Complex numbers as two arrays, which is what Java has instead of a complex type. */
public record ComplexArray(double[] real, double[] imaginary) {
  /** How many numbers there are. */
  public int length() {
    return real.length;
  }
}

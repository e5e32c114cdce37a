/** A line of what was measured, the latest at the right. */
export function Line(props: { values: number[]; most: number; room: number; label: string }) {
  const { values, most, room, label } = props;
  const [width, height] = [240, 44];
  const step = width / (room - 1);
  const from = room - values.length;
  const points = values.map((value, index) => {
    const x = (from + index) * step;
    const y = height - 2 - (Math.min(value, most) / most) * (height - 6);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polyline points={points.join(" ")} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

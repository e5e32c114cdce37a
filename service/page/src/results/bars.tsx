// Bars, as many as there are: on a canvas, and as SVG for a file.
import { useEffect } from "preact/hooks";
import { useDark, useWidth } from "../common/hooks";

const HEIGHT = 180;
const NAMES = 24;
const WIDEST = 84;

interface Bar {
  x: number;
  width: number;
  height: number;
  colour: string;
}

interface Props {
  count: number;
  /** How high the bar of a place is, and in which colour; "" is the page's own. */
  value: (place: number) => number;
  colour?: (place: number) => string;
  label: string;
  /** What stands below a bar, where there is room. */
  name: (place: number) => string;
}

/** The bars in a picture: where more fall on a pixel than one, the highest. */
function barsOf(props: Props, width: number, own: string): Bar[] {
  const { count, value } = props;
  let most = 0;
  for (let place = 0; place < count; place += 1) most = Math.max(most, value(place));
  if (!most || !width) return [];
  const shown = Math.min(count, width);
  const step = Math.min(width / shown, WIDEST);
  const gap = step > 6 ? Math.min(step * 0.2, 8) : step > 3 ? 1 : 0;
  const bars: Bar[] = [];
  for (let column = 0; column < shown; column += 1) {
    const from = Math.floor((column * count) / shown);
    const to = Math.max(from + 1, Math.floor(((column + 1) * count) / shown));
    let best = from;
    for (let place = from + 1; place < to; place += 1) if (value(place) > value(best)) best = place;
    const height = (value(best) / most) * (HEIGHT - 8);
    bars.push({
      x: column * step,
      width: Math.max(step - gap, 1),
      height: value(best) ? Math.max(height, 1) : 0,
      colour: props.colour?.(best) || own,
    });
  }
  return bars;
}

/** Whether each bar has room for its name. */
function hasNames({ count, name }: Props, width: number): boolean {
  if (count > 64) return false;
  let longest = 0;
  for (let place = 0; place < count; place += 1) longest = Math.max(longest, name(place).length);
  return longest * 7.5 + 8 <= Math.min(width / count, WIDEST);
}

export function Bars(props: Props) {
  const [box, width] = useWidth<HTMLDivElement>();
  const dark = useDark();
  const named = hasNames(props, width);
  const height = HEIGHT + (named ? NAMES : 0);
  useEffect(() => {
    const canvas = box.current?.querySelector("canvas");
    const context = canvas?.getContext("2d");
    if (!canvas || !context || !width) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const bars = barsOf(props, width, style.getPropertyValue("--accent"));
    for (const bar of bars) {
      context.fillStyle = bar.colour;
      context.fillRect(bar.x, HEIGHT - bar.height, bar.width, bar.height);
    }
    if (named) {
      context.fillStyle = style.getPropertyValue("--muted");
      context.font = `12px ${style.getPropertyValue("--mono")}`;
      context.textAlign = "center";
      for (const [place, bar] of bars.entries())
        context.fillText(props.name(place), bar.x + bar.width / 2, HEIGHT + 16);
    }
  }, [props, width, dark, box, named, height]);
  return (
    <div class="bars" ref={box}>
      <canvas role="img" aria-label={props.label} style={{ height: `${height}px` }} />
    </div>
  );
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The same as a file, with names below the bars where there is room for them. */
export function barsSvg(props: Props): string {
  const width = 960;
  const named = props.count <= 32;
  const longest = named
    ? Math.max(...Array.from({ length: props.count }, (_, place) => props.name(place).length))
    : 0;
  const below = named ? longest * 7 + 16 : 8;
  const bars = barsOf(props, width, "#3b4fc4");
  const parts = bars.map((bar, place) => {
    const rect = `<rect x="${bar.x.toFixed(2)}" y="${(HEIGHT - bar.height).toFixed(2)}" width="${bar.width.toFixed(2)}" height="${bar.height.toFixed(2)}" fill="${bar.colour}"/>`;
    if (!named) return rect;
    const [x, y] = [bar.x + bar.width / 2, HEIGHT + 10];
    return `${rect}<text transform="translate(${x.toFixed(2)} ${y}) rotate(90)" dominant-baseline="middle">${escaped(props.name(place))}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + below}" font-family="monospace" font-size="11"><title>${escaped(props.label)}</title><path d="M0 ${HEIGHT}.5H${width}" stroke="#888"/>${parts.join("")}</svg>\n`;
}

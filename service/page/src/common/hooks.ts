import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** The time, told anew every so many milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), every);
    return () => window.clearInterval(timer);
  }, [every]);
  return now;
}

/** Calls `work` at once and then, while the page is seen, so long after each end of it. */
export function usePolling(work: (signal: AbortSignal) => Promise<void>, every: number, key: string): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const ending = new AbortController();
    let timer: number | undefined;
    async function turn(): Promise<void> {
      if (!document.hidden) await latest.current(ending.signal).catch(() => {});
      if (!ending.signal.aborted) timer = window.setTimeout(turn, every);
    }
    function onSeen(): void {
      if (document.hidden) return;
      window.clearTimeout(timer);
      void turn();
    }
    void turn();
    document.addEventListener("visibilitychange", onSeen);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onSeen);
    };
  }, [every, key]);
}

/** The width that an element has, in pixels; 0 until it is known. */
export function useWidth<E extends HTMLElement>(): [RefObject<E | null>, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/** Whether the reader prefers the dark; canvases are drawn anew when that changes. */
export function useDark(): boolean {
  const [dark, setDark] = useState(matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const onChange = (): void => setDark(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  return dark;
}

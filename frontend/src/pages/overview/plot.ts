/** The measures of a chart, in units of its view box. */
export const WIDTH = 720;
export const HEIGHT = 220;
export const LEFT = 64;
export const TOP = 12;
export const BOTTOM = 28;

/** How far down a value stands on a scale that ends at `top`. */
export function yOf(value: number, top: number): number {
  return HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
}

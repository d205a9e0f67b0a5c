/**
 * Colours of pictures. A report replaces them by CSS variables, so that its plots follow the reader's light or
 * dark theme; a picture in a file keeps them.
 */
export const colours = {
  paper: '#fffffe',
  ink: '#1d2433',
  faint: '#667085',
  grid: '#e4e7ec',
  quiet: '#c3c9d4',
  blue: '#2f6fde',
  orange: '#d9741a',
  green: '#2a9d6f',
  purple: '#8357c5',
  red: '#cf3f4f',
} as const;

export type ColourName = keyof typeof colours;

/** Colours of series, in the order of their use. */
export const series: readonly string[] = [colours.blue, colours.orange, colours.green, colours.purple, colours.red];

/** vega-lite's configuration for all plots. */
export const plotConfig = {
  background: colours.paper,
  font: 'sans-serif',
  aria: false,
  padding: 8,
  view: { stroke: null },
  axis: {
    labelColor: colours.faint,
    titleColor: colours.ink,
    titleFontWeight: 'normal',
    labelFontSize: 11,
    titleFontSize: 12,
    domainColor: colours.quiet,
    tickColor: colours.quiet,
    gridColor: colours.grid,
    tickSize: 4,
    titlePadding: 8,
  },
  header: { labelColor: colours.ink, titleColor: colours.ink, labelFontSize: 12, labelFontWeight: 'bold' },
  legend: {
    labelColor: colours.ink,
    titleColor: colours.ink,
    titleFontWeight: 'normal',
    labelFontSize: 11,
    titleFontSize: 12,
  },
  title: { color: colours.ink, subtitleColor: colours.faint, fontSize: 13, subtitleFontSize: 11, anchor: 'start' },
  text: { color: colours.ink },
  range: { category: series },
} as const;

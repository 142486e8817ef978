export const style: string = `
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1c1c1c; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 40px 0 12px; border-bottom: 1px solid #ddd; padding-bottom: 4px; }
h3 { font-size: 16px; margin: 20px 0 6px; }
.lead { color: #444; max-width: 75ch; }
.warning { background: #fff1d6; padding: 8px 12px; }
.scroll { overflow-x: auto; }
svg { max-width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text.name { font-weight: 600; }
svg text.shape, svg text.tick { fill: #555; font-size: 12px; }
svg text.stop { fill: #b34700; font-size: 12px; font-weight: 600; }
svg text.title { font-size: 14px; font-weight: 600; }
svg text.label { fill: #333; font-size: 13px; }
svg .grid { stroke: #e6e6e6; }
svg .axis { stroke: #444; }
.pair { display: flex; flex-wrap: wrap; gap: 12px; }
.pair svg { flex: 1 1 460px; min-width: 0; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; }
.right { text-align: right; font-variant-numeric: tabular-nums; }
.notes { color: #555; font-size: 13px; max-width: 100ch; padding-left: 0; list-style: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 8px 0; list-style: none; font-size: 14px; }
.legend i { display: inline-block; width: 22px; height: 4px; margin-right: 7px; vertical-align: middle; border-radius: 2px; }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 14px 10px; }
figure { margin: 0; text-align: center; }
figure { width: 70px; }
figure img { border: 1px solid #ddd; image-rendering: pixelated; }
figcaption { font-size: 14px; display: flex; justify-content: space-between; }
figcaption .wrong { text-decoration: line-through; }
blockquote { margin: 0 0 12px; padding: 8px 14px; border-left: 4px solid #d55e00; background: #faf5f0; font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: #f7f7f7; padding: 14px; overflow: auto; max-height: 480px; font: 12.5px/1.45 ui-monospace, monospace; }
`;

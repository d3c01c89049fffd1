# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""How a page of headroom-report looks, and what it does under the pointer."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #fff; --text: #1c1c1a; --dim: #63625d; --edge: #e1e0db;
  --grid: #e9e8e4; --fill: #2a78d6; --pressure: #b3541e; --late: #1a7f5a;
  --p50: #62a0e6; --p95: #2668bb; --p99: #0e3469;
  --program: #c62f3b; --scheduler: #7a4fd0; --device: #9a6a00; --none: #63625d;
  --good: #1a7f37; --tint: .16;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141413; --card: #1d1d1b; --text: #ecebe6; --dim: #a09f98; --edge: #33322f;
    --grid: #353430; --fill: #5a9df0; --pressure: #ea8a4e; --late: #3fbf8f;
    --p50: #3f79c4; --p95: #7fb5f5; --p99: #d6e8fd;
    --program: #ff6b74; --scheduler: #a98bf5; --device: #e0ab3c; --none: #a09f98;
    --good: #4cc26b; --tint: .26;
  }
}
* { box-sizing: border-box; }
html { background: var(--page); color: var(--text); -webkit-text-size-adjust: 100%;
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", "Noto Sans", sans-serif; }
body { max-width: 1180px; margin: 0 auto; padding: 28px 20px 40px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; text-wrap: balance; }
h2 { font-size: 18px; margin: 0; }
h3 { font-size: 15px; margin: 22px 0 6px; }
p { margin: 4px 0; }
code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
header .badge { display: inline-block; font-weight: 600; font-size: 13px; padding: 1px 10px;
  border-radius: 99px; border: 1.5px solid; margin-bottom: 10px; }
.bad { color: var(--program); } .good { color: var(--good); }
.dim, .note { color: var(--dim); font-size: 13px; }
.warning { border-left: 3px solid var(--device); padding-left: 10px; margin: 10px 0; }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
  padding: 18px 20px; margin-top: 20px; }
.said { font-size: 16px; }
.tiles { display: grid; grid-template-columns: repeat(8, 1fr);
  gap: 1px; border: 1px solid var(--edge); border-radius: 8px;
  overflow: hidden; margin: 14px 0 6px; }
.tile { background: var(--card); padding: 8px 12px; box-shadow: 0 0 0 1px var(--edge); }
.tile b { display: block; font-size: 19px; font-weight: 600; line-height: 1.3; }
.tile span { color: var(--dim); font-size: 12.5px; }
.flags { position: relative; height: 22px; margin: 6px 0 -3px 46px; }
.flag { position: absolute; transform: translateX(-50%); min-width: 20px; padding: 0 4px;
  height: 20px; border-radius: 10px; font-size: 12px; line-height: 20px; text-align: center;
  text-decoration: none; color: var(--card); font-weight: 600; }
.flag.program { background: var(--program); } .flag.scheduler { background: var(--scheduler); }
.flag.device { background: var(--device); } .flag.none { background: var(--none); }
.flag.device, .flag.none { border-radius: 3px; }
.flag.scheduler { border-radius: 10px 10px 3px 3px; }
figure { margin: 14px 0 0; }
figcaption { margin-left: 46px; font-size: 13px; display: flex; flex-wrap: wrap; gap: 0 14px; }
.key { color: var(--dim); white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: 14px; height: 0; margin-right: 5px;
  vertical-align: middle; border-top: 2.5px solid currentColor; }
.key.limit::before { border-top: 1.5px dashed var(--pressure); }
.key.limit.Clear::before { border-top-style: dotted; }
.key.unmeasured::before { border-top: 10px solid var(--none); opacity: .3; }
.key.mark::before { border-top-width: 10px; border-radius: 2px; opacity: .75; }
.key output { color: var(--text); font-variant-numeric: tabular-nums; margin-left: 5px; }
.key.fill::before { color: var(--fill); } .key.pressure::before { color: var(--pressure); }
.key.p50::before { color: var(--p50); } .key.p95::before { color: var(--p95); }
.key.p99::before { color: var(--p99); } .key.late::before { color: var(--late); }
.key.program::before { color: var(--program); } .key.scheduler::before { color: var(--scheduler); }
.key.device::before { color: var(--device); } .key.none::before { color: var(--none); }
.plot { display: flex; }
.values { position: relative; flex: 0 0 46px; font-size: 11.5px; color: var(--dim); }
.values span { position: absolute; right: 7px; transform: translateY(50%); white-space: nowrap; }
.area { position: relative; flex: 1; min-width: 0; height: 120px; margin: 9px 0 2px;
  border-bottom: 1px solid var(--dim); cursor: crosshair; }
.area svg { display: block; width: 100%; height: 100%; overflow: visible; }
.area i { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--text);
  opacity: .55; pointer-events: none; display: none; }
.times { position: relative; height: 18px; margin-left: 46px; font-size: 11.5px;
  color: var(--dim); }
.times span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.times span[data-edge] { transform: none; }
svg * { vector-effect: non-scaling-stroke; fill: none; }
.grid { stroke: var(--grid); }
svg .limit { stroke: var(--pressure); stroke-dasharray: 5 4; opacity: .75; }
svg .limit.Clear { stroke-dasharray: 1.5 4; }
.line { stroke-width: 1.7; stroke-linejoin: round; }
.line.fill { stroke: var(--fill); } .line.pressure { stroke: var(--pressure); }
.line.p50 { stroke: var(--p50); } .line.p95 { stroke: var(--p95); }
.line.p99 { stroke: var(--p99); } .line.late { stroke: var(--late); }
svg .unmeasured { fill: var(--none); fill-opacity: .16; }
svg .mark { fill-opacity: var(--tint); stroke-opacity: .6; stroke-width: 1; }
svg .mark.program { fill: var(--program); stroke: var(--program); }
svg .mark.scheduler { fill: var(--scheduler); stroke: var(--scheduler); }
svg .mark.device { fill: var(--device); stroke: var(--device); }
svg .mark.none { fill: var(--none); stroke: var(--none); }
.wide { overflow: auto; max-height: 480px; margin: 0 -6px; }
table { border-collapse: collapse; font-size: 13.5px; min-width: 100%; }
th { text-align: left; color: var(--dim); font-weight: 500; font-size: 12.5px;
  position: sticky; top: 0; background: var(--card); }
th, td { padding: 5px 12px 5px 6px; border-bottom: 1px solid var(--edge); white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.words { white-space: normal; min-width: 180px; }
tr:target td { background: color-mix(in srgb, var(--fill) 14%, transparent); }
.who { font-weight: 600; } .who.program { color: var(--program); }
.who.scheduler { color: var(--scheduler); } .who.device { color: var(--device); }
details summary { cursor: pointer; margin-top: 16px; font-size: 14px; }
footer { color: var(--dim); font-size: 12.5px; margin-top: 18px; }
@media (max-width: 1150px) { .tiles { grid-template-columns: repeat(4, 1fr); } }
@media (max-width: 620px) {
  body { padding: 18px 10px 28px; }
  h1 { font-size: 21px; }
  section { padding: 14px 12px; }
  .times .odd, .roomy { display: none; }
  th, td { padding: 5px 8px 5px 2px; } td.words { min-width: 112px; }
  .flags, figcaption, .times { margin-left: 40px; }
  .values { flex-basis: 40px; }
  .tile { padding: 6px 9px; } .tile b { font-size: 17px; }
}
@media (max-width: 450px) { .tiles { grid-template-columns: repeat(2, 1fr); } }
@media print { figure { break-inside: avoid; } html { background: #fff; }
  .wide { max-height: none; } }
"""

# The line under the pointer, in all plots of a stream, and the values there.
SCRIPT = """
document.querySelectorAll('section.stream').forEach(section => {
  const areas = [...section.querySelectorAll('.area')];
  const hide = () => {
    section.querySelectorAll('.area i').forEach(line => line.style.display = 'none');
    section.querySelectorAll('.key output').forEach(value => value.textContent = '');
  };
  const step_form = /([MH])([\\d.]+)[ V]([\\d.]+)/g;
  const steps = path => [...path.getAttribute('d').matchAll(step_form)]
    .map(step => [+step[2], +step[3], step[1] === 'M']);
  areas.forEach(area => {
    area.append(document.createElement('i'));
    area.figure = area.closest('figure');
    area.lines = [...area.querySelectorAll('path.line')]
      .map(path => [path.classList[1], steps(path)]);
  });
  const show = event => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    areas.forEach(area => {
      const line = area.querySelector('i');
      line.style.display = 'block';
      line.style.left = share * 100 + '%';
      area.lines.forEach(([kind, points]) => {
        let at = points.findLastIndex(point => point[0] <= share * 1000);
        const ended = at < 0 || !(points[at + 1]) && points[at][0] < share * 1000 - 1
          || points[at + 1]?.[2] && points[at][0] < share * 1000 - 1;
        const key = area.figure.querySelector('.key.' + kind);
        let output = key.querySelector('output');
        if (!output) key.append(output = document.createElement('output'));
        const value = ended ? NaN : (1 - points[at][1] / 1000) * area.dataset.most;
        output.textContent = isNaN(value) ? '' : +value.toPrecision(3) + area.dataset.unit;
      });
    });
  };
  areas.forEach(area => {
    area.addEventListener('pointermove', show);
    area.addEventListener('pointerleave', hide);
  });
});
"""

"""The style sheet of the HTML report: readable on a telephone, on a screen, in the dark and on paper."""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #0a7d33; --bad: #b3261e; --open: #8a5a00; --blue: #2563c9; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 2rem; }
h2 { font-size: 1.3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1.1rem; }
header { border: 3px solid; border-radius: .5rem; padding: 1rem; }
header.good, h2 .good { color: var(--good); }
header.bad, h2 .bad { color: var(--bad); }
header.open, h2 .open { color: var(--open); }
header p, header ul { color: CanvasText; margin: .5rem 0 0; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); gap: .2rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; }
dd { margin: 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { border: 1px solid var(--line); padding: .7rem; white-space: pre-wrap; }
ol.path { padding-left: 1.2rem; }
svg { display: block; width: 100%; height: 12px; margin: .2rem 0 .7rem; background: var(--line); }
rect.bar { fill: var(--blue); fill-opacity: .6; }
rect.now { fill: CanvasText; }
rect.timestamp { fill: var(--good); }
rect.revoked { fill: var(--bad); }
.key { border-left: .4rem solid; padding-left: .4rem; margin-right: 1rem; display: inline-block; }
.key.now { border-color: CanvasText; }
.key.timestamp { border-color: var(--good); }
.key.revoked { border-color: var(--bad); }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; font-weight: 400; }
th, td { border-bottom: 1px solid var(--line); }
thead th { font-weight: 600; }
thead th:nth-child(1) { width: 32%; }
thead th:nth-child(2) { width: 8rem; }
tr.fail td:nth-child(2) { color: var(--bad); font-weight: 600; }
tr.indeterminate td:nth-child(2) { color: var(--open); font-weight: 600; }
tr.pass td:nth-child(2) { color: var(--good); }
footer { border-top: 1px solid var(--line); margin-top: 2rem; font-size: .9rem; }
@media (max-width: 40rem) {
  table, tbody, tr, th, td { display: block; }
  thead { display: none; }
  th, td { border: 0; padding: .1rem .3rem; }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
}
@media print {
  details > * { display: block; }
  body { max-width: none; }
  section { break-inside: auto; }
}
"""

/** Style sheet of the report's page, for light and dark screens. */

export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --text: #1d2430; --soft: #5c6675; --line: #dfe3e9;
  --bar: #3b6fb6; --good: #1a7f4b; --bad: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181f; --card: #1d232c; --text: #e6e9ee; --soft: #9aa5b4; --line: #313a46;
    --bar: #6fa3e8; --good: #4cc38a; --bad: #f97066;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
header, section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 24px 28px; margin-bottom: 20px;
}
header { border-top: 6px solid var(--good); }
header.bad { border-top-color: var(--bad); }
.product { margin: 0; color: var(--soft); font-weight: 600; }
h1 { margin: 4px 0 8px; font-size: 32px; line-height: 1.2; }
.good h1 { color: var(--good); }
.bad h1 { color: var(--bad); }
h2 { margin: 0 0 14px; font-size: 19px; }
p { margin: 0 0 14px; max-width: 75ch; }
header ul { display: flex; flex-wrap: wrap; gap: 12px 40px; list-style: none; margin: 18px 0 0; padding: 0; }
header li { color: var(--soft); }
header b { display: block; color: var(--text); font-size: 24px; line-height: 1.2; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.label { fill: var(--text); }
.number, .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
.bar { fill: var(--bar); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; white-space: nowrap; }
th, td { text-align: left; padding: 8px 18px 8px 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
.figure { font-variant-numeric: tabular-nums; }
.mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 13px; }
.same { color: var(--good); font-weight: 600; }
.different { color: var(--bad); font-weight: 600; }
`;

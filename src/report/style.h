#pragma once

#include <string_view>

namespace weir::report {

/// The looks of a page (html.h). Every colour is a variable: for light, for dark, and for paper,
/// which is light. Text on a colour has a contrast of 4.5 or more.
inline constexpr std::string_view kStyle = R"css(
:root{--page:#f6f5f2;--card:#fff;--ink:#1d2126;--soft:#5b636d;--line:#e2e0da;--rail:#edebe6;
--good:#1f8a5b;--bad:#c8372d;--warn:#b7791f;--open:#8a929c;--first:#2f6fd0;--second:#8d5fc4;
--good-text:#17704a;--bad-text:#b52b22;--warn-text:#8a5a10}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--card:#1c2026;--ink:#e7e9ec;--soft:#9aa4af;
--line:#2d333b;--rail:#282e35;--good:#3fae7c;--bad:#e5645a;--warn:#d9a441;--open:#737d88;
--first:#6ea3f2;--second:#b390e6;--good-text:#5fcf9c;--bad-text:#ff8a80;--warn-text:#e8bd6a}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--rail:#e8e8e8;
--good:#1f8a5b;--bad:#c8372d;--warn:#b7791f;--open:#8a929c;--first:#2f6fd0;--second:#8d5fc4;
--good-text:#17704a;--bad-text:#b52b22;--warn-text:#8a5a10}}
*{box-sizing:border-box}
body{margin:0 auto;padding:36px 28px 20px;max-width:1180px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
h1{font-size:27px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0}
h2{font-size:17px;font-weight:640;letter-spacing:-.005em;margin:0 0 12px}
p{margin:0 0 10px}
header{border-bottom:1px solid var(--line);padding-bottom:16px;margin-bottom:26px}
.subtitle{color:var(--soft);margin:4px 0 0;font-size:16px}
.facts{display:flex;flex-wrap:wrap;gap:4px 26px;margin:12px 0 0;color:var(--soft);font-size:13.5px}
.facts div{display:flex;gap:6px}.facts dt{opacity:.85}.facts dd{margin:0;color:var(--ink)}
section{margin:0 0 32px}
.tiles{display:grid;grid-template-columns:repeat(var(--columns),1fr);gap:12px;margin:0 0 18px}
.tiles div,figure,.scroll{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tiles div{padding:13px 16px 12px}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:1px 0 0;font-size:25px;line-height:1.25;font-weight:640;letter-spacing:-.02em}
.tiles small{display:block;font-size:12.5px;font-weight:400;color:var(--soft);letter-spacing:0;
line-height:1.35;margin-top:2px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:14px}
figure{margin:0;padding:14px 16px 10px;min-width:0}
figcaption{margin-bottom:10px;font-size:14px}figcaption strong{font-weight:640}
figcaption span{color:var(--soft)}
svg.plot{display:block;width:100%;height:auto;overflow:visible}
svg text{font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;fill:var(--soft)}
svg .legend{fill:var(--ink)}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--open);stroke-width:1}
.fill.good{fill:var(--good)}.fill.bad{fill:var(--bad)}.fill.warn{fill:var(--warn)}
.fill.open,.fill.muted{fill:var(--open)}.fill.first{fill:var(--first)}.fill.second{fill:var(--second)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.line.first{stroke:var(--first)}.line.second{stroke:var(--second)}
.area{stroke:none;fill-opacity:.16}.area.first{fill:var(--first)}.area.second{fill:var(--second)}
.mark{stroke:var(--card);stroke-width:1.5}
.mark.first{fill:var(--first)}.mark.second{fill:var(--second)}
.scroll{overflow-x:auto;margin:0 0 10px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:7px 14px;text-align:left;vertical-align:top;white-space:nowrap}
td:first-child,td.wide{white-space:normal;overflow-wrap:anywhere}
th{font-size:12.5px;font-weight:500;color:var(--soft);border-bottom:1px solid var(--line)}
tbody tr+tr td{border-top:1px solid var(--line)}
.number{text-align:right}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.bar{display:block;width:100%;min-width:96px;height:5px;margin-top:4px;border-radius:3px}
.rail{fill:var(--rail)}
td.heat{background:color-mix(in srgb,var(--bad) calc(10% + 45%*var(--heat)),transparent)}
p.good,td.good,dd.good{color:var(--good-text)}p.bad,td.bad,dd.bad{color:var(--bad-text)}
p.warn,td.warn,dd.warn{color:var(--warn-text)}.muted,.note,.empty{color:var(--soft)}
.note{font-size:13px}
.empty{background:var(--card);border:1px dashed var(--line);border-radius:10px;padding:14px 16px}
footer{color:var(--soft);font-size:12.5px;border-top:1px solid var(--line);padding-top:12px}
@media (max-width:820px){.tiles{grid-template-columns:1fr 1fr}}
@media (max-width:640px){body{padding:20px 14px}h1{font-size:23px}th,td{padding:7px 10px}}
@media print{@page{margin:13mm}body{padding:0;max-width:none;font-size:9.5pt}h1{font-size:17pt}
.tiles{grid-template-columns:repeat(var(--columns),1fr);gap:8px}.tiles div{padding:8px 10px}
.tiles dd{font-size:15pt}.tiles small{font-size:8pt}.plots{grid-template-columns:1fr 1fr;gap:8px}
table{font-size:8.5pt}th,td{padding:4px 8px}td{white-space:normal}section{margin-bottom:20px}
figure,tr,.tiles,.plots{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}
thead{display:table-header-group}
td.heat{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace weir::report

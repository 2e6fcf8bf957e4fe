/// The page: no script, nothing from elsewhere, readable without its style.
enum HTMLTemplate {
  static let page = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="data:,">
    <title>{{title}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header>
    <h1>{{title}}</h1>
    <p class="subtitle">{{subtitle}}</p>
    {{#verdicts}}<p class="verdict {{style}}">{{text}}</p>
    {{/verdicts}}
    <ul class="facts">{{#facts}}<li>{{text}}</li>
    {{/facts}}</ul>
    <dl class="card">{{#properties}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>
    {{/properties}}</dl>
    <nav>{{#sections}}<a href="#{{anchor}}">{{title}}</a> {{/sections}}</nav>
    </header>
    <main>
    {{#sections}}<section id="{{anchor}}">
    <h2>{{title}}</h2>
    <p>{{intro}}</p>
    {{#figures}}<figure>
    <h3>{{title}}</h3>
    <div class="scroll">{{{svg}}}</div>
    <figcaption>{{caption}}</figcaption>
    </figure>
    {{/figures}}{{#tables}}<h3>{{title}}</h3>
    <p class="caption">{{caption}}</p>
    <div class="scroll"><table class="{{style}}">
    <thead><tr>{{#headings}}<th>{{.}}</th>{{/headings}}</tr></thead>
    <tbody>{{#rows}}<tr{{#anchor}} id="{{.}}"{{/anchor}}>{{#cells}}<td class="{{style}}" colspan="{{span}}">{{text}}</td>{{/cells}}</tr>
    {{/rows}}</tbody>
    </table></div>
    {{/tables}}</section>
    {{/sections}}
    </main>
    </body>
    </html>

    """

  static let style = """
    :root{--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--grid:#e6e9ed;--panel:#f6f8fa;--good:#0b6b50;--bad:#a33a00;\
    --doubtful:#7a5b00;--link:#0b5cad}
    @media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e3e7ec;--soft:#a0a9b4;--line:#3a424c;--grid:#2a3037;\
    --panel:#1d2228;--good:#4cc9a0;--bad:#ff9b66;--doubtful:#e8c34d;--link:#7db8f0}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:1.5rem clamp(.8rem,3vw,2.5rem);max-width:1280px;background:var(--bg);color:var(--fg);\
    font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.7rem;margin:0}h2{margin:2.6rem 0 .3rem;padding-top:.6rem;border-top:2px solid var(--line);font-size:1.3rem}
    h3{margin:1.6rem 0 .3rem;font-size:1.02rem}
    .subtitle,.caption,figcaption{color:var(--soft);margin:.2rem 0 .8rem;max-width:95ch}
    .subtitle{overflow-wrap:anywhere}
    .verdict{padding:.55rem .9rem;margin:.5rem 0;border-left:6px solid;background:var(--panel);font-weight:600}
    .verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}.verdict.doubtful{border-color:var(--doubtful)}
    .facts{padding-left:1.2rem}.facts li{margin:.35rem 0;max-width:95ch}
    .card{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.5rem 1.4rem;margin:1rem 0;padding:.9rem;\
    background:var(--panel);border:1px solid var(--line)}
    .card div{min-width:0}dt{color:var(--soft);font-size:.82rem}dd{margin:0;overflow-wrap:anywhere}
    nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1rem 0}a{color:var(--link)}
    figure{margin:0}.scroll{overflow-x:auto;max-width:100%}
    svg{display:block;max-width:none;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    svg text{fill:var(--fg)}
    svg .tick,svg .small{font-size:11px;fill:var(--soft)}svg .name{font-size:12px;fill:var(--soft)}
    svg .mono{font:11px ui-monospace,"DejaVu Sans Mono",Menlo,monospace}
    svg .dark{fill:#111}svg .light{fill:#fff}svg .cell{font-size:11px}
    svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
    svg .roof{stroke:var(--fg);stroke-width:1.6}svg .roof.soft{stroke-dasharray:5 4;stroke:var(--soft)}
    svg .limit{stroke:var(--fg);stroke-width:2.2}
    svg .zero{stroke:var(--fg);stroke-width:1.2}svg .range{stroke-width:2}svg .path{stroke-width:1.6}
    svg .mark{stroke-width:1;fill-opacity:.85}svg .hollow{stroke-width:1.8}
    svg .wrong{fill:#fff;stroke:#c22f00;stroke-width:2}svg .wrongtext{font-size:11px;font-weight:700;fill:#a32800}\
    svg .hatch{fill:url(#hatch)}svg .hatchline{stroke:var(--soft);stroke-width:1.4}
    svg .started{fill:var(--line)}svg .outline{fill:none;stroke-width:2}svg .outline.dark{stroke:#111}svg .outline.light{stroke:#fff}svg .marginband{fill:var(--grid)}
    table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
    th,td{padding:.22rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    th{position:sticky;top:0;background:var(--bg);color:var(--soft);font-weight:600}
    td.num{text-align:right;white-space:nowrap}td.code{font:.8rem ui-monospace,"DejaVu Sans Mono",Menlo,monospace;\
    white-space:nowrap}
    td.line{white-space:nowrap}td.lines{white-space:pre-wrap;overflow-wrap:anywhere;min-width:24rem}td.good{color:var(--good);font-weight:600}td.bad{color:var(--bad);font-weight:600}td.doubtful{color:var(--doubtful)}
    @media print{:root{--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;--grid:#ddd;--panel:#fff;--link:#000}
    body{max-width:none;padding:0;font-size:11px}nav{display:none}.scroll{overflow:visible}
    svg{width:100%;height:auto;max-height:23cm}figure,tr{break-inside:avoid}h2,h3,section>p,.caption{break-after:avoid}th{position:static}
    table{font-size:8px}td.code,td.line{white-space:normal}td.code{font-size:7px}th,td{padding:.15rem .3rem}\
    .commands th:last-child,.commands td:last-child{display:none}
    *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
    """
}

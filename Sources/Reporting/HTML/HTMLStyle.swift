/// How the page looks, in light, in dark, on a narrow screen and on paper.
enum HTMLStyle {
  static let text =
    colors + body + blocks + pictures + tables + narrow + paper

  private static let colors = """
    :root{--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--grid:#e6e9ed;--panel:#f6f8fa;--good:#0b6b50;--bad:#a33a00;\
    --doubtful:#7a5b00;--link:#0b5cad;--wrong:#c22f00;--right:#dfe5ea;--shade:rgba(27,31,36,.28)}
    @media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e3e7ec;--soft:#a0a9b4;--line:#3a424c;--grid:#2a3037;\
    --panel:#1d2228;--good:#4cc9a0;--bad:#ff9b66;--doubtful:#e8c34d;--link:#7db8f0;--wrong:#ff7a45;--right:#313942;\
    --shade:rgba(0,0,0,.75)}}

    """

  /// Text is as wide as the charts, which are 900 wide.
  private static let body = """
    *{box-sizing:border-box}
    body{margin:0 auto;padding:1.5rem clamp(.8rem,3vw,2.5rem);max-width:1440px;background:var(--bg);color:var(--fg);\
    font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    h1{font-size:1.7rem;margin:0}h2{margin:2.6rem 0 .3rem;padding-top:.6rem;border-top:2px solid var(--line);font-size:1.3rem}
    h3{margin:1.6rem 0 .3rem;font-size:1.02rem;overflow-wrap:anywhere}
    .subtitle,.caption,figcaption,.intro,.facts,.failure>p,.words{max-width:900px}
    .subtitle,.caption,figcaption{color:var(--soft);margin:.2rem 0 .8rem}
    .subtitle{overflow-wrap:anywhere}
    .verdict{padding:.55rem .9rem;margin:.5rem 0;border-left:6px solid;background:var(--panel);font-weight:600;\
    overflow-wrap:anywhere}
    .verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}.verdict.doubtful{border-color:var(--doubtful)}
    .facts{padding-left:1.2rem}.facts li{margin:.35rem 0;overflow-wrap:anywhere}
    .card{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.5rem 1.4rem;margin:1rem 0;padding:.9rem;\
    background:var(--panel);border:1px solid var(--line)}
    .card div{min-width:0}dt{color:var(--soft);font-size:.82rem}dd{margin:0;overflow-wrap:anywhere}
    nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1rem 0}a{color:var(--link)}

    """

  /// What is wrong, what is folded, and what is to be typed.
  private static let blocks = """
    .failure>p{overflow-wrap:anywhere}.failure{border:1px solid var(--line);border-left:6px solid var(--bad);padding:.2rem 1rem .8rem;margin:1rem 0}
    .failure>h3{margin-top:.7rem}.failure figure h3{font-size:.92rem;margin:.8rem 0 .2rem}
    .facts2{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.4rem 1.2rem;margin:.6rem 0}
    .facts2 .code,.command{font:.85rem ui-monospace,"DejaVu Sans Mono",Menlo,monospace}
    .command{position:relative;background:var(--panel);border:1px solid var(--line);padding:.6rem .8rem;margin:.7rem 0;\
    white-space:pre-wrap;overflow-wrap:anywhere}
    .fold{border-top:1px solid var(--line);margin:.6rem 0}.fold>summary{cursor:pointer;padding:.5rem 0;font-weight:600}
    .words dt{margin-top:.5rem;font-weight:600;color:var(--fg);font-size:.9rem}.words dd{color:var(--soft)}
    button,input.filter{font:inherit;font-size:.82rem;color:var(--fg);background:var(--bg);border:1px solid var(--line);\
    border-radius:4px;padding:.15rem .5rem}button{cursor:pointer}
    .tools{margin:.3rem 0;color:var(--soft);font-size:.82rem}.tools input{min-width:14rem}
    th.sort{cursor:pointer}th.sort:hover{color:var(--fg)}
    th[aria-sort=ascending]::after{content:" ▲"}th[aria-sort=descending]::after{content:" ▼"}
    figure{margin:0}
    .scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to right,var(--bg) 40%,transparent) left/44px 100% local,\
    linear-gradient(to left,var(--bg) 40%,transparent) right/44px 100% local,\
    linear-gradient(to right,var(--shade),transparent) left/14px 100% scroll,\
    linear-gradient(to left,var(--shade),transparent) right/14px 100% scroll;background-repeat:no-repeat}

    """

  private static let pictures = """
    svg{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    svg text{fill:var(--fg)}
    svg .tick,svg .small{font-size:11px;fill:var(--soft)}svg .name{font-size:12px;fill:var(--soft)}
    svg .mono{font:11px ui-monospace,"DejaVu Sans Mono",Menlo,monospace;paint-order:stroke;stroke:var(--bg);\
    stroke-width:4px;stroke-linejoin:round}
    svg .dark{fill:#111}svg .light{fill:#fff}svg .cell{font-size:11px}
    svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
    svg .roof{stroke:var(--fg);stroke-width:1.6}svg .roof.soft{stroke-dasharray:5 4;stroke:var(--soft)}
    svg .limit{stroke:var(--fg);stroke-width:2.2}
    svg .zero{stroke:var(--fg);stroke-width:1.2}svg .range{stroke-width:2}svg .path{stroke-width:1.6}
    svg .mark{stroke-width:1;fill-opacity:.85}svg .hollow{stroke-width:1.8}
    svg .wrong{fill:#fff;stroke:#c22f00;stroke-width:2}svg .wrongtext{font-size:11px;font-weight:700;fill:#a32800}
    svg .hatch{fill:url(#hatch)}svg .hatchline{stroke:var(--line);stroke-width:1}
    svg .started{fill:var(--line)}svg .outline{fill:none;stroke-width:2}svg .outline.dark{stroke:#111}
    svg .outline.light{stroke:#fff}svg .marginband{fill:var(--grid)}
    svg .plane{fill:var(--right)}svg .gap{fill:var(--bg);stroke:var(--line)}
    svg .w{fill:var(--wrong)}svg .wa{fill-opacity:.32}svg .wb{fill-opacity:.5}svg .wc{fill-opacity:.68}svg .wd{fill-opacity:.84}
    svg .ring{fill:none;stroke:var(--fg);stroke-width:1.8}

    """

  private static let tables = """
    table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
    th,td{padding:.22rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    th{position:sticky;top:0;background:var(--bg);color:var(--soft);font-weight:600;vertical-align:bottom}
    th:first-child,td:first-child{position:sticky;left:0;background:var(--bg);z-index:1}
    td.num{text-align:right;white-space:nowrap}td.code{font:.8rem ui-monospace,"DejaVu Sans Mono",Menlo,monospace;\
    white-space:nowrap}
    td.line{white-space:nowrap}td.lines{white-space:pre-wrap;overflow-wrap:anywhere;min-width:24rem}
    td.words{min-width:13rem;max-width:30rem}td.wide{min-width:20rem}
    td.good{color:var(--good);font-weight:600}td.bad{color:var(--bad);font-weight:600}
    td.doubtful{color:var(--doubtful)}

    """

  /// Pictures keep a width at which their words can be read, and are moved in their box.
  private static let narrow = """
    @media (max-width:700px){body{padding:1rem .8rem;font-size:14px}.card,.facts2{grid-template-columns:1fr 1fr;gap:.4rem .8rem;\
    padding:.6rem}.facts2{padding:0}.card dd{font-size:.86rem}svg{max-width:none;width:auto}
    figure svg.wide{width:640px}th,td{padding:.2rem .4rem}td.code{font-size:.74rem}
    th:first-child,td:first-child{min-width:6.5rem;max-width:46vw}td:first-child.code{white-space:normal;min-width:8.5rem}
    td.words{min-width:11rem}td.lines{min-width:18rem}}

    """

  /// Nothing is cut on paper: cells wrap, commands too. What is folded is not printed; its title says that it is there.
  private static let paper = """
    @media print{:root{--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;--grid:#ddd;--panel:#fff;--link:#000;--good:#0b6b50;\
    --bad:#a33a00;--wrong:#c22f00;--right:#e4e8ec}
    body{max-width:none;padding:0;font-size:11px}nav,.tools,button{display:none}.scroll{overflow:visible;background:none}
    svg{max-width:100%;height:auto;max-height:23cm}figure,tr,.failure{break-inside:avoid}
    h2,h3,.intro,.caption{break-after:avoid}h2{margin-top:1.2rem}
    th,th:first-child,td:first-child{position:static}
    table{font-size:8px;width:100%}td.code,td.line,td.num{white-space:normal;overflow-wrap:anywhere;min-width:0}
    td.code{font-size:7px}th,td{padding:.15rem .3rem}td.words,td.lines{min-width:0}
    *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}

    """
}

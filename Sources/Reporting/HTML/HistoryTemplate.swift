/// The page of a history: no script, nothing from elsewhere.
enum HistoryTemplate {
  static let page = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="data:,">
    <title>Assay history</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header>
    <h1>Assay history</h1>
    <p class="subtitle">{{subtitle}}</p>
    <p class="verdict {{verdict}}">{{summary}}</p>
    <nav><a href="#moved">What moved</a> <a href="#charts">Charts</a> <a href="#runs">Runs</a></nav>
    </header>
    <main>
    <section id="moved">
    {{#tables}}<h2>What moved</h2>
    {{> table}}
    {{/tables}}{{^tables}}<h2>Nothing moved</h2>
    {{/tables}}{{#lists}}<h3>{{title}}</h3>
    <ul class="facts">{{#lines}}<li>{{text}}</li>
    {{/lines}}</ul>
    {{/lists}}</section>
    <section id="charts">
    <h2>Charts</h2>
    <p class="caption">Each mark is the median of one run and leads to it. A solid line is a confirmed change, a dashed one a \
    weak one. The charts of the largest changes are open.</p>
    {{#machines}}<h3>{{title}}</h3>
    {{#folds}}<details{{#isOpen}} open{{/isOpen}}><summary><code>{{title}}</code> <span>{{remark}}</span></summary>
    <div class="scroll">{{{svg}}}</div></details>
    {{/folds}}{{/machines}}</section>
    <section id="runs">
    <h2>Runs</h2>
    <div class="scroll"><table>
    <thead><tr><th>run</th><th>started</th><th>commit</th></tr></thead>
    <tbody>{{#runs}}<tr id="{{anchor}}"><td class="code">{{#page}}<a href="{{.}}">{{/page}}{{name}}{{#page}}</a>{{/page}}</td>\
    <td>{{started}}</td><td class="code">{{commit}}</td></tr>
    {{/runs}}</tbody>
    </table></div>
    </section>
    </main>
    </body>
    </html>

    """

  static let style = """
    details{border-bottom:1px solid var(--line);padding:.15rem 0}summary{cursor:pointer}
    summary code{font:.8rem ui-monospace,"DejaVu Sans Mono",Menlo,monospace}summary span{color:var(--bad);font-weight:600}
    tr:target{background:var(--panel)}#moved td{white-space:normal;overflow-wrap:anywhere}#moved td.num,#moved td.line{white-space:nowrap}
    """
}

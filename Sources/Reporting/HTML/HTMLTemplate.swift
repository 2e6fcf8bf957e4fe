import Mustache

/// The page: nothing from elsewhere, readable without its style and without its script.
enum HTMLTemplate {
  /// - Throws: a parse error of a template, which is part of this program.
  static func library() throws -> MustacheLibrary {
    MustacheLibrary(
      templates: [
        "page": try MustacheTemplate(string: page), "table": try MustacheTemplate(string: table),
        "figure": try MustacheTemplate(string: figure), "card": try MustacheTemplate(string: card),
        "history": try MustacheTemplate(string: HistoryTemplate.page),
        "fold": try MustacheTemplate(string: fold), "inner": try MustacheTemplate(string: inner),
      ])
  }

  private static let page = """
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
    <nav>{{#sections}}<a href="#{{anchor}}">{{title}}</a> {{/sections}}</nav>
    <dl class="card">{{#properties}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>
    {{/properties}}</dl>
    </header>
    <main>
    {{#sections}}<section id="{{anchor}}">
    <h2>{{title}}</h2>
    <p class="intro">{{intro}}</p>
    {{#cards}}{{> card}}{{/cards}}{{#figures}}{{> figure}}{{/figures}}{{#tables}}{{> table}}{{/tables}}{{#folds}}{{> fold}}{{/folds}}</section>
    {{/sections}}
    {{#glossary}}<section id="words">
    <h2>Words</h2>
    <details class="fold"><summary>What the names and figures of this page mean</summary>
    <dl class="words">{{#entries}}<dt>{{name}}</dt><dd>{{value}}</dd>
    {{/entries}}</dl></details></section>
    {{/glossary}}
    </main>
    <script>{{{script}}}</script>
    </body>
    </html>

    """

  private static let figure = """
    <figure>
    <h3>{{title}}</h3>
    <div class="scroll" tabindex="0">{{{svg}}}</div>
    <figcaption>{{caption}}</figcaption>
    </figure>

    """

  private static let table = """
    <h3>{{title}}</h3>
    <p class="caption">{{caption}}</p>
    <div class="scroll" tabindex="0"><table>
    <thead><tr>{{#headings}}<th scope="col">{{.}}</th>{{/headings}}</tr></thead>
    <tbody>{{#rows}}<tr{{#rowAnchor}} id="{{.}}"{{/rowAnchor}}>{{#cells}}<td class="{{style}}" colspan="{{span}}">{{text}}</td>{{/cells}}</tr>
    {{/rows}}</tbody>
    </table></div>

    """

  private static let card = """
    <article class="failure"{{#cardAnchor}} id="{{.}}"{{/cardAnchor}}>
    <h3>{{title}}</h3>
    <p>{{intro}}</p>
    <dl class="facts2">{{#facts}}<div><dt>{{name}}</dt><dd class="{{style}}">{{value}}</dd></div>
    {{/facts}}</dl>
    {{#figure}}{{> figure}}{{/figure}}{{#command}}<pre class="command"><code>{{.}}</code></pre>
    {{/command}}{{#fold}}<details class="fold"{{#isOpen}} open{{/isOpen}}><summary>{{title}}</summary>
    {{#tables}}{{> table}}{{/tables}}</details>
    {{/fold}}</article>

    """

  private static let fold = """
    <details class="fold"{{#isOpen}} open{{/isOpen}}><summary>{{title}}</summary>
    {{> inner}}</details>

    """

  private static let inner = """
    {{#foldIntro}}<p class="caption">{{.}}</p>{{/foldIntro}}{{#cards}}{{> card}}{{/cards}}{{#figures}}{{> figure}}{{/figures}}{{#tables}}{{> table}}{{/tables}}
    """
}

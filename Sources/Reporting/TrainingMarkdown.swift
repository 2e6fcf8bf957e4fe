import Results

/// A training run as Markdown.
struct TrainingMarkdown {
  private let section: TrainingSection

  init(_ section: TrainingSection) { self.section = section }

  var lines: [String] {
    let facts = TextTable(
      ["setting", "value"], TrainingPage.facts(section).map { [$0.name, MarkdownText.inline($0.value)] }, words: 2)
    let epochs = TextTable(
      ["epoch", "loss", "\(section.judged) loss", "accuracy, %", "learning rate", "seconds", "images/s"],
      section.history.epochs.map { epoch in
        [
          "\(epoch.epoch)", NumberText.short(epoch.loss), NumberText.short(epoch.judgedLoss),
          NumberText.short(100 * epoch.accuracy), NumberText.short(epoch.learningRate),
          epoch.seconds.map(NumberText.short) ?? "", epoch.imagesPerSecond.map(NumberText.short) ?? "",
        ]
      }, words: 0)
    return [
      "## Training", "", MarkdownReport.verdict(section.conclusion), "",
      "\(section.architecture), first stage \(section.width) planes wide, \(section.classCount) classes, on "
        + "\(section.engine): \(section.summary).", "",
    ] + epochs.markdown + [""] + facts.markdown + [""]
  }
}

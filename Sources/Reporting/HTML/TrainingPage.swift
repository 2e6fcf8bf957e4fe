import Results

/// A training run's part of the page: its curves, and its epochs in numbers.
enum TrainingPage {
  static func section(_ section: TrainingSection) -> HTMLPage.Section {
    HTMLPage.Section(
      anchor: "training", title: "Training",
      intro:
        "\(section.architecture), first stage \(section.width) planes wide, \(section.classCount) classes, "
        + "\(NumberText.grouped(section.parameterCount)) parameters, on \(section.engine): \(section.summary).",
      figures: figures(section), tables: [epochs(section), settings(section)])
  }

  private static func figures(_ section: TrainingSection) -> [HTMLPage.Figure] {
    let epochs = section.history.epochs
    func points(_ value: (TrainingEpoch) -> Double?) -> [(Double, Double)] {
      epochs.compactMap { epoch in value(epoch).map { (Double(epoch.epoch), $0) } }
    }
    let best = section.history.best.map { Double($0.epoch) }
    return [
      LineChart(
        title: "Loss",
        caption:
          "Mean cross-entropy of each epoch: of the images trained on, each as the network was before its mini-batch, and of "
          + "the \(section.judged) images after the epoch. The vertical line is the epoch with the lowest of the latter.",
        xName: "epoch", yName: "mean cross-entropy", mayBeLogarithmic: true, marked: best,
        series: [
          ("training", points(\.loss)), (section.judged, points(\.judgedLoss)),
        ]),
      LineChart(
        title: "Accuracy", caption: "Share of the \(section.judged) images whose class has the largest logit.",
        xName: "epoch", yName: "accuracy, %", marked: best,
        series: [(section.judged, points { 100 * $0.accuracy })]),
      LineChart(
        title: "Learning rate", caption: "The optimiser's, times what schedule and warm-up make of it.", xName: "epoch",
        yName: "", series: [("learning rate", points(\.learningRate))]),
      LineChart(
        title: "Speed",
        caption:
          "Images trained on in a second, without the judging. Epochs before the run was resumed are not timed.",
        xName: "epoch", yName: "images/s", series: [("images/s", points(\.imagesPerSecond))]),
    ].compactMap(\.figure)
  }

  private static func epochs(_ section: TrainingSection) -> HTMLPage.Table {
    let best = section.history.best
    let rows = section.history.epochs.map { epoch in
      HTMLPage.Row(cells: [
        .figure("\(epoch.epoch)"), .figure(NumberText.short(epoch.loss)), .figure(NumberText.short(epoch.judgedLoss)),
        .figure(NumberText.short(100 * epoch.accuracy)), .figure(NumberText.short(epoch.learningRate)),
        .figure(epoch.seconds.map(NumberText.short) ?? ""), .figure(epoch.imagesPerSecond.map(NumberText.short) ?? ""),
        .init(epoch == best ? "best" : "", epoch == best ? "good" : ""),
      ])
    }
    return HTMLPage.Table(
      title: "Epochs", caption: "Seconds include the judging; images/s do not.",
      headings: [
        "epoch", "loss", "\(section.judged) loss", "accuracy, %", "learning rate", "seconds", "images/s", "",
      ], rows: rows)
  }

  private static func settings(_ section: TrainingSection) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "Settings", caption: "What decides the run; a resumed one has them from its checkpoint.",
      headings: ["setting", "value"],
      rows: facts(section).map { name, value in HTMLPage.Row(cells: [.init(name), .init(value, "code")]) })
  }

  /// What decides a run, by name.
  static func facts(_ section: TrainingSection) -> [(name: String, value: String)] {
    let shape = section.imageShape.map(String.init).joined(separator: "×")
    let images =
      section.isHeldOut
      ? "\(section.trainingImages) to train on, \(section.judgedImages) held out" : "\(section.trainingImages)"
    return [("data", section.data), ("images", "\(images), \(shape)")]
      + section.settings.sorted { $0.key < $1.key }.map { ($0.key.replacing("_", with: " "), $0.value) }
      + [
        ("epochs asked for", "\(section.epochsAsked)"), ("patience", section.patience.map { "\($0)" } ?? "none"),
        ("threads", "\(section.threads)"),
      ]
  }
}

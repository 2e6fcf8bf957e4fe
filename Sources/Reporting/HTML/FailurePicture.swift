import Results

/// Where the wrong elements of a tensor are: its planes side by side, a cell for each element or for a block of them.
///
/// With several images, or few and small planes, each channel is a row and each image a column; else the planes follow each
/// other as they lie in memory.
struct FailurePicture {
  private let map: FailureMap
  private let grid: [FailureMap.Mark]
  private let shape: [Int]
  private let worst: WorstElement?

  /// A plane of the tensor: its last two axes.
  private struct Plane {
    var index: Int
    var x: Double
    var y: Double
  }

  private static let widest = 880.0
  private static let highest = 460.0
  private static let names: [Int: [String]] = [4: ["n", "c", "h", "w"], 2: ["row", "column"], 1: ["element"]]

  /// `nil` without a map, or with one that no writer made.
  init?(_ tensor: TensorResult) {
    guard let map = tensor.map, let grid = map.grid, tensor.shape.count == map.cells.count,
      zip(tensor.shape, zip(map.cells, map.block)).allSatisfy({ $0 > 0 && ($0 - 1) / $1.1 + 1 == $1.0 })
    else { return nil }
    self.map = map
    self.grid = grid
    shape = tensor.shape
    worst = tensor.worst
  }

  /// Whether only samples of the tensor were compared: then what was not is the ground.
  private var isSampled: Bool { grid.contains(.notCompared) }
  private var rank: Int { map.cells.count }
  private var rows: Int { rank > 1 ? map.cells[rank - 2] : 1 }
  private var columns: Int { map.cells[rank - 1] }
  private var planes: Int { grid.count / (rows * columns) }
  private func name(_ axis: Int) -> String { Self.names[rank]?[axis] ?? "axis \(axis)" }

  /// `c 8–15`: the elements of one cell of an axis.
  private func span(_ axis: Int, _ cell: Int) -> String {
    let first = cell * map.block[axis]
    // An extent from outside may be the largest number there is: nothing is added beyond it.
    let last = first + min(map.block[axis], shape[axis] - first) - 1
    return "\(name(axis)) " + (first == last ? "\(first)" : "\(first)–\(last)")
  }

  /// Leading axes of a plane, in words.
  private func title(_ plane: Int) -> String {
    var (rest, words) = (plane, [String]())
    for axis in (0..<max(0, rank - 2)).reversed() {
      words.append(span(axis, rest % map.cells[axis]))
      rest /= map.cells[axis]
    }
    return words.reversed().joined(separator: ", ")
  }

  /// How the picture is to be read.
  var caption: String {
    var text = "Coloured: wrong. "
    if map.isCoarse {
      let size = map.block.enumerated().map { "\($1) \(name($0))" }.joined(separator: " × ")
      text +=
        "The tensor is too large for an element a cell: each cell stands for a block (\(size)), and is the deeper the larger a "
        + "share of it is wrong; no wrong element is left out. "
    } else {
      text += "A cell is one element. "
    }
    if isSampled { text += "Empty cells hold no element that was compared: the file has samples. " }
    if worst?.index.isEmpty == false { text += "The ring is round the worst element." }
    return text
  }

  func figure(title: String) -> HTMLPage.Figure {
    HTMLPage.Figure(title: title, caption: caption, svg: svg(label: title))
  }

  private func svg(label: String) -> String {
    let layout = layout
    var canvas = SVGCanvas(width: layout.width, height: layout.height)
    for text in layout.labels { canvas.text(text.x, text.y, text.text, anchor: text.anchor, class: "small") }
    var paths: [FailureMap.Mark: String] = [:]
    for plane in layout.planes {
      canvas.rectangle(
        plane.x, plane.y, layout.cell * Double(columns), layout.cell * Double(rows), class: isSampled ? "gap" : "plane",
        title: title(plane.index))
      for row in 0..<rows {
        let start = (plane.index * rows + row) * columns
        append(grid[start..<start + columns], plane.x, plane.y + layout.cell * Double(row), layout.cell, to: &paths)
      }
    }
    for mark in FailureMap.Mark.allCases {
      guard let path = paths[mark] else { continue }
      canvas.path(path, class: mark == .right ? "plane" : mark == .all ? "w" : "w w\(mark.rawValue)")
    }
    if let ring = ring(layout.planes, layout.cell) { canvas.ring(ring.x, ring.y, max(layout.cell * 0.65, 5)) }
    return canvas.svg(label: label)
  }

  /// One line of cells: a rectangle for each run of equal ones that are not the ground.
  private func append(
    _ line: ArraySlice<FailureMap.Mark>, _ x: Double, _ y: Double, _ cell: Double,
    to paths: inout [FailureMap.Mark: String]
  ) {
    var start = line.startIndex
    while start < line.endIndex {
      var end = start
      while end < line.endIndex, line[end] == line[start] { end += 1 }
      if line[start] != (isSampled ? .notCompared : .right) {
        let (left, width) = (x + cell * Double(start - line.startIndex), cell * Double(end - start))
        let (w, h) = (SVGCanvas.number(width - 0.5), SVGCanvas.number(cell - 0.5))
        paths[line[start], default: ""] += "M\(SVGCanvas.number(left)) \(SVGCanvas.number(y))h\(w)v\(h)h-\(w)z"
      }
      start = end
    }
  }

  private func ring(_ planes: [Plane], _ cell: Double) -> (x: Double, y: Double)? {
    guard let index = worst?.index, index.count == rank, zip(index, shape).allSatisfy({ (0..<$1).contains($0) }) else {
      return nil
    }
    let place = zip(index, map.block).map { $0 / $1 }
    let plane = zip(place.dropLast(2), map.cells).reduce(0) { $0 * $1.1 + $1.0 }
    guard let found = planes.first(where: { $0.index == plane }) else { return nil }
    let row = rank > 1 ? place[rank - 2] : 0
    return (found.x + cell * (Double(place[rank - 1]) + 0.5), found.y + cell * (Double(row) + 0.5))
  }

  private struct Layout {
    var planes: [Plane]
    var labels: [(x: Double, y: Double, text: String, anchor: SVGCanvas.Anchor)]
    var cell: Double
    var width: Double
    var height: Double
  }

  private var layout: Layout { inRows ?? flowing }

  /// Channels as rows, images as columns; `nil` where that is too high or too wide.
  private var inRows: Layout? {
    guard rank >= 3 else { return nil }
    let channels = map.cells[rank - 3]
    let images = planes / channels
    guard images > 1 || channels <= 4 else { return nil }
    let (left, top, gap) = (16 + 6.4 * Double(span(rank - 3, channels - 1).count), 22.0, 5.0)
    let cell = min(
      16, ((Self.widest - left) / Double(images) - gap) / Double(columns),
      ((Self.highest - top) / Double(channels) - gap) / Double(rows)
    ).rounded(.down)
    guard cell >= 3 else { return nil }
    let (width, height) = (cell * Double(columns) + gap, cell * Double(rows) + gap)
    var found = Layout(
      planes: [], labels: [], cell: cell, width: max(left + width * Double(images), 240),
      height: top + height * Double(channels))
    for image in 0..<images {
      let x = left + width * Double(image)
      if rank > 3 {
        let words = title(image * channels).split(separator: ",").dropLast().joined(separator: ",")
        found.labels.append((x, top - 7, words, .start))
      }
      for channel in 0..<channels {
        let y = top + height * Double(channel)
        found.planes.append(Plane(index: image * channels + channel, x: x, y: y))
        if image == 0 {
          found.labels.append((left - 8, y + cell * Double(rows) / 2 + 4, span(rank - 3, channel), .end))
        }
      }
    }
    return found
  }

  /// One plane after the other, line by line.
  private var flowing: Layout {
    let named = rank > 2
    let longest = named ? 6.4 * Double((0..<planes).map { title($0).count }.max() ?? 0) : 0
    // As large as leaves everything on one screen.
    func lines(_ cell: Double) -> (perLine: Int, height: Double, width: Double) {
      let width = max(cell * Double(columns), longest) + 10
      let perLine = min(planes, max(1, Int(Self.widest / width)))
      let count = (planes + perLine - 1) / perLine
      return (perLine, Double(count) * (cell * Double(rows) + (named ? 22 : 8)), width)
    }
    let cell =
      stride(from: 16.0, to: 3, by: -1).first { lines($0).height <= Self.highest && lines($0).width <= Self.widest }
      ?? min(3, Self.widest / Double(columns))
    let (perLine, height, width) = lines(cell)
    var found = Layout(
      planes: [], labels: [], cell: cell, width: max(8 + width * Double(perLine), 240), height: height + 8)
    for plane in 0..<planes {
      let x = 8 + width * Double(plane % perLine)
      let y = 4 + (cell * Double(rows) + (named ? 22 : 8)) * Double(plane / perLine) + (named ? 14 : 0)
      found.planes.append(Plane(index: plane, x: x, y: y))
      if named { found.labels.append((x, y - 4, title(plane), .start)) }
    }
    return found
  }
}

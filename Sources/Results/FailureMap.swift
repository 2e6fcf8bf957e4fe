/// Which elements of a tensor are wrong, on a grid that is coarser than the tensor where that is large: every wrong element
/// darkens its cell, and none is left out.
public struct FailureMap: Codable, Sendable, Hashable {
  /// What a cell shows of its elements.
  public enum Mark: Character, Sendable, CaseIterable {
    /// None is wrong.
    case right = "."
    case upToAQuarter = "a"
    case upToAHalf = "b"
    case upToThreeQuarters = "c"
    case most = "d"
    case all = "x"
    /// None was compared, as between the samples of a large tensor.
    case notCompared = "-"
  }

  /// Cells along each axis of the tensor.
  public var cells: [Int]
  /// Elements that a cell covers along each axis; the last one of an axis may cover fewer.
  public var block: [Int]
  /// A letter for each cell in row-major order, and before it how often it stands there in a row, where that is more than once:
  /// `.` where nothing is wrong, `a`, `b`, `c` and `d` for up to each quarter of the compared elements, `x` where all are wrong,
  /// `-` where none was compared.
  public var marks: String

  /// So many cells at most.
  public static let limit = 6_400

  /// - Parameters:
  ///   - failing: offsets of the wrong elements, row-major.
  ///   - compared: offsets of those that were looked at; `nil` where all were.
  ///   - shape: the tensor's.
  /// - Returns: nothing where a map would show nothing: no element is wrong, every one is, or there is but one.
  public init?(failing: [Int], compared: [Int]? = nil, shape: [Int]) {
    let count = shape.reduce(1, *)
    guard !failing.isEmpty, !shape.isEmpty, count > 1, failing.count < compared?.count ?? count else { return nil }
    let block = Self.block(of: shape)
    let cells = zip(shape, block).map { ($0 + $1 - 1) / $1 }
    var wrong = [Int](repeating: 0, count: cells.reduce(1, *))
    var all = wrong
    func cell(_ offset: Int) -> Int {
      var (rest, place, stride) = (offset, 0, 1)
      for axis in shape.indices.reversed() {
        place += rest % shape[axis] / block[axis] * stride
        rest /= shape[axis]
        stride *= cells[axis]
      }
      return place
    }
    for offset in failing where (0..<count).contains(offset) { wrong[cell(offset)] += 1 }
    if let compared {
      for offset in compared where (0..<count).contains(offset) { all[cell(offset)] += 1 }
    } else {
      for place in all.indices {
        var (rest, size) = (place, 1)
        for axis in shape.indices.reversed() {
          size *= min(block[axis], shape[axis] - rest % cells[axis] * block[axis])
          rest /= cells[axis]
        }
        all[place] = size
      }
    }
    self.cells = cells
    self.block = block
    marks = Self.coded(zip(wrong, all).map(Self.mark))
  }

  /// Of columns, rows and every other axis.
  private static let limits = (columns: 200, rows: 100, others: 64)

  /// Doubles the block of whichever axis has most cells for its weight until the grid is small enough: rows and columns keep
  /// more than channels and images do.
  private static func block(of shape: [Int]) -> [Int] {
    var block = shape.map { _ in 1 }
    func cells(_ axis: Int) -> Int { (shape[axis] + block[axis] - 1) / block[axis] }
    func weight(_ axis: Int) -> Int { axis + 2 >= shape.count ? 4 : 1 }
    for axis in shape.indices {
      let most = axis + 1 == shape.count ? limits.columns : axis + 2 == shape.count ? limits.rows : limits.others
      while cells(axis) > most { block[axis] *= 2 }
    }
    while shape.indices.reduce(1, { $0 * cells($1) }) > limit {
      // The first of equals, so that the same tensor always gives the same grid.
      let widest = shape.indices.max { first, second in
        let (a, b) = (cells(first) * weight(second), cells(second) * weight(first))
        return a == b ? first > second : a < b
      }
      guard let widest, cells(widest) > 1 else { break }
      block[widest] *= 2
    }
    return block
  }

  private static func mark(_ wrong: Int, _ all: Int) -> Mark {
    switch (wrong, all) {
    case (_, 0): .notCompared
    case (0, _): .right
    case _ where wrong >= all: .all
    case _ where 4 * wrong <= all: .upToAQuarter
    case _ where 2 * wrong <= all: .upToAHalf
    case _ where 4 * wrong <= 3 * all: .upToThreeQuarters
    default: .most
    }
  }

  private static func coded(_ marks: [Mark]) -> String {
    var text = ""
    var start = 0
    while start < marks.count {
      var end = start
      while end < marks.count, marks[end] == marks[start] { end += 1 }
      if end - start > 1 { text += "\(end - start)" }
      text.append(marks[start].rawValue)
      start = end
    }
    return text
  }

  /// The cells' marks in row-major order; `nil` of a map that no writer made.
  public var grid: [Mark]? {
    var size = 1
    for extent in cells {
      guard extent > 0, extent <= Self.limit, size <= Self.limit else { return nil }
      size *= extent
    }
    guard !cells.isEmpty, cells.count == block.count, block.allSatisfy({ $0 > 0 }), size <= Self.limit else {
      return nil
    }
    var (found, repeats): ([Mark], Int) = ([], 0)
    for character in marks {
      if let digit = character.wholeNumberValue, character.isASCII {
        repeats = repeats * 10 + digit
        guard repeats <= size else { return nil }
      } else {
        guard let mark = Mark(rawValue: character), found.count + max(repeats, 1) <= size else { return nil }
        found += [Mark](repeating: mark, count: max(repeats, 1))
        repeats = 0
      }
    }
    return found.count == size && repeats == 0 ? found : nil
  }

  /// Whether a cell stands for more than one element.
  public var isCoarse: Bool { block.contains { $0 > 1 } }
}

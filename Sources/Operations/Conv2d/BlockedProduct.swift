/// Products of matrices in double precision, in blocks that stay in the caches: what ``BlockedConv2d`` is made of.
///
///     y[i,j] = start[i] + Σ_t a[i,t]·b[t,j]
///
/// Each element's terms are added one after the other, t ascending, whatever the blocks, the threads and the CPU.
package struct BlockedProduct: Sendable {
  /// A matrix that lies in a tensor: element (i, j) at `rows[i] + columns[j]`.
  struct Matrix: Sendable {
    var elements: [Double]
    var rows: [Int]
    var columns: [Int]
  }

  typealias Lane = SIMD8<Double>

  /// Terms whose 16 KiB of either operand stay in the first-level cache, and columns whose panel of these terms stays in the second.
  private static let (termBlock, columnBlock) = (256, 256)

  private let a: Matrix
  private let b: Matrix
  /// By row of `a`; nothing for zeros.
  private let start: [Double]
  private let loops: OracleLoops
  /// Tiles of eight rows of `a`, each a vector for each term.
  private let weights: [Lane]
  private let tiles: Int

  private var terms: Int { b.rows.count }

  init(_ a: Matrix, _ b: Matrix, start: [Double] = [], loops: OracleLoops) {
    precondition(a.columns.count == b.rows.count && (start.isEmpty || start.count == a.rows.count))
    (self.a, self.b, self.start, self.loops) = (a, b, start, loops)
    tiles = (a.rows.count + 7) / 8
    weights = Self.gathered(a.rows, a.elements, across: a.columns[...])
  }

  /// Vectors of eight of `lanes`, one for each of `terms`, vector by vector; what is beyond the last lane holds 0.
  private static func gathered(_ lanes: [Int], _ elements: [Double], across terms: ArraySlice<Int>) -> [Lane] {
    let elements = elements.span
    var vectors: [Lane] = []
    vectors.reserveCapacity((lanes.count + 7) / 8 * terms.count)
    for first in stride(from: 0, to: lanes.count, by: 8) {
      if first + 8 <= lanes.count {
        let (l0, l1, l2, l3) = (lanes[first], lanes[first + 1], lanes[first + 2], lanes[first + 3])
        let (l4, l5, l6, l7) = (lanes[first + 4], lanes[first + 5], lanes[first + 6], lanes[first + 7])
        for t in terms {
          vectors.append(
            Lane(
              elements[l0 + t], elements[l1 + t], elements[l2 + t], elements[l3 + t], elements[l4 + t],
              elements[l5 + t], elements[l6 + t], elements[l7 + t]))
        }
      } else {
        for t in terms {
          var vector = Lane.zero
          for lane in first..<lanes.count { vector[lane - first] = elements[lanes[lane] + t] }
          vectors.append(vector)
        }
      }
    }
    return vectors
  }

  /// Writes the product to where the rows and columns of `y` say.
  /// - Parameters:
  ///   - y: takes the product; what no row and column meet stays as it is.
  ///   - rows: for each row of `a`.
  ///   - columns: for each column of `b`.
  ///   - threads: share blocks of columns.
  func write(to y: inout [Double], rows: [Int], columns: [Int], threads: Int) {
    var y = y.mutableSpan
    // As many blocks at once as there are threads, so that no more than these lie beside y.
    let step = threads * Self.columnBlock
    for first in stride(from: 0, to: columns.count, by: step) {
      let parts = (min(step, columns.count - first) + Self.columnBlock - 1) / Self.columnBlock
      let product = concurrently(parts, threads: threads) { range in
        range.flatMap { part in
          let start = first + part * Self.columnBlock
          return sums(start..<min(start + Self.columnBlock, columns.count))
        }
      }
      var next = 0
      for column in stride(from: first, to: min(first + step, columns.count), by: 8) {
        let width = min(8, columns.count - column)
        for row in rows {
          let vector = product[next]
          for lane in 0..<width { y[row + columns[column + lane]] = vector[lane] }
          next += 1
        }
      }
    }
  }

  /// The products of all rows with some columns: for each eight columns a vector for each row.
  private func sums(_ columns: Range<Int>) -> [Lane] {
    let vectors = (columns.count + 7) / 8
    // Eight rows of each vector lie together.
    var sums = [Lane](repeating: .zero, count: vectors * tiles * 8)
    if !start.isEmpty {
      for vector in 0..<vectors {
        for row in start.indices { sums[vector * tiles * 8 + row] = Lane(repeating: start[row]) }
      }
    }
    let (lanes, weights) = (Array(b.columns[columns]), weights.span)
    for first in stride(from: 0, to: terms, by: Self.termBlock) {
      let block = first..<min(first + Self.termBlock, terms)
      let panel = Self.gathered(lanes, b.elements, across: b.rows[block])
      let (columns, count) = (panel.span, block.count)
      var all = sums.mutableSpan
      for tile in 0..<tiles {
        let rows = weights.extracting(tile * terms + first..<tile * terms + first + count)
        for vector in 0..<vectors {
          let start = (vector * tiles + tile) * 8
          var part = all._mutatingExtracting(start..<start + 8)
          loops.addProducts(rows, columns.extracting(vector * count..<(vector + 1) * count), to: &part)
        }
      }
    }
    guard a.rows.count < tiles * 8 else { return sums }
    return (0..<vectors).flatMap { vector -> ArraySlice<Lane> in
      let first = vector * tiles * 8
      return sums[first..<first + a.rows.count]
    }
  }
}

import Foundation
import Results
import Testing

@Suite struct FailureMapTests {
  private func map(_ failing: [Int], compared: [Int]? = nil, _ shape: [Int]) throws -> FailureMap {
    try #require(FailureMap(failing: failing, compared: compared, shape: shape))
  }

  @Test func `a small tensor has a cell for each element`() throws {
    let found = try map([2, 5], [1, 1, 2, 3])
    #expect(found.cells == [1, 1, 2, 3] && found.block == [1, 1, 1, 1] && !found.isCoarse)
    #expect(found.marks == "2.x2.x")
    #expect(found.grid == [.right, .right, .all, .right, .right, .all])
  }

  @Test func `nothing is shown where there is nothing to see`() {
    #expect(FailureMap(failing: [], shape: [2, 3]) == nil)
    #expect(FailureMap(failing: Array(0..<6), shape: [2, 3]) == nil)
    #expect(FailureMap(failing: [0], compared: [0], shape: [2, 3]) == nil)
    #expect(FailureMap(failing: [0], shape: []) == nil)
    #expect(FailureMap(failing: [0], shape: [1, 1]) == nil)
    #expect(FailureMap(failing: [0], shape: [0, 3]) == nil)
  }

  /// However large the tensor, the map is small and a single wrong element is in it, in its place.
  @Test(arguments: [
    [8, 64, 56, 56], [1, 3, 224, 224], [2_000_000], [1000, 2048], [512, 512, 3, 3], [2, 3, 4, 65, 67],
  ])
  func `one wrong element of a large tensor is seen`(shape: [Int]) throws {
    let count = shape.reduce(1, *)
    for offset in [0, count - 1, count / 3] {
      let found = try map([offset], shape)
      let grid = try #require(found.grid)
      #expect(grid.count <= FailureMap.limit && grid.count { $0 != .right } == 1)
      var (rest, index) = (offset, [Int]())
      for extent in shape.reversed() {
        index.insert(rest % extent, at: 0)
        rest /= extent
      }
      let place = zip(zip(index, found.block), found.cells).reduce(0) { $0 * $1.1 + $1.0.0 / $1.0.1 }
      #expect(grid[place] != .right && grid[place] != .notCompared, "\(shape) \(offset)")
    }
  }

  /// A cell at the end of an axis covers fewer elements, and its share is of those.
  @Test func `shares are of the elements that a cell has`() throws {
    // 201 columns in blocks of 2: the last cell has one.
    let found = try map([0, 3, 4, 5, 200], [1, 201])
    #expect(found.block == [1, 2])
    #expect(found.marks == "2bx97.x")
    #expect(try map([0], [1, 801]).marks.hasPrefix("a"))
    // 801 in blocks of 8.
    #expect(try map([0, 1, 2], [1, 801]).marks.hasPrefix("b"))
    #expect(try map([0, 1, 2, 3, 4], [1, 801]).marks.hasPrefix("c"))
    #expect(try map([0, 1, 2, 3, 4, 5, 6], [1, 801]).marks.hasPrefix("d"))
  }

  @Test func `what was not compared is told from what is right`() throws {
    #expect(try map([1], compared: [1, 3], [4]).marks == "-x-.")
  }

  @Test(arguments: ["", "6.", "3.xxx", "9x", "3.q2.", "99999999999999999999.", "5.2"])
  func `marks that no writer made are no grid`(marks: String) throws {
    var found = try map([2], [5])
    found.marks = marks
    #expect(found.grid == nil)
  }

  @Test(arguments: [
    ([0], [1]), ([-1, -5], [1, 1]), ([Int.max, Int.max], [1, 1]), ([5], [0]), ([5], [1, 1]), ([], []),
  ])
  func `extents that no writer made are no grid`(extents: ([Int], [Int])) throws {
    var found = try map([2], [5])
    (found.cells, found.block) = extents
    #expect(found.grid == nil)
  }

  @Test func `the same failures give the same bytes, and they are read back`() throws {
    let failing = (0..<40_000).filter { $0 % 7 == 0 }
    let (first, second) = (try map(failing, [4, 100, 100]), try map(failing, [4, 100, 100]))
    let data = try JSONEncoder().encode(first)
    #expect(first == second && data.count < 20_000)
    #expect(try JSONDecoder().decode(FailureMap.self, from: data) == first)
  }
}

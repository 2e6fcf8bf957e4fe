import Tensors
import Testing

@Suite struct ShapeTests {
  @Test func indexOfOffset() {
    let shape: Shape = [2, 3, 5, 7]
    #expect(shape.count == 210 && shape.strides == [105, 35, 7, 1])
    #expect(shape.index(ofOffset: 209) == [1, 2, 4, 6])
    #expect(Shape([]).count == 1 && Shape([]).index(ofOffset: 0) == [])
  }

  @Test(arguments: [[-1], [Int.max, 2], [1 << 40, 1 << 40], [0, -3], [0, Int.max, Int.max]])
  func refusesWhatCannotBeAddressed(dimensions: [Int]) { #expect(Shape(validating: dimensions) == nil) }

  @Test func emptyExtentIsAShape() { #expect(Shape(validating: [0, 3, 4, 4])?.count == 0) }
}

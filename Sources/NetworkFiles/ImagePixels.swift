import GoldenFiles
import HDF5
import Tensors

/// Images as their file stores them: bytes stay bytes, so that a data set takes no more memory than it has to, and become
/// floats a few images at a time.
public struct ImagePixels: Sendable {
  private enum Storage: Sendable {
    case bytes([UInt8])
    case integers([Int64])
    case singles([Float])
    case doubles([Double])
  }

  /// (N, C, H, W)
  public let shape: Shape
  private let storage: Storage
  /// What stands for 1 unless the file says otherwise: 255 for integers, 1 for floats and booleans.
  let ordinaryMaximum: Double
  /// Integers of a type other than bytes, for which 255 is a guess.
  let areWideIntegers: Bool

  /// - Requires: as many bytes as the shape has elements.
  init(bytes: [UInt8], shape: Shape) {
    precondition(bytes.count == shape.count, "one byte for each value")
    self.shape = shape
    storage = .bytes(bytes)
    ordinaryMaximum = 255
    areWideIntegers = false
  }

  /// - Throws: ``GoldenFileError`` for anything but numbers in four dimensions, within the limits.
  init(_ dataset: HDF5Dataset, _ reader: inout GoldenTensorReader) throws(GoldenFileError) {
    let type = try translating { () throws(HDF5Error) in try dataset.datatype() }
    let space = try translating { () throws(HDF5Error) in try dataset.dataspace() }
    guard let extents = space.shape, extents.count == 4 else {
      throw GoldenFileError(
        .inconsistent, file: reader.file, object: dataset.path, expected: "shape (N, C, H, W)",
        found: space.shape.map { "shape \(Shape(validating: $0)?.description ?? "\($0)")" } ?? "no elements")
    }
    let isByte = type == .uint8 || type.kind == .boolean
    let bytes = isByte ? 1 : type.isInteger ? 8 : max(4, type.byteCount)
    shape = try reader.admit(dataset, type, extents, bytesPerElement: bytes)
    switch type.kind {
    case .integer where isByte: storage = .bytes(try reader.elements(dataset, shape))
    case .integer: storage = .integers(try reader.elements(dataset, shape))
    case .boolean:
      let values = try translating { () throws(HDF5Error) in try dataset.readBooleans() }
      storage = .bytes(values.map { $0 ? 1 : 0 })
    case .floatingPoint where type.byteCount <= 4: storage = .singles(try reader.elements(dataset, shape))
    case .floatingPoint where type.byteCount <= 8: storage = .doubles(try reader.elements(dataset, shape))
    default:
      throw GoldenFileError(
        .wrongType, file: reader.file, object: dataset.path, expected: "integers or floats of at most 64 bits",
        found: "\(type)", advice: "store the images as numbers")
    }
    ordinaryMaximum = type.isInteger ? 255 : 1
    areWideIntegers = type.isInteger && !isByte
  }

  var areIntegers: Bool {
    switch storage {
    case .bytes, .integers: true
    case .singles, .doubles: false
    }
  }

  /// The images of these rows, in this order.
  /// - Requires: rows below N.
  public func images(_ rows: [Int]) -> Tensor<Float> {
    let size = shape.dimensions.dropFirst().reduce(1, *)
    func gathered<Element>(_ elements: [Element], _ convert: (Element) -> Float) -> Tensor<Float> {
      var values: [Float] = []
      values.reserveCapacity(rows.count * size)
      for row in rows { values += elements[row * size..<(row + 1) * size].lazy.map(convert) }
      return Tensor(shape: Shape([rows.count] + shape.dimensions.dropFirst()), elements: values)
    }
    return switch storage {
    case .bytes(let elements): gathered(elements, Float.init)
    case .integers(let elements): gathered(elements) { Float($0) }
    case .singles(let elements): gathered(elements) { $0 }
    case .doubles(let elements): gathered(elements) { Float($0) }
    }
  }

  /// The first element that is not a finite float32 or, for integers, lies outside 0 … `maximum`.
  func firstOutside(_ maximum: Double) -> (index: [Int], value: String)? {
    func first<Element>(_ elements: [Element], _ isOutside: (Element) -> Bool) -> (index: [Int], value: String)? {
      elements.firstIndex(where: isOutside).map { position in
        var rest = position
        var index: [Int] = []
        for extent in shape.dimensions.reversed() {
          index.insert(rest % extent, at: 0)
          rest /= extent
        }
        return (index, "\(elements[position])")
      }
    }
    return switch storage {
    case .bytes(let elements): first(elements) { Double($0) > maximum }
    case .integers(let elements): first(elements) { $0 < 0 || Double($0) > maximum }
    case .singles(let elements): first(elements) { !$0.isFinite }
    case .doubles(let elements): first(elements) { !Float($0).isFinite }
    }
  }
}

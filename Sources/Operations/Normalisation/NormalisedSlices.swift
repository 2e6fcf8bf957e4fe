/// Which elements of a tensor are normalised together, and which parameter scales and shifts each.
///
/// The tensor is looked at as R × K × L: slice k is everything with middle index k, R runs of L elements next to each other. A
/// channel of a batch is one (R = N, L = H·W), and with R = 1 whatever lies in one piece: a group of channels, a row.
///
/// The slices go through the parameters in order, each parameter for as many elements, and start again after the last.
public struct NormalisedSlices: Sendable {
  /// R.
  let runCount: Int
  /// K.
  let count: Int
  /// L.
  let runLength: Int
  let parameterCount: Int
  let parametersPerSlice: Int

  /// M, the elements of one slice.
  var size: Int { runCount * runLength }
  var elementCount: Int { size * count }
  /// Elements in a row, within a slice, that share a parameter.
  var elementsPerParameter: Int { parametersPerSlice == 0 ? 0 : size / parametersPerSlice }

  /// The elements of one run of a slice.
  func run(_ run: Int, of slice: Int) -> Range<Int> {
    let start = (run * count + slice) * runLength
    return start..<start + runLength
  }

  /// All elements of a slice in order.
  func elements(of slice: Int) -> [Int] { (0..<runCount).flatMap { run($0, of: slice) } }

  /// The parameter of a slice's elements from `local`·``elementsPerParameter`` on.
  func parameter(_ local: Int, of slice: Int) -> Int { (slice * parametersPerSlice + local) % parameterCount }

  func slice(of element: Int) -> Int { element / runLength % count }

  /// Where an element stands in its slice.
  func position(of element: Int) -> Int { element / (count * runLength) * runLength + element % runLength }
}

import ArgumentParser
import Tensors

/// Precisions by their names, several with commas between them: `float16,bfloat16`.
struct Precisions: ExpressibleByArgument {
  let dtypes: [DType]

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false)
    dtypes = names.compactMap { DType(rawValue: String($0)) }
    guard dtypes.count == names.count else { return nil }
  }

  static let allValueStrings = DType.floats.map(\.rawValue)

  /// All that an option names, each once and in this order; the standard ones where it names none.
  /// - Throws: `ValidationError` for one that is not among those that the command takes.
  static func chosen(
    _ options: [Precisions], standard: [DType], among known: [DType]
  ) throws -> [DType] {
    let named = options.flatMap(\.dtypes)
    guard named.allSatisfy(known.contains) else {
      let expected = known.map(\.rawValue).joined(separator: ", ")
      let found = named.filter { !known.contains($0) }.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--dtype: expected \(expected), or several of these with commas, found \(found).")
    }
    var seen: Set<DType> = []
    return named.isEmpty ? standard : named.filter { seen.insert($0).inserted }
  }
}

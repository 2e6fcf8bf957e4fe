import HDF5
import Tensors

/// Reads and checks the attributes of a golden file's root.
struct GoldenHeaderReader {
  let root: HDF5Group
  let path: String

  func checkSchema() throws(GoldenFileError) {
    let schema = try string("schema")
    guard schema == GoldenSchema.name else {
      throw GoldenFileError(
        schema == nil ? .missing : .notAGoldenFile, file: path, object: "/@schema",
        expected: "\"\(GoldenSchema.name)\"", found: schema.map { "\"\($0)\"" } ?? "no such attribute",
        advice: "is this a golden file? Fixtures/FORMAT.md says what makes one")
    }
    let version = try integer("schema_version")
    guard version <= GoldenSchema.version else {
      throw GoldenFileError(
        .newerSchema, file: path, object: "/@schema_version", expected: "at most \(GoldenSchema.version)",
        found: "\(version)", advice: "this file was made for a newer Assay: update Assay")
    }
    guard version >= 1 else {
      throw GoldenFileError(
        .damaged, file: path, object: "/@schema_version", expected: "\(GoldenSchema.version)", found: "\(version)",
        advice: "no such schema exists")
    }
  }

  func checkCaseCount(found: Int) throws(GoldenFileError) {
    let expected = try integer("case_count")
    guard expected == Int64(found) else {
      throw GoldenFileError(
        .damaged, file: path, object: "/@case_count", expected: "\(expected) cases", found: "\(found)",
        advice: "the file is damaged or was edited: fetch or generate it again")
    }
  }

  func header() throws(GoldenFileError) -> GoldenFileHeader {
    var header = GoldenFileHeader(
      generator: try string("generator") ?? "", generatorScript: try string("generator_script") ?? "",
      generatorSHA256: try string("generator_sha256") ?? "")
    if let oracle = try string("oracle_dtype") {
      guard let dtype = DType(rawValue: oracle), dtype != .int64 else {
        throw GoldenFileError(
          .damaged, file: path, object: "/@oracle_dtype", expected: "\"float64\" or \"float32\"",
          found: "\"\(oracle)\"",
          advice: "correct the attribute")
      }
      header.oracleDType = dtype
    }
    header.seed = try value("seed")?.unsigned
    header.created = try string("created")
    header.text = try string("description")
    header.license = try string("license")
    return header
  }

  private func value(_ name: String) throws(GoldenFileError) -> HDF5AttributeValue? {
    try translating { () throws(HDF5Error) in try root.attribute(name) }
  }

  /// A string attribute; nil when it is absent.
  private func string(_ name: String) throws(GoldenFileError) -> String? {
    guard let value = try value(name) else { return nil }
    guard let string = value.string else {
      throw GoldenFileError(
        .wrongType, file: path, object: "/@\(name)", expected: "a string", found: value.description,
        advice: "correct the attribute")
    }
    return string
  }

  private func integer(_ name: String) throws(GoldenFileError) -> Int64 {
    guard let value = try value(name) else {
      throw GoldenFileError(
        .missing, file: path, object: "/@\(name)", expected: "an integer", found: "no such attribute",
        advice: "Fixtures/FORMAT.md lists the attributes that a file must have")
    }
    guard let integer = value.integer else {
      throw GoldenFileError(
        .wrongType, file: path, object: "/@\(name)", expected: "an integer", found: value.description,
        advice: "correct the attribute")
    }
    return integer
  }
}

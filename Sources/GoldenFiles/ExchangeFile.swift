import HDF5
import Problems
import Tensors

/// The temporary files that an engine process is given and answers with: the golden schema without the answers.
///
/// These files pass between this program and the engines that its user chose; they are read in this process, with every
/// check of links, types, extents and storage, but without a manifest.
public enum ExchangeFile {
  /// Writes what an engine is asked: operation, attributes, inputs, parameters, buffers and cotangents, floats stored in
  /// the exercise's type, integers as int64. Nothing expected is written, nor whether the case must be refused.
  /// - Parameters:
  ///   - exercise: what is asked.
  ///   - name: the case's path in the file.
  ///   - path: the file, which is made anew.
  ///   - withoutLate: whether inputs and cotangents are shapes alone, as an engine is given them that prepares to be timed.
  public static func writeRequest(
    _ exercise: Exercise, case name: String, to path: String, withoutLate: Bool = false
  ) throws(GoldenFileError) {
    try write(exercise, case: name, to: path) { (writer, stored, group) throws(HDF5Error) in
      try writer.write(stored, to: group, withoutLate: withoutLate)
    }
  }

  /// Writes the numbers of an exercise's inputs and cotangents, and nothing else of it.
  public static func writeLate(_ exercise: Exercise, case name: String, to path: String) throws(GoldenFileError) {
    try write(exercise, case: name, to: path) { (writer, stored, group) throws(HDF5Error) in
      try writer.write(stored.inputs, .inputs, to: group)
      try writer.write(stored.upstream, .upstream, to: group)
    }
  }

  private static func write(
    _ exercise: Exercise, case name: String, to path: String,
    _ body: (GoldenCaseWriter, Exercise, HDF5Group) throws(HDF5Error) -> Void
  ) throws(GoldenFileError) {
    let dtype = exercise.dtype
    let stored = exercise.converted(to: dtype)
    let header = GoldenFileHeader(generator: "assay exchange", oracleDType: dtype == .int64 ? .float64 : dtype)
    try GoldenFileWriter.create(path, header: header, caseCount: 1, survivesPowerCut: false) { root throws(HDF5Error) in
      let writer = GoldenCaseWriter(compressesLargeTensors: false)
      try body(writer, stored, try writer.makeGroup(for: stored, at: name, in: root))
    }
  }

  /// Reads what is asked, as an engine does. Whether it makes sense is for the operation to judge.
  /// - Parameters:
  ///   - path: the file.
  ///   - name: the case's path in it.
  ///   - limits: the most that the case may take.
  ///   - acceptsLate: whether inputs and cotangents may be shapes alone; they read as zeros.
  /// - Throws: ``GoldenFileError`` also when it takes more than the limits allow.
  public static func readRequest(
    _ path: String, case name: String, limits: CaseLimits = .standard, acceptsLate: Bool = false
  ) throws(GoldenFileError) -> Exercise {
    let group = try self.group(path, name)
    guard let summary = try GoldenCaseSearch.summary(of: group, file: path) else {
      throw GoldenFileError(
        .missing, file: path, object: name, expected: "a case", found: "a group without the attribute operation")
    }
    var loader = GoldenCaseLoader(
      file: path, limits: GoldenLimits(computation: limits), acceptsLate: acceptsLate)
    return try loader.stimulus(summary, of: group)
  }

  /// Reads the inputs and cotangents that ``writeLate(_:case:to:)`` wrote.
  public static func readLate(
    _ path: String, case name: String, limits: CaseLimits = .standard
  ) throws(GoldenFileError) -> LateOperands {
    var loader = GoldenCaseLoader(file: path, limits: GoldenLimits(computation: limits))
    return try loader.late(of: try group(path, name))
  }

  /// Writes an engine's answer: floats in `dtype`, integers as int64, under the case's own path.
  public static func writeAnswer(
    _ answer: Answer, case name: String, dtype: DType, to path: String
  ) throws(GoldenFileError) {
    let header = GoldenFileHeader(generator: "assay exchange", oracleDType: dtype == .int64 ? .float64 : dtype)
    try GoldenFileWriter.create(path, header: header, caseCount: 0, survivesPowerCut: false) { root throws(HDF5Error) in
      let writer = GoldenCaseWriter(compressesLargeTensors: false)
      let group = name == "/" ? root : try root.createGroup(name)
      try writer.write(answer.outputs.mapValues { $0.converted(to: dtype) }, .outputs, to: group)
      try writer.write(answer.gradients.mapValues { $0.converted(to: dtype) }, .gradients, to: group)
      try writer.write(answer.buffersAfter.mapValues { $0.converted(to: dtype) }, .buffersAfter, to: group)
    }
  }

  /// Reads an engine's answer: of each group what is wanted, shape and type before any element. Groups that are absent are
  /// empty; root attributes are not asked for.
  /// - Parameters:
  ///   - path: the file.
  ///   - name: the case's group in it.
  ///   - wanted: paths such as `outputs/y`, each with the most elements that it may have; nil for any number.
  public static func readAnswer(
    _ path: String, case name: String, wanted: [String: Int?]
  ) throws(GoldenFileError) -> Answer {
    let group = try self.group(path, name)
    var loader = GoldenCaseLoader(file: path, limits: .standard)
    func names(_ kind: TensorGroup) -> [String: Int?] {
      let prefix = kind.rawValue + "/"
      let found = wanted.filter { $0.key.hasPrefix(prefix) }
      return Dictionary(uniqueKeysWithValues: found.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }
    return Answer(
      outputs: try loader.answered(.outputs, of: group, wanted: names(.outputs)),
      gradients: try loader.answered(.gradients, of: group, wanted: names(.gradients)),
      buffersAfter: try loader.answered(.buffersAfter, of: group, wanted: names(.buffersAfter)))
  }

  private static func group(_ path: String, _ name: String) throws(GoldenFileError) -> HDF5Group {
    try translating { () throws(HDF5Error) in
      let root = try HDF5File.open(path, limits: GoldenLimits.standard.library).root
      return try root.group(name)
    }
  }
}

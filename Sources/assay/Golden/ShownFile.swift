import GoldenFiles
import Reporting

/// What `assay golden show` says of a file.
struct ShownFile: Encodable {
  let file, sha256: String
  /// Whether the manifest beside it has this digest.
  let isListed: Bool
  let generator, generatorScript, oracleDtype: String
  let seed: UInt64?
  let created, description, license: String?
  let cases: Int
  /// Cases of each operation.
  let operations: [String: Int]

  init(_ opened: GoldenFile) {
    let header = opened.header
    (file, sha256, isListed) = (opened.path, opened.sha256, opened.isListed)
    (generator, generatorScript, oracleDtype) = (header.generator, header.generatorScript, header.oracleDType.rawValue)
    (seed, created, description, license) = (header.seed, header.created, header.text, header.license)
    cases = opened.cases.count
    operations = Dictionary(grouping: opened.cases, by: \.operation).mapValues(\.count)
  }

  var text: String {
    var table = TextTable([])
    table.add(["file", file])
    table.add(["sha256", sha256 + (isListed ? " (listed)" : "")])
    table.add(["generator", generator])
    table.add(["generator_script", generatorScript])
    table.add(["oracle_dtype", oracleDtype])
    if let seed { table.add(["seed", "\(seed)"]) }
    if let created { table.add(["created", created]) }
    if let description { table.add(["description", description]) }
    if let license { table.add(["license", license]) }
    table.add(["cases", "\(cases)"])
    for (operation, count) in operations.sorted(by: { $0.key < $1.key }) {
      table.add(["  " + operation, "\(count)"])
    }
    return table.text
  }
}

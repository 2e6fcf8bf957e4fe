import Foundation
import TestSupport
import Testing

/// What a tutorial needs beside the project.
enum TutorialTools {
  static func has(_ program: String) -> Bool { (try? CommandRun(shell: "command -v \(program)"))?.exitCode == 0 }

  /// A Python that has these modules: the peers', or the system's.
  static func python(with modules: String...) -> String? {
    let question = "import importlib.util as i, sys; sys.exit(not all(map(i.find_spec, sys.argv[1:])))"
    return [Peers.python, "python3"].compactMap { $0 }.first { python in
      (try? CommandRun(["-c", question] + modules, of: python))?.exitCode == 0
    }
  }
}

/// Each page of `Benchmarks/engines/tutorials` is done as it stands. Where a tool is missing it is not run, and is shown as
/// skipped.
@Suite(.serialized, .waiting) struct TutorialTests {
  private static let numpy = TutorialTools.python(with: "numpy", "h5py")
  private static let torch = TutorialTools.python(with: "torch", "h5py")
  private static let triton = TutorialTools.python(with: "triton", "torch", "h5py")
  private static let ncnn = TutorialTools.python(with: "ncnn", "numpy", "h5py")

  @Test func `a kernel in C`() throws { try Tutorial("c").works() }

  @Test func `a kernel in C++`() throws { try Tutorial("cpp").works() }

  @Test(.enabled(if: TutorialTools.has("rustc"), "rustc is not installed"))
  func `a kernel in Rust`() throws { try Tutorial("rust").works() }

  @Test(.enabled(if: numpy != nil, "no Python with NumPy and h5py, and ASSAY_PEERS names none"))
  func `a function on NumPy's arrays`() throws { try Tutorial("numpy").works(python: #require(Self.numpy)) }

  @Test(.enabled(if: numpy != nil, "no Python with NumPy and h5py, and ASSAY_PEERS names none"))
  func `an operation that Assay does not know`() throws { try Tutorial("custom").works(python: #require(Self.numpy)) }

  @Test(.enabled(if: torch != nil, "no Python with PyTorch and h5py, and ASSAY_PEERS names none"))
  func `a custom operator of PyTorch's`() throws { try Tutorial("pytorch").works(python: #require(Self.torch)) }

  @Test(.enabled(if: triton != nil, "no Python with Triton and h5py, and ASSAY_PEERS names none"))
  func `a kernel of Triton's`() throws { try Tutorial("triton").works(python: #require(Self.triton)) }

  @Test(.enabled(if: ncnn != nil, "no Python with ncnn and h5py, and ASSAY_PEERS names none"))
  func `a model of ncnn's`() throws { try Tutorial("ncnn").works(python: #require(Self.ncnn)) }

  /// Its tests are compiled and run as a file of this package's own; the package that they belong to would take minutes.
  @Test func `a Swift package's tests are those that run here`() throws {
    let page = try Tutorial("swift")
    let file = Repository.root.appending(path: "Tests/VerificationTests/MyKernelsTests.swift")
    #expect(try page.file("MyKernelsTests.swift") == String(contentsOf: file, encoding: .utf8))
    let own = try String(contentsOf: Repository.root.appending(path: "Package.swift"), encoding: .utf8)
    let package = try #require(page.file("Package.swift"))
    for line in ["// swift-tools-version: 6.2", "platforms: [.macOS(.v15)],"] {
      #expect(package.contains(line) && own.contains(line), "\(line)")
    }
    #expect(own.contains(".library(name: \"AssayTesting\"") && package.contains(".product(name: \"AssayTesting\""))
  }

  @Test func `every page is one of these`() throws {
    #expect(
      try Tutorial.names() == ["c", "cpp", "rust", "numpy", "custom", "pytorch", "triton", "ncnn", "swift"])
  }

  /// Also of pages that are not run here.
  @Test func `every command has its options`() throws {
    let tree = try CommandTree.whole()
    let shell = try ExampleFolder(for: [])
    for name in try Tutorial.names().sorted() {
      for line in try Tutorial(name).commands where line.hasPrefix("assay ") {
        let words = try shell.run("set -f; printf '%s\\n' \(line.dropFirst(6))").output.split(separator: "\n")
        #expect(!words.isEmpty && tree.unknownWord(in: words.map(String.init)) == nil, "\(name): \(line)")
      }
    }
  }
}

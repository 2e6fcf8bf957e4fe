import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// The examples in each language: built by the line in their first comment, and right.
@Suite struct ExampleLibraryTests {
  static let folder = Repository.root.appending(path: "Benchmarks/engines/examples")
  static let hasRust = (try? CommandRun(shell: "command -v rustc"))?.exitCode == 0

  /// Runs the line that an example begins with, and gives the library that it makes.
  private func build(_ example: String, in output: TemporaryDirectory) throws -> URL {
    let source = try String(contentsOf: Self.folder.appending(path: example), encoding: .utf8)
    let first = try #require(source.split(separator: "\n").first)
    let line = String(first.drop { "/* ".contains($0) })
    let words = line.split(separator: " ")
    let place = try #require(words.firstIndex(of: "-o"))
    let name = String(words[place + 1])
    let library = output.file(name)
    let run = try CommandRun(
      shell: line.replacing(" -o \(name) ", with: " -o '\(library.path(percentEncoded: false))' "))
    try #require(run.exitCode == 0, "\(line): \(run.errors)")
    #expect(run.errors.isEmpty, "\(run.errors)")
    return library
  }

  private func verify(_ example: String, _ cases: [String]) throws {
    let output = try TemporaryDirectory()
    let library = try build(example, in: output)
    let run = try CommandRun(
      ["verify", "--library", library.path(percentEncoded: false), "--fresh", "2", "--filter", "/conv2d/*"] + cases)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.contains("all hold"), "\(run.output)")
  }

  @Test func holdsOverEveryConvolution() throws { try verify("conv2d.c", []) }

  /// The large shapes of networks have no loop of their own.
  private static let smallShapes = ["--golden", "Fixtures/conv2d.h5"]

  @Test func holdsInCPlusPlus() throws { try verify("conv2d.cpp", Self.smallShapes) }

  @Test(.enabled(if: hasRust, "rustc is not installed")) func holdsInRust() throws {
    try verify("conv2d.rs", Self.smallShapes)
  }

  /// The gate of two libraries as the pages have it, without a suite: a library keeps no layout but NCHW.
  @Test func twoLibrariesAreCompared() throws {
    let output = try TemporaryDirectory()
    let library = "library:" + (try build("conv2d.c", in: output)).path(percentEncoded: false)
    let record = output.file("run.json").path(percentEncoded: false)
    let run = try CommandRun([
      "duet", "--base", library, "--head", library, "--filter", "*k64r3s3*", "--deadline", "60", "--json", record, "-q",
    ])
    // Times of a busy machine decide nothing.
    #expect([0, 2].contains(run.exitCode) && !run.output.contains("head does not"), "\(run.output)\(run.errors)")
    let gate = try #require(try RunFile.read(record).duet)
    #expect(gate.benchmarks.map(\.name) == ["conv2d n1c64h56w56 k64r3s3 stride1 pad1 forward nchw t1"])
    #expect(!gate.benchmarks[0].screen.isEmpty, "\(gate.reasons)")
  }

  @Test func aConvolutionInCHasAtMostTwentyLines() throws {
    let source = try String(contentsOf: Self.folder.appending(path: "conv2d.c"), encoding: .utf8)
    let start = try #require(source.range(of: "ASSAY_EXPORT int assay_conv2d"))
    let lines = source[start.lowerBound...].split(separator: "\n", omittingEmptySubsequences: false)
    let end = try #require(lines.firstIndex(of: "}"))
    #expect(end + 1 <= 20)
  }

  @Test(arguments: ["cc -std=c99 -x c", "cc -std=c11 -x c", "c++ -std=c++11 -x c++", "c++ -std=c++20 -x c++"])
  func theHeaderIsClean(compiler: String) throws {
    let folder = try TemporaryDirectory()
    let source = folder.file("two.c").path(percentEncoded: false)
    try Data(
      "#include <assay.h>\n#include <assay.h>\nASSAY_EXPORT int assay_relu(const assay_call *c) { return !c; }\n".utf8
    )
    .write(to: URL(filePath: source))
    let run = try CommandRun(
      shell:
        "\(compiler) -Wall -Wextra -pedantic -Werror -fPIC -c -I Benchmarks/engines/include -o /dev/null '\(source)'")
    #expect(run.exitCode == 0, "\(run.errors)")
  }

  @Test(arguments: [
    (["--library", "none.so"], 65, "found nothing at this path"),
    (["--library", "direct=Package.swift"], 64, "this name is a built-in engine's"),
    (["--symbol", "conv2d=mine"], 64, "--symbol needs --library"),
    (["--library", "a=Package.swift", "--symbol", "b:conv2d=mine"], 64, "expected the name of a --library"),
    (["--library", "a=Package.swift", "--symbol", "conv2d"], 64, "expected OPERATION=SYMBOL"),
    (["--library", "a=Package.swift", "--golden", "Fixtures/relu.h5"], 2, "it cannot be opened"),
  ])
  func whatNamesNoLibraryIsSaid(words: [String], code: Int32, message: String) throws {
    let run = try CommandRun(["verify"] + words)
    #expect(run.exitCode == code && run.errors.contains(message), "\(run.exitCode): \(run.errors)")
  }

  @Test func aFailureIsRepeatedByTheLibrarysOptions() throws {
    let library = try CompiledLibrary("MUTATES")
    let run = try CommandRun(
      ["verify", "--library", "broken=\(library.path)", "--filter", "/relu/*", "--dtype", "float32"])
    #expect(run.exitCode == 1)
    let line = try #require((run.output + run.errors).split(separator: "\n").first { $0.contains("repeat: ") })
    #expect(line.contains("--library broken=\(library.path)") && !line.contains("--engine"), "\(line)")
    let command = try #require(line.range(of: "assay verify"))
    let again = try CommandRun(
      shell: "\(Repository.command.path(percentEncoded: false))\(line[command.lowerBound...].dropFirst(5))")
    #expect(again.exitCode == 1, "\(again.output)\(again.errors)")
  }
}

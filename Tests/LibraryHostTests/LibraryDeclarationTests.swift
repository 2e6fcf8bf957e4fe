import Engines
import Foundation
import Problems
import Results
import TOMLFiles
import Tensors
import TestSupport
import Testing

/// What a library says of itself and of problems, and what is said of files that are none.
@Suite struct LibraryDeclarationTests {
  private func failure(_ word: String) -> String {
    do throws(EngineCatalog.Failure) {
      _ = try CompiledLibrary.catalog.engine(word, timeout: 20)
      return "opened"
    } catch { return "\(error)" }
  }

  @Test func nothingDeclaredMeansEveryExportedOperationInFloat32() throws {
    let description = try CompiledLibrary().engine().description
    #expect(description.name == "relu")
    #expect(description.operations == ["relu"])
    #expect(description.dtypes == [.float32])
    #expect(description.passes == [.forward])
    #expect(description.deterministic && description.nonfinite && description.omits.isEmpty)
    #expect(description.trust == .host)
  }

  @Test func whatIsDeclaredIsTaken() throws {
    let json =
      #"{\"name\":\"mine\",\"version\":\"3\",\"dtypes\":[\"float32\",\"bfloat16\"],\"omits\":[\"outputs/indices\"],"#
      + #"\"nonfinite\":false,\"algorithm\":{\"relu\":{\"accumulate\":\"bfloat16\"},"#
      + #"\"conv2d\":{\"winograd\":{\"4x3\":{\"points\":\"ncnn\"}}}},\"info\":{\"threads\":4}}"#
    let description = try CompiledLibrary("DECLARES=\"\(json)\"").engine().description
    #expect(description.version == "3")
    #expect(description.info["engine"] == "mine" && description.info["threads"] == "4")
    #expect(description.dtypes == [.float32, .bfloat16])
    #expect(description.omits == ["outputs/indices"])
    #expect(!description.nonfinite)
    #expect(description.accumulate(of: "relu") == .bfloat16)
    let ncnn = SumAlgorithm.winograd(try WinogradTile(outputTile: 4, preset: .ncnn))
    #expect(description.sums(of: "conv2d") == [ncnn, .terms])
  }

  @Test(arguments: [
    (#"[]"#, "expected a JSON object"), (#"{\"alignment\":48}"#, "alignment: expected a power of two"),
    (#"{\"alignment\":1048576}"#, "alignment: expected a power of two up to"),
    (#"{\"dtypes\":[\"int7\"]}"#, "dtypes: expected some of"), (#"{"#, "expected one JSON object"),
    (#"{\"version\":3}"#, "version: expected String"),
    (
      #"{\"algorithm\":{\"conv2d\":{\"strassen_levels\":9}}}"#,
      "algorithm.conv2d.strassen_levels: expected 0 to 2, found 9"
    ),
    (#"{\"operations\":[\"conv2d\"]}"#, "conv2d: expected an exported function assay_conv2d, found none"),
  ])
  func aWrongDeclarationNamesTheMember(json: String, message: String) throws {
    let library = try CompiledLibrary("DECLARES=\"\(json)\"")
    let failure = failure("library:\(library.path)")
    #expect(failure.contains(message), "\(failure)")
  }

  @Test func aNewerABIIsRefusedByName() throws {
    let library = try CompiledLibrary("NEWER_ABI")
    let failure = failure("library:\(library.path)")
    #expect(failure.contains("expected assay.h's ABI 1 to 1, found 2"), "\(failure)")
  }

  @Test func whatIsNoLibraryIsSaid() throws {
    let folder = try TemporaryDirectory()
    let text = folder.file("text.so")
    try Data("not a library".utf8).write(to: text)
    #expect(failure("library:\(text.path)").contains("it cannot be opened"))
    #expect(failure("library:\(folder.file("none.so").path)").contains("found nothing at this path"))
    #expect(failure("library:\(folder.url.path)").contains("found a folder at this path"))
    let empty = folder.file("empty.so").path
    let source = folder.file("empty.c")
    try Data("int nothing;".utf8).write(to: source)
    let run = try CommandRun(["-shared", "-fPIC", "-o", empty, source.path], of: "/usr/bin/cc")
    try #require(run.exitCode == 0)
    #expect(failure("library:\(empty)").contains("expected an exported function assay_<operation>"))
  }

  /// By a path from the declarations' folder, wherever the tool runs.
  @Test func aFileDeclaresALibraryByName() throws {
    let library = try CompiledLibrary()
    let file = library.folder.file("engines.toml")
    let text = "[mine]\nlibrary = \"librelu.so\"\ntimeout = 20\n[gone]\nlibrary = \"none.so\"\n"
    try text.write(to: file, atomically: true, encoding: .utf8)
    let host = Repository.command.path(percentEncoded: false)
    let catalog = EngineCatalog(
      builtIn: [], declared: try EngineCatalog.declarations(at: file, host: host), host: host)
    let engine = try catalog.engine("mine")
    #expect(engine.description.name == "mine" && engine.description.trust == .host)
    #expect(CompiledLibrary.outcome(of: engine) == "right")
    do throws(EngineCatalog.Failure) {
      _ = try catalog.engine("gone")
      Issue.record("opened")
    } catch {
      #expect(error.kind == .engine && error.description.contains("none.so: expected a shared library, found no file"))
    }
  }

  @Test func anotherSymbolIsCalled() throws {
    let library = try CompiledLibrary("RENAMED")
    let engine = try library.engine(symbols: " --symbol relu=my_relu --symbol identity=my_relu")
    #expect(engine.description.operations == ["relu", "identity"])
    #expect(CompiledLibrary.outcome(of: engine) == "right")
    let failure = failure("library:\(library.path) --symbol relu=nobody")
    #expect(failure.contains("relu: expected an exported function nobody, found none"), "\(failure)")
  }

  @Test func anOperationWithoutABackwardPassOmitsItsGradientsAlone() throws {
    let engine = try CompiledLibrary("TWO").engine()
    let description = engine.description
    #expect(description.operations == ["relu", "identity"] && description.passes == [.forward, .backward])
    #expect(description.produces("gradients/x", of: "identity"))
    #expect(!description.produces("gradients/x", of: "relu") && description.produces("outputs/y", of: "relu"))
    var exercise = CompiledLibrary.exercise
    exercise.passes = [.forward, .backward]
    exercise.upstream = ["y": CompiledLibrary.right]
    exercise.wanted = ["outputs/y", "gradients/x"]
    #expect(CompiledLibrary.outcome(of: engine, exercise).contains("exports no backward pass of relu"))
    exercise.operation = "identity"
    let answer = try engine.compute(exercise)
    #expect(answer.outputs["y"] == exercise.inputs["x"] && answer.gradients["x"] == CompiledLibrary.right)
  }

  @Test(arguments: [
    (3, "shape_mismatch"), (4, "invalid_argument"), (5, "unsupported_dtype"), (6, "index_out_of_range"),
    (1, "unsupported"), (2, "returned 2"),
  ])
  func refusalsHaveTheirCategoryAndMessage(code: Int, category: String) throws {
    var exercise = CompiledLibrary.exercise
    exercise.threads = 3
    let outcome = CompiledLibrary.outcome(of: try CompiledLibrary("REFUSES=\(code)").engine(), exercise)
    #expect(outcome.contains(category) && outcome.contains("refused with code \(code) in 3 threads"), "\(outcome)")
  }

  @Test func onlyWhoValidatesIsAskedForWhatHasNoResult() throws {
    // relu takes no second input of another name; its only input is missing here.
    let invalid = Exercise(name: "/case", operation: "relu", inputs: ["z": .float32(CompiledLibrary.x)])
    let silent = try CompiledLibrary("REFUSES=3").engine()
    #expect(CompiledLibrary.outcome(of: silent, invalid).contains("does not declare"))
    let validating = try CompiledLibrary("REFUSES=3", #"DECLARES="{\"validates\":true}""#).engine()
    #expect(CompiledLibrary.outcome(of: validating, invalid).hasPrefix("shape_mismatch"))
  }

  @Test func aWordOfALibraryReadsBack() {
    for (library, name) in [
      ("librelu.so", "relu"), ("a/b/kernels.1.2.dylib", "kernels"), ("mine=./x y.so", "mine"), ("./a=b.so", "a=b"),
    ] {
      let word = LibraryWord(library: library, symbols: ["relu": "f", "conv2d": "g"])
      #expect(word.name == name)
      #expect(LibraryWord(word: word.word) == word)
      #expect(
        EngineOptionWords.words(for: word.word)
          == ["--library", library, "--symbol", "\(name):conv2d=g", "--symbol", "\(name):relu=f"])
    }
    #expect(LibraryWord(word: "mine=./engine") == nil)
  }
}

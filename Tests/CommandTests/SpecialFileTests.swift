import Foundation
import TestSupport
import Testing

/// Outputs onto what is no regular file, and standard streams that are closed or full.
@Suite(.waiting) struct SpecialFileTests {
  /// Runs the command in a shell, where `assay` is the built command.
  private func shell(_ line: String, in folder: TemporaryDirectory) throws -> (status: Int32, output: String) {
    let places = [
      "A": Repository.command.path(percentEncoded: false), "F": folder.url.path(percentEncoded: false),
    ]
    let run = try CommandRun(["-c", line], of: "/bin/sh", environment: places)
    return (run.exitCode, run.output)
  }

  private static let verify = #""$A" verify --filter 'relu/*' --dtype float32 --quiet"#

  /// Command line, exit code.
  static let streams: [(String, Int32)] = [
    (verify + " 2>/dev/full", 0), (verify + " >&- 2>&-", 0), (verify + " | head -c 1", 0),
    (#""$A" nonsense 2>/dev/full"#, 64), (#""$A" verify --nonsense >&- 2>&-"#, 64), (#""$A" --help >&-"#, 0),
    (#""$A" verify --golden /nowhere.h5 2>/dev/full"#, 65), (#""$A" golden validate README.md 2>/dev/full"#, 65),
    (#""$A" golden validate README.md >&- 2>&-"#, 65), (#""$A" gradcheck --operation nonsense 2>/dev/full"#, 64),
    (#""$A" compare README.md README.md 2>&-"#, 65),
    (#"echo '{"id":1,"method":"hello","params":{"protocol":1}}' | "$A" engine direct >/dev/full 2>&-"#, 0),
  ]

  @Test(arguments: streams) func streamsChangeNoExitCode(line: String, expected: Int32) throws {
    let folder = try TemporaryDirectory()
    #expect(try shell(line, in: folder).status == expected)
  }

  /// A run that a signal ends looks at its stdout as any other does: one whose loops end by themselves, and one in whose
  /// place the watchdog concludes, since its engine hangs.
  @Test(arguments: [
    #""$A" train --data Tests/Trials/X_sixteen_images.h5 --model cifar_resnet8 --width 1 --epochs 100000 --out "$F/w.h5""#,
    #""$A" verify --quiet --golden Tests/Trials/H14_old.h5 --engine "#
      + #"'hangs=read l; printf "%s\n" "$l" | "$A" engine reference; exec sleep 60' --pass-env A"#,
  ])
  func anInterruptedRunSaysThatStdoutIsFull(line: String) throws {
    let folder = try TemporaryDirectory()
    #expect(try shell(line + " >/dev/full & sleep 2; kill -TERM $!; wait $!; exit $?", in: folder).status == 74)
  }

  @Test func aDeviceAndStdoutTakeReports() throws {
    let folder = try TemporaryDirectory()
    let found = try shell(Self.verify + " --junit /dev/stdout --json /dev/null", in: folder)
    #expect(found.status == 0)
    #expect(found.output.contains("<testsuite"))
    var status = stat()
    #expect(lstat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func aPipeTakesReports() throws {
    let folder = try TemporaryDirectory()
    let line = #"mkfifo "$F/p"; cat "$F/p" & "# + Self.verify + #" --junit "$F/p" >/dev/null; s=$?; wait; exit $s"#
    let found = try shell(line, in: folder)
    #expect(found.status == 0 && found.output.contains("<testsuite"))
  }

  @Test func aLinkIsWrittenThroughAndAModeKept() throws {
    let folder = try TemporaryDirectory()
    let line =
      #"umask 022; touch "$F/real"; chmod 600 "$F/real"; ln -s real "$F/link"; "# + Self.verify
      + #" --json "$F/link" >/dev/null && test -L "$F/link" && stat -c %a "$F/real" && grep -c schema_version "$F/real""#
    #expect(try shell(line, in: folder).output == "600\n1\n")
  }

  /// HDF5 files go the same way.
  @Test func weightsAreWrittenThroughALink() throws {
    let folder = try TemporaryDirectory()
    let line =
      #"touch "$F/real"; chmod 640 "$F/real"; ln -s real "$F/w.h5"; "$A" train --data Tests/Trials/X_sixteen_images.h5 "#
      + #"--model cifar_resnet8 --width 2 --batch 8 --epochs 1 --out "$F/w.h5" >/dev/null && test -L "$F/w.h5" "#
      + #"&& stat -c %a "$F/real" && head -c 4 "$F/real" | tail -c 3"#
    #expect(try shell(line, in: folder).output == "640\nHDF")
  }
}

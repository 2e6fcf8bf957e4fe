import Foundation
import TestSupport
import Testing

import GoldenFiles

@Suite struct FileDigestTests {
  /// FIPS 180-4's examples (NIST's SHA256.pdf), and the empty message and a million letters of its test vectors.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ])
  func vectors(_ message: String, _ digest: String) {
    #expect(FileDigest.sha256(of: Array(message.utf8)) == digest)
  }

  /// Every length around a block's end, against coreutils' sha256sum.
  @Test func lengths() throws {
    for length in [54, 55, 56, 57, 63, 64, 65, 119, 120, 128] {
      let bytes = (0..<length).map { UInt8($0) }
      #if os(Linux)
        let run = try CommandRun([], of: "sha256sum", input: bytes)
      #else
        let run = try CommandRun(["-a", "256"], of: "shasum", input: bytes)
      #endif
      #expect(run.output.prefix(64) == FileDigest.sha256(of: bytes)[...], "length \(length)")
    }
  }
}

#if canImport(CryptoKit)
  import CryptoKit
#endif

/// SHA-256 (FIPS 180-4): the digest that tells whether a golden file is the one that was generated.
///
/// Apple's systems bring it. Elsewhere the nearest package builds all of BoringSSL, two minutes of a newcomer's first
/// build, for this one function; hence these sixty lines, held to the standard's own vectors by a test.
package enum FileDigest {
  /// Lower-case hexadecimal.
  package static func sha256(of bytes: [UInt8]) -> String {
    #if canImport(CryptoKit)
      let digest = Array(SHA256.hash(data: bytes))
    #else
      var hash = SHA256()
      hash.update(bytes)
      let digest = hash.finalize(length: bytes.count)
    #endif
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

#if !canImport(CryptoKit)
  /// Names, constants and steps are those of FIPS 180-4, sections 4.1.2, 4.2.2, 5 and 6.2.
  private struct SHA256 {
    private static let constants: [UInt32] = [
      0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
      0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
      0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
      0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
      0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
      0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
      0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
      0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    private var state: [UInt32] = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var schedule = [UInt32](repeating: 0, count: 64)
    /// What is left of the message behind its last whole block.
    private var tail: [UInt8] = []

    /// Takes a whole message; the part that fills no block is kept for ``finalize(length:)``.
    mutating func update(_ bytes: [UInt8]) {
      var offset = 0
      while bytes.count - offset >= 64 {
        compress(bytes, at: offset)
        offset += 64
      }
      tail = Array(bytes[offset...])
    }

    mutating func finalize(length: Int) -> [UInt8] {
      var last = tail + [0x80]
      last += [UInt8](repeating: 0, count: (120 - last.count) % 64)
      withUnsafeBytes(of: UInt64(length &* 8).bigEndian) { last += $0 }
      for offset in stride(from: 0, to: last.count, by: 64) { compress(last, at: offset) }
      return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    }

    private mutating func compress(_ block: [UInt8], at offset: Int) {
      func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
      for t in 0..<16 {
        let at = offset + 4 * t
        schedule[t] =
          UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16 | UInt32(block[at + 2]) << 8 | UInt32(block[at + 3])
      }
      for t in 16..<64 {
        let (w15, w2) = (schedule[t - 15], schedule[t - 2])
        let sigma0 = rotated(w15, 7) ^ rotated(w15, 18) ^ w15 >> 3
        let sigma1 = rotated(w2, 17) ^ rotated(w2, 19) ^ w2 >> 10
        schedule[t] = sigma1 &+ schedule[t - 7] &+ sigma0 &+ schedule[t - 16]
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      for t in 0..<64 {
        let first =
          h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ (e & f ^ ~e & g) &+ Self.constants[t] &+ schedule[t]
        let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ (a & b ^ a & c ^ b & c)
        (h, g, f, e) = (g, f, e, d &+ first)
        (d, c, b, a) = (c, b, a, first &+ second)
      }
      for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
    }
  }
#endif

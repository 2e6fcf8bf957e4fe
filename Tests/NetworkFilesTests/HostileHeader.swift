import Testing

/// The header of a safetensors file that must be refused.
struct HostileHeader: Sendable, CustomTestStringConvertible {
  let header: String
  let dataBytes: Int
  /// Words of the message.
  let reason: String

  var testDescription: String { String(header.prefix(80)) }

  init(_ header: String, _ dataBytes: Int, _ reason: String) {
    self.header = header
    self.dataBytes = dataBytes
    self.reason = reason
  }

  /// What a header says of one tensor.
  static func entry(_ dtype: String = "F32", _ shape: String = "[1]", _ offsets: String = "[0,4]") -> String {
    #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static let all: [HostileHeader] = [
    .init("", 0, "the header's end"), .init("{", 0, "the header's end"), .init("[]", 0, "'{'"),
    .init(" {}", 0, "'{' at its first byte"),
    .init("{} x", 0, "blanks alone"), .init("{}\n", 0, "blanks alone"), .init(#"{"a"}"#, 0, "':'"),
    .init(#"{"a":1}"#, 0, "'{'"),
    .init(#"{"a":\#(entry()),}"#, 4, "a key"),
    .init(#"{"a":\#(entry()),"a":\#(entry("F32", "[1]", "[4,8]"))}"#, 8, "'a' again"),
    .init(#"{"é":\#(entry()),"e\u0301":\#(entry("F32", "[1]", "[4,8]"))}"#, 8, "again"),
    .init(#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "'dtype' again"),
    .init(#"{"__metadata__":{"a":"b","a":"c"}}"#, 0, "'a' again"),
    .init(#"{"__metadata__":{"a":1}}"#, 0, "a text for a"),
    .init(#"{"__metadata__":{"a":{}}}"#, 0, "a text for a"),
    .init(#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "data_offsets"),
    .init(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, 4, "'more'"),
    .init(#"{"a":\#(entry("F33"))}"#, 4, "'F33'"), .init(#"{"a":\#(entry("F8_E4M3", "[4]"))}"#, 4, "'F8_E4M3'"),
    .init(#"{"a":\#(entry("F32", "[2]"))}"#, 4, "8 bytes for F32"),
    .init(#"{"a":\#(entry("F32", "[0]"))}"#, 4, "0 bytes"),
    .init(#"{"a":\#(entry("F32", "[-1]"))}"#, 4, "an integer from 0"),
    .init(#"{"a":\#(entry("F32", "[1.0]"))}"#, 4, "','"),
    .init(#"{"a":\#(entry("F32", "[1e0]"))}"#, 4, "','"), .init(#"{"a":\#(entry("F32", "[01]"))}"#, 4, "zeros before"),
    .init(#"{"a":\#(entry("F32", "[18446744073709551617]"))}"#, 4, "below 2^63"),
    .init(#"{"a":\#(entry("F32", "[9223372036854775807]"))}"#, 4, "2^48"),
    .init(#"{"a":\#(entry("F32", "[4294967296,4294967296,2]"))}"#, 4, "2^48"),
    .init(#"{"a":\#(entry("F32", "[3037000500,3037000500]"))}"#, 4, "2^48"),
    .init(#"{"a":\#(entry("F32", "[1,1,1,1,1,1,1,1,1]"))}"#, 4, "dimensions"),
    .init(#"{"a":\#(entry("F32", "[" + String(repeating: "1,", count: 99_999) + "1]"))}"#, 4, "numbers in a list"),
    .init(#"{"a":\#(entry("F32", "[[1]]"))}"#, 4, "an integer"),
    .init(#"{"a":\#(entry("F32", String(repeating: "[", count: 200_000)))}"#, 4, "an integer"),
    .init(String(repeating: #"{"a":"#, count: 100_000), 0, "dtype, shape or data_offsets"),
    .init(#"{"a":\#(entry("F32", "[1]", "[0,8]"))}"#, 4, "within the 4 bytes"),
    .init(#"{"a":\#(entry("F32", "[1]", "[4,0]"))}"#, 4, "within the 4 bytes"),
    .init(#"{"a":\#(entry("F32", "[1]", "[0]"))}"#, 4, "two numbers"),
    .init(#"{"a":\#(entry("F32", "[1]", "[0,9223372036854775807]"))}"#, 4, "within the 4 bytes"),
    .init(#"{"a":\#(entry()),"b":\#(entry("F32", "[1]", "[2,6]"))}"#, 6, "overlap"),
    .init(#"{"a":\#(entry()),"b":\#(entry())}"#, 4, "overlap"),
    .init(#"{"a":\#(entry()),"b":\#(entry("F32", "[1]", "[5,9]"))}"#, 9, "belong to no tensor"),
    .init(#"{"a":\#(entry())}"#, 5, "belong to no tensor"), .init("{}", 1, "belong to no tensor"),
    .init("{\"\u{0}\":\(entry())}", 4, "control characters"),
    .init(#"{"\x":\#(entry())}"#, 4, "an escape"), .init(#"{"\u12":\#(entry())}"#, 4, "an escape"),
    .init(#"{"\ud800":\#(entry())}"#, 4, "surrogate"), .init(#"{"\udc00\ud800":\#(entry())}"#, 4, "surrogate"),
    .init(#"{"\ud800\u0041":\#(entry())}"#, 4, "surrogate"), .init("{\"a", 0, "the end of"),
    .init("{\"a\\", 0, "the end of"),
  ]
}

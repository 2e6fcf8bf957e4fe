/// Units of time as these programs write them.
enum TimeUnit {
  static let nanoseconds = [
    "ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "second": 1e9, "millisecond": 1e6, "microsecond": 1e3,
    "nanosecond": 1,
  ]
}
